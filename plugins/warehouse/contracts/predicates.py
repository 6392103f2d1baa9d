"""The SQL of every expectation that rows can be asked, by its name: what `compile` turns rules into.

What each expectation means is said there. Functions take the arguments of their expectation. Those in `ROW` give an SQL boolean
over one typed row that is true where the row fails; those in `ACROSS` a query for the numbers of the rows that fail.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import combinations
from typing import Any, Literal

from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.load import ContractError

# Relations that the queries of rules across rows read: the rows asked, and each table's rows whether asked or not.
ASKED = "asked"


def rows_of(table: str) -> str:
    """The name by which the queries of rules across rows call a table's rows."""
    return f"rows_of_{table}"


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


ROW: dict[str, Callable[..., str]] = {
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
ACROSS: dict[str, Callable[..., str]] = {
    "expect_column_values_to_be_unique": _unique,
    "expect_compound_columns_to_be_unique": _unique_together,
    "expect_spells_not_to_overlap": _spells,
    "expect_key_to_exist": _exists,
}
