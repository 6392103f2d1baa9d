"""Source rows and links that change from night to night in every way they can, set by set: rows that come, change and end, persons
that merge and split at some certainties, records that are left out or erased, and a past that is rewritten.

What happens to a row is told by a hash of its key and a salt, so that it is the same in every run.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from psycopg import Connection, sql

from warehouse.contracts.load import all_contracts
from warehouse.database import connect

# Links as linkage leaves them: persons of the three certainties, nested in each other; one record in ten is not linked.
LINK = """
create temp table record as select record_key, min(feed) as feed from ({records}) as r group by record_key having {bucket_record} >= 10;
create temp table nested as
select record_key, feed, {family} as i, {bucket_balanced} % 2 as b, {bucket_strict} % 2 as s from record;
insert into linkage.person_link (record_key, feed, certainty, person_id, _valid_from)
select record_key, feed, 'inclusive', md5(concat('inclusive', i))::uuid, {night} from nested
union all
select record_key, feed, 'balanced', md5(concat('balanced', i, ' ', case when i % 2 = 0 then b end))::uuid, {night} from nested
union all
select record_key, feed, 'strict', md5(concat('strict', i, ' ', case when i % 2 = 0 then b end, case when i % 3 = 0 then s end))::uuid, {night} from nested;
drop table record, nested
"""
# Whole strict persons move: of one inclusive person in thirty, to the one next to it and there to a balanced person of its or a new one,
# or (of as many) out into persons of their own. One record in fifty is linked no more.
RELINK = """
create temp table now_linked on commit drop as
select record_key, feed,
    max(person_id::text) filter (where certainty = 'inclusive') as i,
    max(person_id::text) filter (where certainty = 'balanced') as b,
    max(person_id::text) filter (where certainty = 'strict') as s
from linkage.person_link where _valid_to is null group by record_key, feed;
create temp table wanted on commit drop as
with families as (select i, lead(i) over (order by i) as next_i, min(b) as a_balanced from now_linked group by i),
moved as (
    select n.*, {bucket_i} % 30 as what, {bucket_s} % 3 as how, f.next_i, t.a_balanced as next_b
    from now_linked as n
    inner join families as f using (i)
    left join (select i as target, a_balanced from families) as t on t.target = f.next_i
)
select record_key, feed,
    case when what = 0 and next_i is not null then next_i when what = 1 and how = 0 then md5(i || {salt})::uuid::text else i end as inclusive,
    case
        when what = 0 and next_i is not null and how = 0 then next_b
        when what = 0 and next_i is not null and how = 1 or what = 1 and how = 0 then md5(b || s || {salt})::uuid::text
        else b
    end as balanced,
    s as strict
from moved;
delete from wanted where {bucket_record} % 50 = 0;
create temp table linked on commit drop as
select w.record_key, w.feed, c.certainty, c.person_id::uuid as person_id
from wanted as w cross join lateral (values ('inclusive', inclusive), ('balanced', balanced), ('strict', strict)) as c (certainty, person_id);
update linkage.person_link as l set _valid_to = {night}
where _valid_to is null
    and not exists (select from linked as n where n.record_key = l.record_key and n.certainty = l.certainty and n.person_id = l.person_id);
insert into linkage.person_link (record_key, feed, certainty, person_id, _valid_from)
select record_key, feed, certainty, person_id, {night} from linked as n
where not exists (select from linkage.person_link as l where l.record_key = n.record_key and l.certainty = n.certainty and l._valid_to is null)
"""
# Of 100 keys: the rows of 0 to 3 change, those of 4 and 5 end.
CHANGE_ROWS = """
create temp table fresh on commit drop as select * from {table} where {bucket_key} < 4 and _valid_to is null;
update {table} set _valid_to = {night} where {bucket_key} < 6 and _valid_to is null;
insert into {table} ({columns}) select {changed} from fresh;
drop table fresh
"""
REWRITE = """
delete from {table} where _valid_from = {night} and {bucket_row} % 2 = 0;
update {table} as t
set _valid_to = (select min(later._valid_from) from {table} as later where later.row_key = t.row_key and later._valid_from > t._valid_from)
where _valid_to = {night} and {bucket_row} % 2 = 0
"""
# By the inclusive person of the night before, whole: persons stay nested.
TAKE_BACK = """
create temp table taken_back on commit drop as
select record_key from linkage.person_link
where certainty = 'inclusive' and _valid_from < {night} and (_valid_to is null or _valid_to >= {night}) and {bucket_person} % 2 = 0;
delete from linkage.person_link where _valid_from = {night} and record_key in (select record_key from taken_back);
update linkage.person_link set _valid_to = null where _valid_to = {night} and record_key in (select record_key from taken_back)
"""
DELIVERED = """
insert into ops.delivery (feed, night, content_hash, status, coverage_end, finished_at)
select feed, {night}, md5(content_hash || {salt}), status, {night}, now() from ops.delivery
where night = (select min(night) from ops.delivery)
"""
# How many days before the night a feed ends on the first night, so that windows close on the second.
DAYS_BEHIND = {"treatment": 60, "police": 300, "benefits": 150, "housing": 200, "custody": 90, "deaths": 400}


def reach_less_far(night: date) -> None:
    """The feeds of a night are known for less time than it would be usual."""
    with connect("admin") as connection:
        for feed, days in DAYS_BEHIND.items():
            connection.execute("update ops.delivery set coverage_end = night - %s where night = %s and feed = %s", [days, night, feed])


def link_at_random(night: date) -> None:
    """Link the records of every source table."""
    records = " union all ".join(f"select record_key, '{feed}' as feed from source.{table}" for feed, table, key in _tables() if key == "record_key")
    with connect("admin") as connection:
        _run(connection, LINK, night, "", records=sql.SQL(records))


def change(night: date, salt: int) -> None:
    """A night's change of rows and links, with a delivery of every feed."""
    with connect("admin") as connection:
        for _, table, key in _tables():
            kinds = _columns(connection, table)
            changed = [_changed(name, kind, night) for name, kind in kinds.items()]
            names = {"columns": sql.SQL(", ").join(map(sql.Identifier, kinds)), "changed": sql.SQL(", ").join(changed)}
            _run(connection, CHANGE_ROWS, night, str(salt), table=sql.Identifier("source", table), bucket_key=_bucket(key, f"rows {salt}"), **names)
        _run(connection, RELINK, night, str(salt))
        _run(connection, DELIVERED, night, str(salt))


