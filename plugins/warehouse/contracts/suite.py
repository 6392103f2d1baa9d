"""The checks of a feed table: rules built from its contract, followed by the rules of its suite file.

Rules are data, named as Great Expectations names them; `compile` turns them into SQL, `admit.checks` has Great Expectations
judge what that found, the data dictionary prints them. Columns are those of the typed rows: lower-case names,
`<column>__unparsed` set where text was there but could not be read as the column's type.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from warehouse.contracts import compile, thresholds
from warehouse.contracts.load import load_suite
from warehouse.contracts.model import Column, Contract, Severity, Suite, Table

COMPLETE_ROW = "_complete"
DUPLICATE_KEY = "duplicate_key"
REPEATED_ROW = "repeated_row"
ROW_COUNT = "row_count"
# How Great Expectations names our three outcomes.
GX_SEVERITY = {"refuse": "critical", "quarantine": "warning", "warn": "info"}


@dataclass(frozen=True)
class Rule:
    """One check of one table.

    The rule is asked of rows where the markers in `where_set` are set and those in `where_unset` are not: a required
    column, say, of rows that must carry everything (not those of a client who withheld consent, nor deletions, which carry
    keys alone) and where the text in it could be read, since text that could not breaks another rule.
    """

    code: str
    column: str | None
    expectation: str
    kwargs: dict[str, Any]
    severity: Severity
    message: str
    reason: str = ""
    where_set: tuple[str, ...] = ()
    where_unset: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The rule as plain values, for YAML, JSON and the data dictionary."""
        kwargs = {name: value.isoformat() if isinstance(value, date) else value for name, value in self.kwargs.items()}
        document = {
            "rule": self.code,
            "expectation": self.expectation,
            "kwargs": kwargs,
            "severity": self.severity,
            "gx_severity": GX_SEVERITY[self.severity],
            "message": self.message,
        }
        if self.reason:
            document["reason"] = self.reason
        markers = [f"{marker} is set" for marker in self.where_set] + [f"{marker} is not set" for marker in self.where_unset]
        if markers:
            document["rows"] = "where " + " and ".join(markers)
        return document


@dataclass(frozen=True)
class TableRules:
    """All rules of one table, in the order they are reported."""

    table: Table
    rules: list[Rule] = field(default_factory=list)


def build(contract: Contract, suite: Suite | None = None) -> list[TableRules]:
    """The rules of every table of a feed.

    Args:
        suite: the feed's cross-column rules; read from its file when not given.

    Raises:
        ContractError: the suite file is not valid.
    """
    suite = suite if suite is not None else load_suite(contract.feed)
    return [TableRules(table, _contract_rules(contract, table) + _suite_rules(suite, table)) for table in contract.tables.values()]


def as_document(contract: Contract, suite: Suite | None = None) -> dict[str, Any]:
    """The built suite of a feed as plain values in a stable order, to be committed and compared.

    Raises:
        ContractError: the suite is not valid, or one of its rules cannot be asked of the table's rows.
    """
    built = build(contract, suite)
    compile.check(contract, built)
    return {
        "feed": contract.feed,
        "tables": {rules.table.name: {"relation": rules.table.relation, "rules": [r.document() for r in rules.rules]} for rules in built},
    }


def _contract_rules(contract: Contract, table: Table) -> list[Rule]:
    rules = _row_count(table)
    for column in table.columns:
        rules += _column_rules(contract, table, column)
    return [*rules, *_key_rules(table)]


def _row_count(table: Table) -> list[Rule]:
    """The rule on how many rows of the table may come at all, as the thresholds say; none where they ignore it."""
    limits = {"min_value": thresholds.find("min_rows", table.feed, table.name), "max_value": thresholds.find("max_rows", table.feed, table.name)}
    asked = {bound: limit for bound, limit in limits.items() if limit.severity != "ignore" and limit.value is not None}
    if not asked:
        return []
    kwargs = {bound: int(limit.value) for bound, limit in asked.items() if limit.value is not None}
    severity: Severity = "refuse" if any(limit.severity == "refuse" for limit in asked.values()) else "warn"
    words = {"min_value": "at least {:,}", "max_value": "at most {:,}"}
    told = ", ".join(words[bound].format(value) for bound, value in kwargs.items())
    message = f"The number of rows of {table.name} is not within its limits: {told}"
    return [Rule(ROW_COUNT, None, "expect_table_row_count_to_be_between", kwargs, severity, message, limits["min_value"].reason)]


