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
from typing import TYPE_CHECKING, Literal

from warehouse.contracts.ddl import quoted
from warehouse.contracts.load import ContractError
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.predicates import ACROSS, ASKED, ROW, rows_of

if TYPE_CHECKING:
    from warehouse.contracts.suite import Rule, TableRules

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
    if rule.expectation in ACROSS:
        return "across"
    if rule.expectation in ROW:
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
    return [AcrossCheck(rule, _called(ACROSS[rule.expectation], rule)) for rule in rules if kind(rule) == "across"]


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
    found = [f"select {check.broken} from (select * exclude (_row_number) from {ASKED})" for check in row_checks([rule])]
    return found + [check.broken for check in across_checks([rule])]


def _check_snapshot(contract: Contract, rule: Rule) -> None:
    if rule.expectation == "expect_key_to_exist" and contract.delivery.kind != "snapshot":
        raise ContractError(f"the rule {rule.code} asks for rows of another table, which may have come in an earlier delivery: only snapshots can be asked")


def _row_sql(rule: Rule) -> str:
    asked = [f"{quoted(marker)} is not null" for marker in rule.where_set] + [f"{quoted(marker)} is null" for marker in rule.where_unset]
    return " and ".join([*asked, f"({_called(ROW[rule.expectation], rule)})"])


def _called(compiled: Callable[..., str], rule: Rule) -> str:
    """The SQL of a rule, from the function that compiles its expectation."""
    try:
        inspect.signature(compiled).bind(**rule.kwargs)
    except TypeError as error:
        raise ContractError(f"the rule {rule.code} does not fit {rule.expectation}: {error}") from None
    return compiled(**rule.kwargs)