def erase(salt: int) -> None:
    """Erase one record in forty of the benefits department: its rows and links are gone, and that they went is on record."""
    erased = sql.SQL("{} % 40 = 0").format(_bucket("record_key", f"erased {salt}"))
    tables = [table for feed, table, _ in _tables() if feed == "benefits"]
    with connect("admin") as connection:
        connection.execute(
            sql.SQL(
                "insert into ops.erasure (feed, record_key, reason, requested_on, requested_by, finished_at)"
                " select 'benefits', record_key, 'erasure request', date '2026-10-31', 'test', clock_timestamp() from source.benefits__claimants where {}"
            ).format(erased)
        )
        for table in [*(sql.Identifier("source", name) for name in tables), sql.Identifier("linkage", "person_link")]:
            connection.execute(sql.SQL("delete from {} where record_key in (select record_key from ops.erasure)").format(table))


def take_links_back(night: date) -> None:
    """Half of the links that a night changed are as they were before it."""
    with connect("admin") as connection:
        _run(connection, TAKE_BACK, night, "")


def rewrite(night: date) -> None:
    """The delivery of a night is replaced by one without half of its changes."""
    with connect("admin") as connection:
        for _, table, _ in _tables():
            _run(connection, REWRITE, night, "", table=sql.Identifier("source", table))
        connection.execute("update ops.delivery set finished_at = clock_timestamp() where night = %s", [night])


def _run(connection: Connection[Any], statement: str, night: date, salt: str, **names: sql.Composable) -> None:
    buckets = {
        "bucket_record": _bucket("record_key", "record"),
        "bucket_row": _bucket("row_key", "row"),
        "family": _bucket("record_key", "family", 400),
        "bucket_balanced": _bucket("record_key", "balanced"),
        "bucket_strict": _bucket("record_key", "strict"),
        "bucket_person": _bucket("person_id", "person"),
        "bucket_i": _bucket("i", salt),
        "bucket_s": _bucket("s", salt),
    }
    connection.execute(sql.SQL(statement).format(**{**buckets, "night": sql.Literal(night), "salt": sql.Literal(salt), **names}))


def _bucket(key: str, salt: str, buckets: int = 100) -> sql.Composable:
    """A number below `buckets` that stands for a key."""
    number = sql.SQL("(('x' || left(md5({}::text || {}), 7))::bit(28)::int % {})")
    return number.format(sql.Identifier(key), sql.Literal(salt), sql.Literal(buckets))


def _changed(name: str, kind: str, night: date) -> sql.Composable:
    """The value of a column in the changed version of a row: dates move by forty days."""
    if name == "_valid_from":
        return sql.Literal(night)
    return sql.SQL("{} + 40" if kind == "date" and name != "_valid_to" else "{}").format(sql.Identifier(name))


def _tables() -> list[tuple[str, str, str]]:
    """Feed, source table and the key by which its rows belong together."""
    return [
        (contract.feed, table.relation, "record_key" if "record_key" in table.keys else "case_key")
        for contract in all_contracts()
        for table in contract.tables.values()
    ]


def _columns(connection: Connection[Any], table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns where table_schema = 'source' and table_name = %s order by ordinal_position", [table]
    ).fetchall()
    return dict(rows)
