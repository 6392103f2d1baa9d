"""Perfect links for tests and evaluation: persons by a file that says whose each record is, instead of by the models.

What outcomes would be if linkage made no mistake can be known of an invented population alone. So this is refused unless it is
asked for by name (`WAREHOUSE_LINKAGE_TRUTH`, or the argument of `link.stage`), on any server but the embedded one, and when the
file does not know every record that the vault holds, or says two things of one: no real warehouse has such a file. A night
linked so says it in its log, in the counts of its run, in `ops.linkage_metric` and at the head of the report's section on linkage.

The file is the truth's `records.csv` (`warehouse generate`): feed, agency_record_id, true_person_id.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.model import Contract
from warehouse.link import extract
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.evaluate import load_agency_ids
from warehouse.link.metrics import LINKS_ARE_THE_TRUTH
from warehouse.link.score import LEVELS
from warehouse.link.workspace import one_row, quoted
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)

COLUMNS = {"feed", "agency_record_id", "true_person_id"}

RECORDS = """
create or replace table record as
select (row_number() over (order by record_key))::int as record_no, record_key, min(feed) as feed, bool_or(is_named) as is_named
from raw_evidence
group by record_key;
create or replace table truth as
select r.record_no, min(t.true_person_id) as true_person_id, count(distinct t.true_person_id) as persons
from record as r
left join agency_id as a on a.record_key = r.record_key
left join truth_record as t on t.feed = a.feed and t.agency_record_id = a.agency_key
group by r.record_no
"""
UNKNOWN = "select count(*) filter (persons = 0), count(*) filter (persons > 1) from truth"

# Every record of a person is joined to the person's first one. Nothing was weighed, so the weight is nothing.
EDGES = f"""
create or replace table edge as
with first_record as (select true_person_id, min(record_no) as record_no from truth group by true_person_id)
select
    f.record_no as record_l, t.record_no as record_r, 'truth' as model, 0.0::double as match_weight, 1.0::double as match_probability,
    null::int as match_key, {min(LEVELS.values())} as level
from truth as t inner join first_record as f using (true_person_id)
where t.record_no <> f.record_no;
create or replace table conflict (record_l int, record_r int);
create or replace table metric as select '{LINKS_ARE_THE_TRUTH}' as metric, '' as feed_a, '' as feed_b, 1.0::double as value
"""


def asked_for(truth: Path | None) -> Path | None:
    """The file to link by: the argument, else the setting; None when links are to be found out.

    Raises:
        LinkageFault: one is asked for, and the warehouse is on a server that somebody named, or there is no such file.
    """
    file = truth or settings().linkage_truth
    if file is None:
        return None
    if settings().url:
        raise LinkageFault("Links by the truth are for tests and evaluation on the embedded server. Unset WAREHOUSE_LINKAGE_TRUTH, or WAREHOUSE_URL")
    if not file.is_file():
        raise LinkageFault("There is no file of the truth where WAREHOUSE_LINKAGE_TRUTH says. Give the records.csv that `warehouse generate` wrote")
    return file


def score(session: duckdb.DuckDBPyConnection, contracts: Sequence[Contract], night: date, folder: Path, file: Path) -> dict[str, int]:
    """Make the tables of `score.OUTPUTS` for the vault as it stood on a night, with an edge wherever the file says one person.

    Args:
        folder: where private files on their way may lie.
        file: a file that `asked_for` let pass.

    Returns:
        Counts: records, changed_records, candidate_pairs, edges, and links_are_the_truth (1).

    Raises:
        LinkageFault: the file has other columns, does not know a record of the vault, or gives it to two persons.
        DatabaseFault: the vault could not be read.
    """
    log.warning("Links of the night %s are made by a file of the truth, not by linkage", night.isoformat())
    extract.from_vault(session, contracts, night, folder)
    load_agency_ids(session, contracts, folder)
    with clean_duckdb_errors("read the file of the truth"):
        session.execute(f"create or replace table truth_record as select * from read_csv({quoted(file)}, header = true, all_varchar = true)").fetchall()
        found = {name for (name, *_) in session.execute("describe truth_record").fetchall()}
    if not found >= COLUMNS:
        raise LinkageFault(f"The file of the truth needs the columns {', '.join(sorted(COLUMNS))}")
    with clean_duckdb_errors("join the records to the truth"):
        session.execute(RECORDS).fetchall()
        unknown, ambiguous = one_row(session, UNKNOWN)
    if unknown or ambiguous:
        raise LinkageFault(
            f"The file of the truth does not know {unknown:,} records of the vault, and gives {ambiguous:,} to more than one person:"
            " it is not the truth of what was delivered"
        )
    with clean_duckdb_errors("link by the truth"):
        session.execute(EDGES).fetchall()
        (records,), (edges,) = one_row(session, "select count(*) from record"), one_row(session, "select count(*) from edge")
    return {"records": records, "changed_records": records, "candidate_pairs": 0, "edges": edges, LINKS_ARE_THE_TRUTH: 1}
