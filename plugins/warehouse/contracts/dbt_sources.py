"""The dbt source of a feed, written from its contract: tables, column descriptions and tests on keys and required columns.

Codes, patterns and ranges were checked row by row when the delivery was admitted, so dbt does not check them again. What
models rest on is: every key is there, a current row occurs once, and a required column is filled.
"""

from __future__ import annotations

from typing import Any

import yaml

from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import HISTORY_COLUMNS, ZoneColumn, source_columns

HEADER = """\
# Generated from expectations/*/{feed}.yaml: do not edit; run `warehouse contracts build`.
"""
CURRENT = "_valid_to is null"


def render(contract: Contract) -> str:
    """The text of `dbt_project/models/staging/_<feed>__sources.yml`."""
    document = {"version": 2, "sources": [_source(contract)]}
    return HEADER.format(feed=contract.feed) + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=140)


def _source(contract: Contract) -> dict[str, Any]:
    return {
        "name": contract.feed,
        "schema": "source",
        "description": f"{contract.title}. {contract.description.strip()} Contract: docs/dictionary/{contract.feed}.md",
        "config": {"meta": {"owner": contract.owner}},
        "tables": [_table(contract, table) for table in contract.tables.values()],
    }


def _table(contract: Contract, table: Table) -> dict[str, Any]:
    columns = [_column(contract, table, column) for column in source_columns(table)]
    history = [{"name": name, "description": description, "data_type": sql_type} for name, sql_type, description in HISTORY_COLUMNS]
    return {
        "name": table.relation,
        "description": f"{table.grain[0].upper()}{table.grain[1:]}, with its history: the current version has no _valid_to",
        "config": {"meta": {"grain": table.grain}},
        "columns": columns + history,
    }


def _column(contract: Contract, table: Table, column: ZoneColumn) -> dict[str, Any]:
    described: dict[str, Any] = {"name": column.name, "description": _described(contract, column), "data_type": column.sql_type}
    tests = _tests(contract, column)
    return described | {"data_tests": tests} if tests else described


def _described(contract: Contract, column: ZoneColumn) -> str:
    codes = contract.codes(column.column) if column.column else {}
    return f"{column.description} (code list {column.column.codes})" if column.column and codes else column.description


def _tests(contract: Contract, column: ZoneColumn) -> list[Any]:
    if column.column is None:
        # One current version of each row is what history means; other keys repeat.
        return ["not_null", {"unique": {"config": {"where": CURRENT}}}] if column.name == "row_key" else ["not_null"]
    if not column.column.required or column.column.severity == "warn":
        return []  # a rule that only warns admits the row without the value
    shared = _rows_with_consent(contract)
    if shared is None or (contract.consent and column.column.name in contract.consent.keep):
        return ["not_null"]
    return [{"not_null": {"config": {"where": shared}}}]


def _rows_with_consent(contract: Contract) -> str | None:
    """The SQL condition that holds for rows whose columns were all admitted; None when the feed asks no consent."""
    if contract.consent is None:
        return None
    table = next(iter(contract.tables.values()))
    column = table.column(contract.consent.column)
    return f"{column.field} is true" if column.type == "flag" else f"{column.field} is distinct from '{contract.consent.withheld}'"
