"""Turn a rule, named as a Great Expectations expectation with its arguments, into DuckDB SQL that finds the rows breaking it.

All rules about rows are asked in one pass while a delivery is read (`admit.violations`); Great Expectations then owns and
reports each verdict over the violations found (`admit.checks`). A rule that cannot be compiled is an error of the suite: it
would otherwise be read by people and asked of nobody.

Columns are those of the typed rows: lower-case names, with `<column>__unparsed` set where text was there but could not be
read as the column's type, the markers `_complete`, `_duplicate_key` and `_repeated_row`, and
`night`, the night of the delivery. A row fails when the condition
below is false; where the value is missing, the row passes, unless the rule is about missing values. `mostly` is not known: how
many rows may fail stands in the thresholds.

**One column** (`column`): `expect_column_values_to_not_be_null`, `..._to_be_null`, `..._to_be_in_set` and
`..._to_not_be_in_set` (`value_set`), `..._to_match_regex` and `..._to_not_match_regex` (`regex`, found anywhere in the text),
`..._to_match_regex_list` (`regex_list`, `match_on`), `..._to_be_between` (`min_value`, `max_value`, `strict_min`,
`strict_max`), `expect_column_value_lengths_to_be_between` and `..._to_equal` (`value`).

**Several columns of a row**: `expect_column_pair_values_a_to_be_greater_than_b` (`column_A`, `column_B`, `or_equal`),
`expect_column_pair_values_to_be_equal`, `expect_column_pair_values_to_be_in_set` (`value_pairs_set`),
`expect_multicolumn_sum_to_equal` (`column_list`, `sum_total`), `expect_select_column_values_to_be_unique_within_record`
(`column_list`). `ignore_row_if` is what Great Expectations understands by it: by default a row is left out only
when all its values are missing, and one that lacks some of them fails; `either_value_is_missing` (pairs) and
`any_value_is_missing` leave out every row that lacks one.

**Our own**, for rules of the business:

- `expect_rows_to_meet` (`condition`, optionally `column`): `condition` is an SQL boolean in DuckDB over the table's columns. A
  row fails when it is false and passes when it is null, so missing values need no mention. `column` names the column the
  agency should look at first.
- `expect_spells_not_to_overlap` (`within`: list of columns, `start`, `end`): no two rows with the same values in
  `within` may overlap in time. Rows that lack the first of these columns are not asked; of the others a missing value is a
  value of its own. Only the row that starts later fails (of two that start together, the later in the file), so
  that the spell which was there first is kept. A missing end is a spell still open. Sharing one day is not an overlap: a
  spell may start on the day another ends. Rows without a start, or that end before they start, are not asked.
- `expect_key_to_exist` (`columns`: list, `in_table`, optionally `in_columns`: their names there): the values must occur in
  another table of the same delivery, whether or not that row is itself admitted. Rows with a missing value pass. Only for
  feeds that deliver snapshots: elsewhere the other row may have come in an earlier delivery.

**Across rows** (these look at more than one row of a delivery: the last two above, and
`expect_column_values_to_be_unique` (`column`) and `expect_compound_columns_to_be_unique` (`column_list`), where every row of a
shared value fails): asked of the rows that broke no rule of severity quarantine and are no duplicates or repeats, and never
of deletions. A row that will not be admitted anyway therefore overlaps with nothing, and one fault is reported once.

**The delivery as a whole**: `expect_table_row_count_to_be_between` and everything `admit.drift` makes are asked of the
delivery's profile and not compiled here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.load import ContractError
from warehouse.contracts.model import Contract, Table

if TYPE_CHECKING:
    from warehouse.contracts.suite import Rule, TableRules

# Relations that the queries of rules across rows read: the rows asked, and each table's rows whether asked or not.
ASKED = "asked"
DUCKDB_TYPES = {"text": "VARCHAR", "code": "VARCHAR", "integer": "INTEGER", "date": "DATE", "flag": "BOOLEAN"}
MARKERS = ("_complete", "_duplicate_key", "_repeated_row")

Kind = Literal["row", "across", "duplicate", "delivery"]


@dataclass(frozen=True)
class RowCheck:
    """A rule about single rows. `broken` is an SQL boolean over one typed row: true where the rule is asked and broken."""

    rule: Rule
    broken: str


@dataclass(frozen=True)
class AcrossCheck:
    """A rule about several rows. `broken` is a query for the `_row_number` of rows that break it, over `asked` and `rows_of`."""

    rule: Rule
    broken: str


def kind(rule: Rule) -> Kind:
    """What a rule is asked of: one row, rows among each other, rows that share a key, or the delivery as a whole.

    Raises:
        ContractError: there is no such expectation.
    """
    if rule.expectation == "expect_table_row_count_to_be_between":
        return "delivery"
    if rule.kwargs.get("column") in ("_duplicate_key", "_repeated_row"):
        return "duplicate"
    if rule.expectation in _ACROSS:
        return "across"
    if rule.expectation in _ROW:
        return "row"
    raise ContractError(f"the rule {rule.code} asks for {rule.expectation}, which cannot be asked of rows; see contracts/compile.py for those that can")


def row_checks(rules: list[Rule]) -> list[RowCheck]:
    """The rules about single rows, compiled, in their order.

    Raises:
        ContractError: a rule's expectation or arguments are not known.
    """
    return [RowCheck(rule, _row_sql(rule)) for rule in rules if kind(rule) == "row"]


def across_checks(rules: list[Rule]) -> list[AcrossCheck]:
    """The rules about several rows, compiled, in their order.

    Raises:
        ContractError: a rule's expectation or arguments are not known.
    """
    return [AcrossCheck(rule, _called(_ACROSS[rule.expectation], rule)) for rule in rules if kind(rule) == "across"]


def rows_of(table: str) -> str:
    """The name by which the queries of rules across rows call a table's rows."""
    return f"rows_of_{table}"


