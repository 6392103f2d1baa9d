"""What has shifted since the last deliveries: rules about a delivery as a whole, made from its profile and from theirs.

A rule asks one measure of the profile (`kwargs["of"]`, a `ProfileRow.name`) to lie within bounds that the earlier deliveries
and `expectations/thresholds.csv` set. What is compared with what:

- A delivery is held against the range of the last `history_deliveries` admitted ones, so that a change which was accepted
  once is not told again, and a quiet Sunday is not held against a Monday.
- Of a feed that delivers changes or events, the first delivery holds all history and is compared with nothing; it is left
  out while it is among the last ones.
- Shares say nothing of a few rows: only deliveries with `share_floor` complete rows are compared.

A delivery without comparable ones before it is asked only what needs no comparison.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from warehouse.admit.header import header_findings
from warehouse.admit.profile import ProfileRow, history, profile, store
from warehouse.contracts import thresholds
from warehouse.contracts.model import Column, Contract, Severity, Table
from warehouse.contracts.suite import Rule
from warehouse.contracts.thresholds import Threshold

__all__ = ["EXPECTATION", "ProfileRow", "changes", "delivery_rules", "header_findings", "history", "profile", "store"]

EXPECTATION = "expect_profile_value_to_be_between"
CODE_MIX_CHANGE = "code_mix_change"
# The codes whose share changed most that a message names.
MOST_MOVED = 3

Mix = dict[str, float]


@dataclass(frozen=True)
class _Measured:
    """A profile for looking things up: values by measure, and the share of each code by column."""

    values: dict[str, float]
    mixes: dict[str, Mix]

    @classmethod
    def of(cls, profile_rows: list[ProfileRow]) -> _Measured:
        mixes: dict[str, Mix] = {}
        for row in profile_rows:
            if row.metric == "code":
                mixes.setdefault(row.column, {})[row.item] = row.value
        return cls({row.name: row.value for row in profile_rows}, mixes)


def delivery_rules(contract: Contract, table: Table, now: list[ProfileRow], before: list[list[ProfileRow]]) -> list[Rule]:
    """The rules about a table's delivery as a whole, with the bounds that hold tonight.

    Each asks one row of `now + changes(contract, table, now, before)`, named in `kwargs["of"]`, to lie between `min_value`
    and `max_value` (a bound that is left out does not apply). The message tells the exact difference.

    Args:
        now: the profile of the delivery.
        before: those of the last admitted deliveries, the newest first.
    """
    measured = _Measured.of(now)
    comparable = _comparable(contract, table, before)
    with_shares = _with_shares(contract, table, comparable)
    rules = list(_size_rule(contract, table, measured, comparable))
    if _has_shares(contract, table, measured):
        rules += _period_rule(contract, table, measured)
        for column in table.columns:
            rules += _completeness_rule(contract, table, column, measured, with_shares)
            rules += _code_mix_rule(contract, table, column, measured, with_shares)
    for column in table.columns:
        rules += _retyped_rule(contract, table, column, measured)
        rules += _new_code_rules(contract, table, column, now)
    return rules


def changes(contract: Contract, table: Table, now: list[ProfileRow], before: list[list[ProfileRow]]) -> list[ProfileRow]:
    """The measures that compare a delivery with earlier ones, to be asked together with its own.

    One `code_mix_change` for each column of codes: the share of its values that would need another code to give the mix of
    the comparable delivery before that is most like it (half the sum of the differences between the shares of the codes:
    0 is the same mix, 1 is no code in common).
    """
    measured = _Measured.of(now)
    earlier = _with_shares(contract, table, _comparable(contract, table, before))
    if not _has_shares(contract, table, measured):
        return []
    nearest = {column: _nearest(mix, [m.mixes[column] for m in earlier if column in m.mixes]) for column, mix in measured.mixes.items()}
    return [ProfileRow(column, CODE_MIX_CHANGE, "", _distance(measured.mixes[column], mix)) for column, mix in nearest.items() if mix]


def _size_rule(contract: Contract, table: Table, now: _Measured, comparable: list[_Measured]) -> Iterator[Rule]:
    """The number of rows, against the smallest and largest of the deliveries before."""
    change = thresholds.find("row_count_change", contract.feed, table.name)
    if change.severity == "ignore" or change.value is None or not comparable:
        return
    earlier = [m.values["rows"] for m in comparable]
    # Ten times a night of three changes is still a quiet night.
    quiet = 0.0 if contract.delivery.kind == "snapshot" else thresholds.number("share_floor", contract.feed, table.name)
    least, most = math.ceil(max(0.0, min(earlier) * (1 - change.value))), math.floor(max(max(earlier) * (1 + change.value), quiet))
    had = f"{min(earlier):,.0f}" if min(earlier) == max(earlier) else f"{min(earlier):,.0f} to {max(earlier):,.0f}"
    message = f"{now.values['rows']:,.0f} rows of {table.name} came, where {_earlier(comparable)} had {had}; {least:,} to {most:,} are expected"
    yield _rule("row_count_change", None, "rows", {"min_value": least, "max_value": most}, change, message)


def _period_rule(contract: Contract, table: Table, now: _Measured) -> Iterator[Rule]:
    period = thresholds.find("wrong_period", contract.feed, table.name)
    if period.severity == "ignore" or period.value is None or "recent" not in now.values:
        return
    share = f"{now.values['recent']:,.0f} of {now.values['complete']:,.0f} rows of {table.name} hold a date in the {period.value:.0f} days up to the night"
    yield _rule("wrong_period", None, "recent", {"min_value": 1}, period, f"{share}; none would mean the file of another period")


def _completeness_rule(contract: Contract, table: Table, column: Column, now: _Measured, before: list[_Measured]) -> Iterator[Rule]:
    change = thresholds.find("completeness_change", contract.feed, table.name, column.field)
    of = f"{column.field}.filled"
    earlier = [m.values[of] for m in before if of in m.values]
    if change.severity == "ignore" or change.value is None or not earlier:
        return
    bounds = {"min_value": min(earlier) - change.value, "max_value": max(earlier) + change.value}
    had = f"{min(earlier):.1%}" if min(earlier) == max(earlier) else f"{min(earlier):.1%} to {max(earlier):.1%}"
    message = f"{column.name} is filled in {now.values[of]:.1%} of the rows, where {_earlier(before)} had it in {had}"
    yield _rule(f"{column.field}.completeness", column, of, bounds, change, message)


def _code_mix_rule(contract: Contract, table: Table, column: Column, now: _Measured, before: list[_Measured]) -> Iterator[Rule]:
    change = thresholds.find(CODE_MIX_CHANGE, contract.feed, table.name, column.field)
    mix = now.mixes.get(column.field, {})
    nearest = _nearest(mix, [m.mixes[column.field] for m in before if column.field in m.mixes])
    if change.severity == "ignore" or change.value is None or not mix or not nearest:
        return
    moved = sorted(mix | nearest, key=lambda code: abs(mix.get(code, 0.0) - nearest.get(code, 0.0)), reverse=True)[:MOST_MOVED]
    shifts = ", ".join(f"{code} {mix.get(code, 0.0):.1%} (was {nearest.get(code, 0.0):.1%})" for code in moved)
    message = f"{_distance(mix, nearest):.1%} of the values of {column.name} have another code than in the mix of before; most changed: {shifts}"
    yield _rule(f"{column.field}.code_mix", column, f"{column.field}.{CODE_MIX_CHANGE}", {"max_value": change.value}, change, message)


def _retyped_rule(contract: Contract, table: Table, column: Column, now: _Measured) -> Iterator[Rule]:
    """One finding for a column whose values are no longer of its type, beside those of its rows."""
    limit = thresholds.find("retyped_column", contract.feed, table.name, column.field)
    share, rows = now.values.get(f"{column.field}.unreadable"), now.values.get(f"{column.field}.unreadable_rows")
    if limit.severity == "ignore" or limit.value is None or share is None or rows is None:
        return
    if rows < thresholds.number("failing_floor", contract.feed, table.name):
        return
    wanted = {"date": f"dates written {contract.format.date_format}", "integer": "whole numbers", "flag": "Y or N"}.get(
        column.type, f"codes of the list {column.codes}"
    )
    looks = "looks retyped" if column.type != "code" else "looks recoded"
    message = f"{column.name} {looks}: {share:.0%} of {rows / share:,.0f} values are not {wanted}"
    yield _rule(f"{column.field}.retyped", column, f"{column.field}.unreadable", {"max_value": limit.value}, limit, message)


def _new_code_rules(contract: Contract, table: Table, column: Column, now: list[ProfileRow]) -> Iterator[Rule]:
    policy = thresholds.find("new_code", contract.feed, table.name, column.field)
    found = [row for row in now if row.metric == "new_code" and row.column == column.field]
    if policy.severity == "ignore" or not found:
        return
    told = ", ".join(f"{row.item} ({row.value:,.0f} rows)" for row in found)
    message = f"{column.name} holds {told}, which the code list {column.codes} does not have; if it is a new code, it has to be agreed"
    yield _rule(f"{column.field}.new_code", column, found[0].name, {"max_value": 0}, policy, message)


def _rule(code: str, column: Column | None, of: str, bounds: dict[str, float], threshold: Threshold, message: str) -> Rule:
    kwargs = {"of": of, **bounds}
    return Rule(code, column.field if column else None, EXPECTATION, kwargs, cast(Severity, threshold.severity), message, threshold.reason)


def _comparable(contract: Contract, table: Table, before: list[list[ProfileRow]]) -> list[_Measured]:
    """The deliveries to compare with: of a feed of changes not the first one, which holds all history."""
    wanted = int(thresholds.number("history_deliveries", contract.feed, table.name))
    holds_history = contract.delivery.kind != "snapshot" and len(before) < wanted
    return [_Measured.of(rows) for rows in (before[:-1] if holds_history else before[:wanted])]


def _with_shares(contract: Contract, table: Table, measured: list[_Measured]) -> list[_Measured]:
    return [m for m in measured if _has_shares(contract, table, m)]


def _has_shares(contract: Contract, table: Table, measured: _Measured) -> bool:
    """Whether the delivery has rows enough for a share of them to mean something."""
    return measured.values.get("complete", 0.0) >= thresholds.number("share_floor", contract.feed, table.name)


def _nearest(mix: Mix, others: list[Mix]) -> Mix:
    return min(others, key=lambda other: _distance(mix, other), default={})


def _distance(one: Mix, other: Mix) -> float:
    """Total variation distance: the share of rows that would have to change code to turn one mix into the other."""
    return sum(abs(one.get(code, 0.0) - other.get(code, 0.0)) for code in one | other) / 2


def _earlier(before: list[_Measured]) -> str:
    return "the last admitted delivery" if len(before) == 1 else f"the last {len(before)} admitted deliveries"
