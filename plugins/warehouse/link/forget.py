"""Forget erased records: their links, with all history, and their edges; persons who have no record left are retired."""

from __future__ import annotations

import shutil

from warehouse.database import clean_errors, connect
from warehouse.link.erase import drop_other_copies, forget_in_files
from warehouse.link.review.decisions import forget_pairs
from warehouse.link.split import forget_split
from warehouse.link.state import state_folder
from warehouse.settings import settings

LINKS = """
with gone as (
    delete from linkage.person_link as l using forgotten as f
    where l.record_key = f.record_key and l.feed = f.feed
    returning f.erasure_id, l.person_id, l.certainty
), left_over as (
    insert into freed select distinct person_id, certainty from gone
), counted as (
    select erasure_id, count(*) as rows from gone group by erasure_id
)
update ops.erasure as e
set removed = e.removed || jsonb_build_object('linkage', coalesce((e.removed ->> 'linkage')::bigint, 0) + counted.rows)
from counted where counted.erasure_id = e.erasure_id
"""
# Dated by the latest night that was linked: the links are as if that night had not seen the record.
RETIRED = """
insert into linkage.person_event (night, event, person_id, certainty)
select %s, 'retired', f.person_id, f.certainty from freed as f
where not exists (select from linkage.person_link as l where l.person_id = f.person_id)
  and not exists (select from linkage.person_event as e where e.person_id = f.person_id and e.event = 'retired')
"""
COPY_STANDS = """
update linkage.resolved_night as n
set copy_id = case when n.night = (select max(night) from linkage.resolved_night) then %s::uuid end
"""


def forget(erasure_ids: list[int]) -> None:
    """Forget the records of registered erasures, in one transaction, and in what linkage keeps in files. Idempotent.

    Raises:
        DatabaseFault: the database refused.
    """
    with clean_errors("forget erased records"), connect("linker") as connection:
        # As linking does: one at a time.
        connection.execute("lock table linkage.person_link in share row exclusive mode")
        night = connection.execute("select greatest(max(_valid_from), max(_valid_to)) from linkage.person_link").fetchone()
        connection.execute("create temp table freed (person_id uuid, certainty text) on commit drop")
        connection.execute("create temp table forgotten (erasure_id bigint, feed text, record_key uuid) on commit drop")
        connection.execute(
            "insert into forgotten select erasure_id, feed, record_key from ops.erasure where erasure_id = any(%s) and key_name = 'record_key'", [erasure_ids]
        )
        connection.execute("analyze forgotten")
        connection.execute(LINKS)
        connection.execute("delete from linkage.edge using forgotten as f where record_key_l = f.record_key or record_key_r = f.record_key")
        forget_pairs(connection)
        # The copy of the links that the last night kept is not what stands any more; one without the erased records is.
        copy_id = forget_in_files(connection, "forgotten")
        connection.execute(COPY_STANDS, [copy_id])
        if night is not None and night[0] is not None:
            connection.execute(RETIRED, [night[0]])
    drop_other_copies(copy_id)
    forget_scored()


def forget_files() -> None:
    """Remove all that linkage keeps in files between steps and between nights: scored nights, evidence and its scores, the copy of the links.

    The next night then scores everything anew and reads from the warehouse what stands.
    """
    forget_scored()
    drop_other_copies(None)
    shutil.rmtree(state_folder(), ignore_errors=True)


def forget_scored() -> None:
    """Remove what one step of a night leaves for the next: scored edges, and a night that is split among workers."""
    for folder in (settings().work_dir / "link").glob("????-??-??"):
        shutil.rmtree(folder, ignore_errors=True)
    forget_split()