def _column_rules(contract: Contract, table: Table, column: Column) -> list[Rule]:
    name = column.name
    rules: list[Rule] = []

    def rule(aspect: str, expectation: str, kwargs: dict[str, Any], message: str) -> None:
        rules.append(Rule(f"{column.field}.{aspect}", column.field, expectation, kwargs, column.severity, message))

    if column.required:
        rules.append(_required(contract, table, column))
    if column.type in _TYPE_MESSAGES:
        message = _TYPE_MESSAGES[column.type].format(name=name, date_format=contract.format.date_format)
        rule("type", "expect_column_values_to_be_null", {"column": f"{column.field}__unparsed"}, message)
    if column.type == "code":
        codes = list(contract.codes(column))
        rule("codes", "expect_column_values_to_be_in_set", {"column": column.field, "value_set": codes}, f"{name} is not in the code list {column.codes}")
    if column.pattern is not None:
        rule("pattern", "expect_column_values_to_match_regex", {"column": column.field, "regex": column.pattern}, f"{name} is not written as it should be")
    if column.min is not None or column.max is not None:
        bounds = {"min_value": column.min, "max_value": column.max}
        kwargs = {"column": column.field} | {k: v for k, v in bounds.items() if v is not None}
        rule("range", "expect_column_values_to_be_between", kwargs, f"{name} is {_range_message(column)}")
    if column.type == "date" and not column.ahead:
        condition = {"condition": f"{column.field} <= night", "column": column.field}
        rule("future", "expect_rows_to_meet", condition, f"{name} is after the night of the delivery")
    return rules


def _required(contract: Contract, table: Table, column: Column) -> Rule:
    kwargs = {"column": column.field}
    rule = Rule(f"{column.field}.required", column.field, "expect_column_values_to_not_be_null", kwargs, column.severity, f"{column.name} is missing")
    where_set = () if _always_there(contract, table, column) else (COMPLETE_ROW,)
    return replace(rule, where_set=where_set, where_unset=(f"{column.field}__unparsed",) if column.type in _TYPE_MESSAGES else ())


_TYPE_MESSAGES = {
    "date": "{name} is not a date written {date_format}",
    "integer": "{name} is not a whole number",
    "flag": "{name} is neither Y nor N",
}


def _range_message(column: Column) -> str:
    if column.max is None:
        return f"below {column.min}"
    if column.min is None:
        return f"above {column.max}"
    return f"not between {column.min} and {column.max}"


def _always_there(contract: Contract, table: Table, column: Column) -> bool:
    """Whether the column must be filled even where consent was withheld, and even in a deletion."""
    kept_without_consent = contract.consent is None or column.name in contract.consent.keep
    kept_in_deletions = table.change_type is None or column.role == "change_type" or column.name in table.keys["row_key"]
    return kept_without_consent and kept_in_deletions


def _key_rules(table: Table) -> list[Rule]:
    key = ", ".join(table.keys["row_key"])
    duplicate = Rule(
        DUPLICATE_KEY, None, "expect_column_values_to_be_null", {"column": "_duplicate_key"}, "quarantine",
        f"Several rows of {table.name} have the same {key} but differ in other columns",
    )  # fmt: skip
    repeated = Rule(
        REPEATED_ROW, None, "expect_column_values_to_be_null", {"column": "_repeated_row"}, "warn",
        f"The row of {table.name} repeats an earlier one word for word; the first is kept",
    )  # fmt: skip
    return [duplicate, repeated]


# Where a rule is about several columns, the one an agency would look at first: the later of two dates, the beginning of a spell.
COLUMN_ARGUMENTS = ("column", "column_A", "start")


def _suite_rules(suite: Suite, table: Table) -> list[Rule]:
    names = {column.field: column.name for column in table.columns}
    return [
        Rule(
            rule.rule,
            next((names.get(rule.kwargs[argument]) for argument in COLUMN_ARGUMENTS if argument in rule.kwargs), None),
            rule.expectation,
            rule.kwargs,
            rule.severity,
            rule.message,
            rule.reason,
        )
        for rule in suite.rules(table.name)
    ]
