"""What differs between tonight's clusters and edges and what stands in the warehouse, so that only that is written.

The links and edges as they stood before the night come from the copy that the last night kept in a file, when
`linkage.resolved_night` says that it is the warehouse's state, else from the warehouse itself. The copy holds record keys and
numbers, and no identifier.
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from warehouse.link.score import LEVELS
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import quoted
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb
    import psycopg
    from psycopg import sql

EDGE_COLUMNS = "record_key_l, record_key_r, model, match_weight, match_probability, match_key, level"
EDGE_TYPES = {
    "record_key_l": "uuid", "record_key_r": "uuid", "model": "varchar", "match_weight": "double", "match_probability": "double",
    "match_key": "int", "level": "smallint",
}  # fmt: skip

# Tonight's edges by their record keys. What the last digits of a weight are depends on the order in which threads add.
EDGES_NOW = f"""
create or replace table edge_now as
select {EDGE_COLUMNS}
from (
    select
        least(l.record_key, r.record_key) as record_key_l, greatest(l.record_key, r.record_key) as record_key_r, e.model,
        round(e.match_weight, 4) as match_weight, round(e.match_probability, 6) as match_probability,
        e.match_key::int as match_key, e.level::smallint as level
    from edge as e inner join record as l on l.record_no = e.record_l inner join record as r on r.record_no = e.record_r
)
"""
EDGES_CHANGED = f"""
create or replace table edge_gone as
select record_key_l, record_key_r from (select {EDGE_COLUMNS} from edge_standing except select {EDGE_COLUMNS} from edge_now);
create or replace table edge_new as select {EDGE_COLUMNS} from edge_now except select {EDGE_COLUMNS} from edge_standing;
"""

# Tonight's clusters beside the persons that stand, one row per record that is in either.
BESIDE = """
create or replace table beside as
select coalesce(n.record_key, s.record_key) as record_key, n.feed, {clusters}, {persons}
from node as n full join link_standing as s on s.record_key = n.record_key;
create or replace table changed_record (record_key uuid, feed varchar, certainty varchar, cluster_no int);
create or replace table gone_record (record_key uuid, certainty varchar);
create or replace table kept_records (certainty varchar, records bigint);
"""
# A cluster stands as it is when it holds all records of one person, and no others, and no run of tonight has touched them.
# Numbers of clusters are made distinct across certainties.
CHANGED_AT = """
create or replace temp table touched_now as select record_key from touched where certainty = '{certainty}';

insert into changed_record
with person as (
    select {certainty}_before as person, count(*) as records from beside where {certainty}_before is not null group by person
),
cluster as (
    select
        {certainty} as cluster_no, count(*) as records, count({certainty}_before) as known,
        min({certainty}_before) as person, max({certainty}_before) as last_person
    from beside where {certainty} is not null group by cluster_no
),
standing as (
    select c.cluster_no
    from cluster as c inner join person as p using (person)
    where c.records = c.known and c.person = c.last_person and c.records = p.records
        and c.cluster_no not in (select {certainty} from beside where {certainty} is not null and record_key in (from touched_now))
)
select record_key, feed, '{certainty}', {certainty} * {certainties} + {level} - 1
from beside where {certainty} is not null and {certainty} not in (from standing);

insert into gone_record
select record_key, '{certainty}' from beside where {certainty} is null and {certainty}_before is not null
union
select record_key, '{certainty}' from touched_now where record_key not in (select record_key from beside where {certainty} is not null);

