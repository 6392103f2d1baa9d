"""The rows to correct, from a delivery's checkpoint: `answer.csv`, and the first rows of each rule for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from warehouse.admit.answer.facts import Failed
from warehouse.admit.duck import duckdb_session
from warehouse.contracts.ddl import literal
from warehouse.contracts.model import Contract, Severity

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FIRST_ROWS = 10
NO_ROWS = (
    "select null::varchar as table_name, null::bigint as row_number, null::varchar as record_id, null::varchar as rule,"
    " null::varchar as severity, null::varchar as column_name, null::blob as record_key limit 0"
)


@dataclass(frozen=True)
class RowRule:
    """A rule that rows of a table broke: how many did, and the first of them as (row number, the agency's own ids)."""

    table: str
    rule: str
    severity: Severity
    column: str | None
    rows: int
    first: list[tuple[int, str]]


@dataclass(frozen=True)
class Listing:
    """What the list holds: the rules that rows broke, and the failed checks about the delivery as a whole."""

    rules: list[RowRule]
    whole: list[Failed]


@dataclass(frozen=True)
class Limits:
    """How many rows of each rule are listed; None for all of them."""

    quarantined: int | None
    warned: int


def write(
    path: Path,
    contract: Contract,
    violations: Mapping[str, list[Path]],
    failed: Sequence[Failed],
    messages: Mapping[tuple[str, str], str],
    limits: Limits,
    erased: Sequence[UUID],
) -> Listing:
    """Write `answer.csv`, and tell what is in it.

    The file holds first what is about the delivery as a whole, then a line for each row and rule it broke, in the order of
    the tables and rows, and at the end a note for each rule of which not every row is listed.

    Args:
        path: the CSV to write.
        violations: by table, the checkpoint's files of rows and rules.
        failed: every check that failed; those that rows broke are told by their rows.
        messages: what each rule says, by table and rule.
        erased: keys of records that must not be repeated.

    Raises:
        AdmitFault: the checkpoint could not be read or the file not written.
    """
    with duckdb_session(path.parent / ".spill", "list the rows to correct") as session:
        _broken(session, violations, erased)
        of_rows = set(session.execute("select distinct table_name, rule from every_one").fetchall())
        whole = [check for check in failed if (check.table, check.rule) not in of_rows]
        _words(session, contract, whole, messages)
        rules = _by_rule(session)
        # A rule keeps its severity in all its rows, so the limit of a line is that of its rule.
        most = f"case severity when 'quarantine' then {limits.quarantined if limits.quarantined is not None else 'null'} else {limits.warned} end"
        session.execute(
            f"""
            copy (
                with placed as (
                    select *, row_number() over (partition by table_name, rule order by row_number) as place, {most} as most from broken
                ),
                listed as (select * from placed where most is null or place <= most),
                lines as (
                    select 0 as part, place as table_place, table_name, null as row_number, null as record_id, rule, severity, column_name, message from said
                    union all
                    select 1, t.place, table_name, row_number, record_id, rule, severity, column_name, m.message
                    from listed join tables as t using (table_name) left join messages as m using (table_name, rule)
                    union all
                    select 2, t.place, table_name, null, null, rule, severity, column_name,
                        format('{{:,}} more rows break this rule and are not listed', rows - most)
                    from (select table_name, rule, severity, column_name, count(*) as rows, any_value({most}) as most from broken group by all)
                    join tables as t using (table_name)
                    where rows > most
                )
                select table_name as "table", row_number, record_id, rule, severity, coalesce(c.name, column_name) as "column", message
                from lines left join columns as c using (table_name, column_name)
                order by part, table_place, row_number, rule
            ) to {literal(str(path))} (format csv, header, delimiter ',')
            """
        )
    return Listing(rules, whole)


def _broken(session: DuckDBPyConnection, violations: Mapping[str, list[Path]], erased: Sequence[UUID]) -> None:
    """`every_one`: a line for each row and rule it broke; `broken`: the same without the rows of erased records."""
    parts = [
        f"select {literal(table)} as table_name, _row_number as row_number, record_id, rule, severity, column_name, record_key"
        f" from read_parquet([{', '.join(literal(str(path)) for path in paths)}])"
        for table, paths in violations.items()
        if paths
    ]
    session.execute(f"create view every_one as {' union all '.join(parts) or NO_ROWS}")
    ((_, kind, *_),) = session.execute("describe select record_key from every_one").fetchall()
    _table(session, f"erased (record_key {kind})", [(key.bytes if kind == "BLOB" else key,) for key in erased])
    session.execute("create view broken as select * exclude record_key from every_one anti join erased using (record_key)")


def _words(session: DuckDBPyConnection, contract: Contract, whole: Sequence[Failed], messages: Mapping[tuple[str, str], str]) -> None:
    """The names and words that go with the rows."""
    _table(session, "tables (table_name varchar, place integer)", [(name, place) for place, name in enumerate(contract.tables)])
    names = [(table.name, column.field, column.name) for table in contract.tables.values() for column in table.columns]
    _table(session, "columns (table_name varchar, column_name varchar, name varchar)", names)
    _table(session, "messages (table_name varchar, rule varchar, message varchar)", [(*key, message) for key, message in messages.items()])
    said = [(place, check.table or None, check.rule, check.severity, check.column, check.message) for place, check in enumerate(whole)]
    _table(session, "said (place integer, table_name varchar, rule varchar, severity varchar, column_name varchar, message varchar)", said)


def _table(session: DuckDBPyConnection, definition: str, rows: Sequence[tuple[object, ...]]) -> None:
    session.execute(f"create table {definition}")
    if rows:
        session.executemany(f"insert into {definition.split(' ')[0]} values ({', '.join('?' * len(rows[0]))})", rows)


def _by_rule(session: DuckDBPyConnection) -> list[RowRule]:
    found = session.execute(
        f"""
        select table_name, rule, severity, column_name, count(*), min(row_number, {FIRST_ROWS}), arg_min(coalesce(record_id, ''), row_number, {FIRST_ROWS})
        from broken join tables using (table_name)
        group by table_name, place, rule, severity, column_name
        order by severity, place, count(*) desc, rule
        """
    ).fetchall()
    return [RowRule(table, rule, severity, column, rows, list(zip(numbers, ids, strict=True))) for table, rule, severity, column, rows, numbers, ids in found]