def check(contract: Contract, built: list[TableRules]) -> None:
    """Raise for rules that cannot be compiled, or whose SQL does not fit the table's columns and their types.

    Raises:
        ContractError: names table and rule, and what DuckDB says of the statement (it holds no data).
    """
    import duckdb

    with duckdb.connect() as session:
        for table in contract.tables.values():
            session.execute(f"create table {quoted(rows_of(table.name))} ({_layout(table)})")
        for rules in built:
            session.execute(f"create or replace view {ASKED} as from {quoted(rows_of(rules.table.name))}")
            for rule in rules.rules:
                try:
                    _check_snapshot(contract, rule)
                    for statement in _statements(rule):
                        session.execute(f"explain {statement}").fetchall()
                except duckdb.Error as error:
                    reason = str(error).split("\n")[0]
                    raise ContractError(f"{contract.feed}.{rules.table.name}: the rule {rule.code} does not fit the table: {reason}") from None
                except ContractError as error:
                    raise ContractError(f"{contract.feed}.{rules.table.name}: {error}") from None


def _layout(table: Table) -> str:
    columns = [f"{quoted(c.field)} {DUCKDB_TYPES[c.type]}" for c in table.columns]
    columns += [f"{quoted(c.field + '__unparsed')} TINYINT" for c in table.columns if DUCKDB_TYPES[c.type] != "VARCHAR"]
    return ", ".join(["_row_number BIGINT", "night DATE", *(f"{marker} TINYINT" for marker in MARKERS), *columns])


def _statements(rule: Rule) -> list[str]:
    found = [f"select {check.broken} from {ASKED}" for check in row_checks([rule])]
    return found + [check.broken for check in across_checks([rule])]


def _check_snapshot(contract: Contract, rule: Rule) -> None:
    if rule.expectation == "expect_key_to_exist" and contract.delivery.kind != "snapshot":
        raise ContractError(f"the rule {rule.code} asks for rows of another table, which may have come in an earlier delivery: only snapshots can be asked")