insert into kept_records select '{certainty}', count(*) from beside where {certainty} is not null and {certainty}_before is not null;
"""


def find(session: duckdb.DuckDBPyConnection) -> None:
    """Compare `node`, `edge` and `record` (see `resolve`) with what stands (see `load_standing`).

    Makes changed_record (record_key, feed, certainty, cluster_no): the records of every cluster that is not a person as it
    stands; gone_record (record_key, certainty): records linked before and not now; kept_records (certainty, records): how many
    records were linked before and still are; edge_gone (record_key_l, record_key_r) and edge_new, by their record keys.
    """
    clusters = ", ".join(f"n.{certainty}" for certainty in LEVELS)
    persons = ", ".join(f"s.{certainty} as {certainty}_before" for certainty in LEVELS)
    session.execute(BESIDE.format(clusters=clusters, persons=persons)).fetchall()
    for certainty, level in LEVELS.items():
        session.execute(CHANGED_AT.format(certainty=certainty, level=level, certainties=len(LEVELS))).fetchall()
    session.execute(EDGES_NOW).fetchall()
    session.execute(EDGES_CHANGED).fetchall()


def load_standing(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, night: date, folder: Path) -> None:
    """Make link_standing (record_key, and the person at each certainty, as a number), edge_standing, and touched (record_key,
    certainty): the records whose links an earlier run of the same night wrote or ended.

    Args:
        folder: where files on their way may lie.
    """
    last = connection.execute("select night, copy_id from linkage.resolved_night order by night desc limit 1").fetchone()
    copy = copy_folder(last[1]) if last is not None and last[1] is not None and last[0] < night else None
    session.execute("create or replace table touched (record_key uuid, certainty varchar)").fetchall()
    if copy is not None and copy.is_dir():
        for name in ("link", "edge"):
            session.execute(f"create or replace table {name}_standing as select * from read_parquet({quoted(copy / f'{name}.parquet')})").fetchall()
        return
    _read_links(session, connection, night, folder)
    _read(session, connection, _sql(f"select {EDGE_COLUMNS} from linkage.edge", night), "edge_standing", EDGE_TYPES, folder)
    if last is not None and last[0] == night:
        query = "select distinct record_key, certainty from linkage.person_link where _valid_from = {night} or _valid_to = {night}"
        _read(session, connection, _sql(query, night), "touched", {"record_key": "uuid", "certainty": "varchar"}, folder)


def _read_links(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, night: date, folder: Path) -> None:
    """Make link_standing from the warehouse."""
    query = "select record_key, certainty, person_id from linkage.person_link where _valid_from < {night} and (_valid_to is null or _valid_to >= {night})"
    _read(session, connection, _sql(query, night), "link_row", {"record_key": "uuid", "certainty": "varchar", "person_id": "uuid"}, folder)
    persons = ", ".join(f"min(person) filter (certainty = '{certainty}') as {certainty}" for certainty in LEVELS)
    session.execute(
        f"""
        create or replace table link_standing as
        select record_key, {persons}
        from (select record_key, certainty, dense_rank() over (order by person_id) as person from link_row)
        group by record_key
        """
    ).fetchall()
    session.execute("drop table link_row").fetchall()


def keep_copy(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, night: date) -> None:
    """Keep tonight's links and edges in a file for the next night, and note in the transaction of the caller that they are what stands.

    A copy whose transaction failed is named nowhere, and goes with the next one.
    """
    copy_id = uuid4()
    copy = copy_folder(copy_id)
    shutil.rmtree(copy.parent, ignore_errors=True)
    copy.mkdir(parents=True, mode=0o700)
    session.execute(f"copy (select record_key, {', '.join(LEVELS)} from node) to {quoted(copy / 'link.parquet')} (format parquet)").fetchall()
    session.execute(f"copy (select {EDGE_COLUMNS} from edge_now) to {quoted(copy / 'edge.parquet')} (format parquet)").fetchall()
    connection.execute(
        "insert into linkage.resolved_night (night, copy_id) values (%s, %s) on conflict (night) do update set copy_id = excluded.copy_id", [night, copy_id]
    )


def copy_folder(copy_id: UUID) -> Path:
    """Where a copy of the links and edges that stand lies."""
    return settings().work_dir / "link" / "standing" / str(copy_id)


def _sql(query: str, night: date) -> sql.Composed:
    """A query of this module with the night put in, as a literal."""
    from psycopg import sql

    return sql.SQL(query).format(night=sql.Literal(night))


def _read(session: duckdb.DuckDBPyConnection, connection: psycopg.Connection, query: sql.Composed, into: str, types: dict[str, str], folder: Path) -> None:
    """Make table `into` of the rows of a query on the warehouse."""
    path = folder / f"{into}.csv"
    copy_out(connection, query, path)
    session.execute(
        f"create or replace table {into} as select * from read_csv({quoted(path)}, header = true, auto_detect = false, delim = ',', columns = {types})"
    ).fetchall()
    path.unlink()
