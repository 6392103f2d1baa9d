"""What the marts say of the people of the histories."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import sql
from tests.histories.read import Expectation, History

from warehouse.contracts.load import all_contracts
from warehouse.contracts.zones import vault_grain
from warehouse.database import connect

Persons = dict[int, set[UUID]]


def persons_of(records: dict[tuple[str, str], int]) -> Persons:
    """The persons that linkage made of each history's records, at the certainty that is modelled.

    Args:
        records: the agency's id of each record, by feed, with its history.
    """
    found: Persons = {number: set() for number in records.values()}
    with connect("admin") as connection:
        for contract in all_contracts():
            for table in contract.tables.values():
                if vault_grain(contract, table) == "record":
                    query = sql.SQL(
                        "select distinct concat_ws('|', {keys}), person_id from {table} inner join linkage.person_link using (record_key)"
                        " where certainty = 'balanced' and person_link._valid_to is null"
                    ).format(
                        keys=sql.SQL(", ").join(sql.Identifier(column.field) for column in table.key_columns("record_key")),
                        table=sql.Identifier("vault", table.relation),
                    )
                    for agency_id, person_id in connection.execute(query).fetchall():
                        if (number := records.get((contract.feed, agency_id))) is not None:
                            found[number].add(person_id)
    return found


def disagreements(wanted: Expectation, persons: set[UUID], schema: str) -> list[str]:
    """What a mart says otherwise than a history expects; empty when they agree."""
    rows = _rows(wanted, persons, schema)
    place = f"{wanted.mart}{_told(wanted.of)}"
    if len(rows) != (1 if wanted.rows is None else wanted.rows):
        return [f"{place}: {len(rows)} rows, not {1 if wanted.rows is None else wanted.rows}"]
    if wanted.rows is not None:
        return []
    (row,) = rows
    return [f"{place}: {column} is {row[column]}, not {value}" for column, value in wanted.shows.items() if row[column] != value]


def why(history: History, found: list[str]) -> str:
    """The message of a test that fails: the history, its reason, and what the marts say instead."""
    return "\n".join([f"{history.name} - {history.title}", f"  because: {history.why}", *(f"  {line}" for line in found)])


def _rows(wanted: Expectation, persons: set[UUID], schema: str) -> list[dict[str, Any]]:
    """The rows of the persons that `of` picks, every value that is asked for as text."""
    shown = [sql.SQL("coalesce({}::text, 'none')").format(sql.Identifier(column)) for column in wanted.shows] or [sql.SQL("1")]
    picked = sql.SQL("").join(sql.SQL(" and {}::text = {}").format(sql.Identifier(column), sql.Literal(value)) for column, value in wanted.of.items())
    table = sql.Identifier("intermediate" if wanted.mart.startswith("int_") else schema, wanted.mart)
    query = sql.SQL("select {} from {} where person_id = any(%s){}").format(sql.SQL(", ").join(shown), table, picked)
    with connect("admin") as connection:
        return [dict(zip(wanted.shows, row, strict=False)) for row in connection.execute(query, [list(persons)]).fetchall()]


def _told(of: dict[str, str]) -> str:
    return f" where {', '.join(f'{column} is {value}' for column, value in of.items())}" if of else ""