def _row_sql(rule: Rule) -> str:
    asked = [f"{quoted(marker)} is not null" for marker in rule.where_set] + [f"{quoted(marker)} is null" for marker in rule.where_unset]
    return " and ".join([*asked, f"({_called(_ROW[rule.expectation], rule)})"])


def _called(compiled: Callable[..., str], rule: Rule) -> str:
    """The SQL of a rule, from the function that compiles its expectation."""
    try:
        inspect.signature(compiled).bind(**rule.kwargs)
    except TypeError as error:
        raise ContractError(f"the rule {rule.code} does not fit {rule.expectation}: {error}") from None
    return compiled(**rule.kwargs)


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "null"
    if isinstance(value, date):
        return f"date {literal(value.isoformat())}"
    return literal(value) if isinstance(value, str) else repr(value)


def _values(values: list[Any]) -> str:
    return f"[{', '.join(_value(value) for value in values)}]"


def _filled(columns: list[str]) -> str:
    return " and ".join(f"{quoted(column)} is not null" for column in columns)


# One column. Each function takes the arguments of its expectation and gives the SQL boolean that is true for a failing row.


def _not_null(column: str) -> str:
    return f"{quoted(column)} is null"


def _null(column: str) -> str:
    return f"{quoted(column)} is not null"


def _in_set(column: str, value_set: list[Any]) -> str:
    # list_contains rather than IN: DuckDB turns an IN of more than a few values into a join.
    return f"{quoted(column)} is not null and not list_contains({_values(value_set)}, {quoted(column)})"


def _not_in_set(column: str, value_set: list[Any]) -> str:
    return f"{quoted(column)} is not null and list_contains({_values(value_set)}, {quoted(column)})"


def _matches(column: str, regex: str) -> str:
    return f"regexp_matches({quoted(column)}, {literal(regex)})"


def _match(column: str, regex: str) -> str:
    return f"{quoted(column)} is not null and not {_matches(column, regex)}"


def _not_match(column: str, regex: str) -> str:
    return f"{quoted(column)} is not null and {_matches(column, regex)}"


def _match_list(column: str, regex_list: list[str], match_on: Literal["any", "all"] = "any") -> str:
    matched = (" or " if match_on == "any" else " and ").join(_matches(column, regex) for regex in regex_list)
    return f"{quoted(column)} is not null and not ({matched})"


def _outside(value: str, min_value: Any, max_value: Any, strict_min: bool, strict_max: bool) -> str:
    bounds = []
    if min_value is not None:
        bounds.append(f"{value} {'<=' if strict_min else '<'} {_value(min_value)}")
    if max_value is not None:
        bounds.append(f"{value} {'>=' if strict_max else '>'} {_value(max_value)}")
    return " or ".join(bounds) or "false"


def _between(column: str, min_value: Any = None, max_value: Any = None, strict_min: bool = False, strict_max: bool = False) -> str:
    return f"{quoted(column)} is not null and ({_outside(quoted(column), min_value, max_value, strict_min, strict_max)})"


def _length_between(column: str, min_value: int | None = None, max_value: int | None = None, strict_min: bool = False, strict_max: bool = False) -> str:
    return f"{quoted(column)} is not null and ({_outside(f'length({quoted(column)})', min_value, max_value, strict_min, strict_max)})"


def _length_equal(column: str, value: int) -> str:
    return f"{quoted(column)} is not null and length({quoted(column)}) <> {_value(value)}"


# Several columns of a row.


def _unless_ignored(columns: list[str], ignore_row_if: str, holds: str) -> str:
    """True where a row is asked, as Great Expectations understands `ignore_row_if`, and the condition does not hold."""
    asked = {
        "both_values_are_missing": " or ".join(f"{quoted(column)} is not null" for column in columns),
        "all_values_are_missing": " or ".join(f"{quoted(column)} is not null" for column in columns),
        "either_value_is_missing": _filled(columns),
        "any_value_is_missing": _filled(columns),
        "neither": "true",
        "never": "true",
    }
    if ignore_row_if not in asked:
        raise ContractError(f"ignore_row_if must be one of {', '.join(asked)}")
    return f"({asked[ignore_row_if]}) and not coalesce({holds}, false)"


