"""The source tables and links of a large population, made set by set in Postgres: a small population, admitted and linked the
real way, and as many copies of it as are wanted, with keys and person ids of their own. And a night on which a part of it changes.

A key of copy n is the md5 of the key and n. Who changes is told by the person's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from warehouse.admit import stage as admission
from warehouse.contracts import ddl
from warehouse.contracts.load import all_contracts, feeds
from warehouse.database import connect
from warehouse.database.setup import prepare
from warehouse.link import stage as linkage
from warehouse.receive.stage import receive
from warehouse.synth.generate import FIRST_NIGHT, generate

# Of 10,000 persons: those whose rows are delivered anew on the next night, and those whose records go to another person.
CHANGED, MERGED = 95, 5
BUCKET = "('x' || left(md5(person_id::text), 7))::bit(28)::int % 10000"

MOVED_ON = """
insert into ops.delivery (feed, night, content_hash, status, coverage_end, finished_at)
select feed, {night}, content_hash || ' next', status, coverage_end + 1, now() from ops.delivery where night = {before} and status = 'admitted';
insert into ops.night_feed
select {night}, feed, delivery_id, last_night, coverage_end + 1, due_on, is_stale, reason from ops.night_feed where night = {before}
"""
WHO_CHANGES = """
create temp table changing on commit drop as
select l.record_key from linkage.person_link as l where l.certainty = 'balanced' and l._valid_to is null and {changes};
analyze changing
"""
# The night's change of one source table: every row of the persons who change ends, and comes again a day later than it was.
ROWS_CHANGE = """
create temp table fresh on commit drop as select * from {table} where record_key in (select record_key from changing) and _valid_to is null;
update {table} set _valid_to = {night} where record_key in (select record_key from changing) and _valid_to is null;
insert into {table} ({columns}) select {values} from fresh;
drop table fresh
"""
# All records of an inclusive person go to the inclusive person next to it, and to one balanced person of that; as linkage writes it.
LINKS_CHANGE = """
create temp table merging on commit drop as
select person_id, into_id
from (select person_id, lead(person_id) over (order by person_id) as into_id from linkage.person where certainty = 'inclusive') as p
where {merges} and into_id is not null;
delete from merging where into_id in (select person_id from merging);
create temp table target on commit drop as
select distinct on (i.person_id) i.person_id as into_id, b.person_id as balanced_id
from linkage.person_link as i inner join linkage.person_link as b using (record_key)
where i.person_id in (select into_id from merging) and i._valid_to is null and b._valid_to is null and b.certainty = 'balanced';
create temp table moving on commit drop as
select o.record_key, o.feed, o.certainty, case o.certainty when 'inclusive' then t.into_id else t.balanced_id end as into_id
from merging as m
inner join target as t using (into_id)
inner join linkage.person_link as l on l.person_id = m.person_id and l._valid_to is null
inner join linkage.person_link as o on o.record_key = l.record_key and o._valid_to is null and o.certainty <> 'strict';
update linkage.person_link as l set _valid_to = {night} from moving as m
where l.record_key = m.record_key and l.certainty = m.certainty and l._valid_to is null;
insert into linkage.person_link (record_key, feed, person_id, _valid_from, certainty) select record_key, feed, into_id, {night}, certainty from moving
"""
LINK_KEYS = """
alter table linkage.person_link add constraint person_link_key primary key (record_key, certainty, _valid_from);
create unique index person_link_current on linkage.person_link (record_key, certainty) where _valid_to is null
"""


def make_base(inbox: Path, people: int) -> int:
    """Generate a population and admit and link its first night; how many balanced persons it has."""
    prepare()
    generate(inbox, people, 1, seed=11)
    for feed in feeds():
        delivery = receive(feed, inbox / "inbox" / FIRST_NIGHT.isoformat(), FIRST_NIGHT)
        if delivery is not None:
            for step in (admission.load, admission.check, admission.admit):
                step(delivery)
    linkage.link(FIRST_NIGHT)
    return persons()


def persons() -> int:
    """The balanced persons with a current link."""
    with connect("admin") as connection:
        row = connection.execute("select count(distinct person_id) from linkage.person_link where certainty = 'balanced' and _valid_to is null").fetchone()
    return int(row[0]) if row else 0


def rows() -> dict[str, int]:
    """The rows of every source table and of the links, by the statistics."""
    with connect("admin") as connection:
        counted = connection.execute(
            "select relname, reltuples::bigint from pg_class"
            " where relkind = 'r' and (relnamespace = 'source'::regnamespace or oid = 'linkage.person_link'::regclass) order by 2 desc"
        )
        return dict(counted.fetchall())


def multiply(copies: int) -> None:
    """Add copies of every source row, link and person, so that there are `copies` times as many."""
    with connect("admin") as connection, _without_link_keys(connection):
        for contract in all_contracts():
            for table in contract.tables.values():
                ddl.drop_index(table, "source", connection)
                _copy(connection, "source", table.relation, copies)
                ddl.create_index(contract, table, "source", connection)
        _copy(connection, "linkage", "person", copies)
        _copy(connection, "linkage", "person_link", copies)
    vacuum()


def change(night: date, number: int) -> None:
    """Let a night bring a change: one person in a hundred, nineteen in twenty of them by rows, the others by being merged with another.

    Args:
        number: the number of the change, from 1; each changes others.
    """
    start = (number - 1) * (CHANGED + MERGED)
    names = {
        "before": sql.Literal(night - timedelta(days=1)),
        "night": sql.Literal(night),
        "changes": sql.SQL(f"{BUCKET} >= {start} and {BUCKET} < {start + CHANGED}"),
        "merges": sql.SQL(f"{BUCKET} >= {start + CHANGED} and {BUCKET} < {start + CHANGED + MERGED}"),
    }
    with connect("admin") as connection:
        connection.execute(sql.SQL(WHO_CHANGES).format(**names))
        for contract in all_contracts():
            for table in contract.tables.values():
                if "record_key" in table.keys:
                    columns = _columns(connection, "source", table.relation)
                    connection.execute(
                        sql.SQL(ROWS_CHANGE).format(
                            table=sql.Identifier("source", table.relation),
                            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                            values=sql.SQL(", ").join(_moved(name, kind, night) for name, kind in columns.items()),
                            **names,
                        )
                    )
        connection.execute(sql.SQL(LINKS_CHANGE).format(**names))
        connection.execute(sql.SQL(MOVED_ON).format(**names))


def vacuum() -> None:
    """Bring statistics and visibility up to date, as autovacuum does in the hours between two nights."""
    with connect("admin", autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


def _moved(name: str, kind: str, night: date) -> sql.Composable:
    """The value of a column in the version that the next night brings."""
    if name == "_valid_from":
        return sql.Literal(night)
    if name == "_valid_to" or kind != "date":
        return sql.Identifier(name)
    return sql.SQL("{} + 1").format(sql.Identifier(name))


def _copy(connection: Connection[Any], schema: str, table: str, copies: int) -> None:
    """Add copies 2 to `copies` of the rows of a table; every key of theirs is a new one, except the hash of a row's content."""
    columns = _columns(connection, schema, table)
    values = [
        sql.SQL("md5({} || ' ' || copy)::uuid").format(sql.Identifier(name)) if kind == "uuid" and name != "_row_hash" else sql.Identifier(name)
        for name, kind in columns.items()
    ]
    connection.execute(
        sql.SQL("insert into {table} ({columns}) select {values} from {table} cross join generate_series(2, {copies}) as copy").format(
            table=sql.Identifier(schema, table),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(values),
            copies=sql.Literal(copies),
        )
    )


def _columns(connection: Connection[Any], schema: str, table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns where table_schema = %s and table_name = %s order by ordinal_position", [schema, table]
    ).fetchall()
    return dict(rows)


@contextmanager
def _without_link_keys(connection: Connection[Any]) -> Iterator[None]:
    """The keys of the links are made after the rows, which takes a fraction of the time."""
    connection.execute("alter table linkage.person_link drop constraint person_link_key")
    connection.execute("drop index linkage.person_link_current")
    yield
    connection.execute(LINK_KEYS)