def _greater(column_A: str, column_B: str, or_equal: bool = False, ignore_row_if: str = "both_values_are_missing") -> str:
    holds = f"{quoted(column_A)} {'>=' if or_equal else '>'} {quoted(column_B)}"
    return _unless_ignored([column_A, column_B], ignore_row_if, holds)


def _equal(column_A: str, column_B: str, ignore_row_if: str = "both_values_are_missing") -> str:
    return _unless_ignored([column_A, column_B], ignore_row_if, f"{quoted(column_A)} = {quoted(column_B)}")


def _pair_in_set(column_A: str, column_B: str, value_pairs_set: list[list[Any]], ignore_row_if: str = "both_values_are_missing") -> str:
    pairs = [f"({quoted(column_A)} = {_value(a)} and {quoted(column_B)} = {_value(b)})" for a, b in value_pairs_set]
    return _unless_ignored([column_A, column_B], ignore_row_if, f"({' or '.join(pairs)})")


def _sum(column_list: list[str], sum_total: float, ignore_row_if: str = "all_values_are_missing") -> str:
    return _unless_ignored(column_list, ignore_row_if, f"{' + '.join(quoted(column) for column in column_list)} = {_value(sum_total)}")


def _distinct(column_list: list[str], ignore_row_if: str = "all_values_are_missing") -> str:
    same = " or ".join(f"coalesce({quoted(a)} = {quoted(b)}, false)" for a, b in combinations(column_list, 2))
    return _unless_ignored(column_list, ignore_row_if, f"not ({same})")


def _meet(condition: str, column: str | None = None) -> str:
    return f"not ({condition})"


# Several rows. Each function gives a query for the numbers of the failing rows.


def _unique(column: str) -> str:
    return _unique_together([column])


def _unique_together(column_list: list[str]) -> str:
    shared = f"count(*) over (partition by {', '.join(quoted(column) for column in column_list)})"
    return f"select _row_number from (select _row_number, {shared} as sharing from {ASKED} where {_filled(column_list)}) where sharing > 1"


def _spells(within: list[str], start: str, end: str) -> str:
    first, last = quoted(start), f"coalesce({quoted(end)}, date 'infinity')"
    earlier = f"partition by {', '.join(quoted(column) for column in within)} order by {first}, _row_number rows between unbounded preceding and 1 preceding"
    return f"""
        select _row_number from (
            select _row_number, {first} as begun, max({last}) over ({earlier}) as taken_until
            from {ASKED} where {_filled([within[0], start])} and {last} >= {first}
        )
        where begun < taken_until
    """


def _exists(columns: list[str], in_table: str, in_columns: list[str] | None = None) -> str:
    if len(columns) != len(in_columns or columns):
        raise ContractError("expect_key_to_exist needs as many in_columns as columns")
    same = " and ".join(f"known.{quoted(there)} = {ASKED}.{quoted(here)}" for here, there in zip(columns, in_columns or columns, strict=True))
    return f"""
        select _row_number from {ASKED}
        where {_filled(columns)} and not exists (select 1 from {quoted(rows_of(in_table))} as known where {same})
    """


_ROW: dict[str, Callable[..., str]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_match_regex": _match,
    "expect_column_values_to_not_match_regex": _not_match,
    "expect_column_values_to_match_regex_list": _match_list,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _length_between,
    "expect_column_value_lengths_to_equal": _length_equal,
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
    "expect_column_pair_values_to_be_equal": _equal,
    "expect_column_pair_values_to_be_in_set": _pair_in_set,
    "expect_multicolumn_sum_to_equal": _sum,
    "expect_select_column_values_to_be_unique_within_record": _distinct,
    "expect_rows_to_meet": _meet,
}
_ACROSS: dict[str, Callable[..., str]] = {
    "expect_column_values_to_be_unique": _unique,
    "expect_compound_columns_to_be_unique": _unique_together,
    "expect_spells_not_to_overlap": _spells,
    "expect_key_to_exist": _exists,
}
