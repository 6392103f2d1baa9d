"""The thresholds of the checks: one reviewed CSV, `expectations/thresholds.csv`, for all feeds.

A row of the file says from which value on a check speaks, what then happens, and why. `*` stands for all feeds, tables or
columns, and the most specific row wins: a column's before its table's, before its feed's, before the row of all feeds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast

from warehouse.contracts.load import ContractError
from warehouse.contracts.model import Contract
from warehouse.settings import settings

FILE = "thresholds.csv"
COLUMNS = ["feed", "table", "column", "check", "value", "severity", "reason"]
ANY = "*"

Policy = Literal["refuse", "quarantine", "warn", "ignore"]
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Check:
    """A check or number that the file may set.

    Attributes:
        meaning: what the value says, in words that end a sentence begun by the check's name.
        unit: what the value may be: `share` above 0 and up to 1, `times` above 0, `count` a whole number, `none` no value.
        policies: what may follow when the check fails; none for a number that other checks use.
        by_column: whether a row may name a column.
        may_be_empty: whether a row without a value switches the limit off.
    """

    meaning: str
    unit: Literal["share", "times", "count", "none"]
    policies: tuple[Policy, ...] = ()
    by_column: bool = False
    may_be_empty: bool = False


_WHOLE: tuple[Policy, ...] = ("refuse", "warn", "ignore")
CHECKS = {
    "max_file_bytes": Check("largest file that is taken in, in bytes", "count", _WHOLE, may_be_empty=True),
    "min_rows": Check("fewest rows of a table in a delivery", "count", _WHOLE),
    "max_rows": Check("most rows of a table in a delivery", "count", _WHOLE, may_be_empty=True),
    "row_count_change": Check("largest change of the row count against comparable deliveries, as a share of theirs", "times", _WHOLE, may_be_empty=True),
    "failing_share": Check("share of a table's rows that break a rule of severity quarantine", "share", _WHOLE),
    "failing_floor": Check("fewest failing rows before a failing share says anything", "count"),
    "wrong_period": Check("days before the night within which a table that holds dates must hold one", "count", _WHOLE, may_be_empty=True),
    "missing_column": Check("a column of the contract is not in the file", "none", _WHOLE, by_column=True),
    "new_column": Check("the file has a column that is not in the contract", "none", _WHOLE),
    "renamed_column": Check("a column of the contract stands in its place under another name", "none", _WHOLE, by_column=True),
    "duplicated_column": Check("the file has a column of the contract more than once", "none", ("refuse",)),
    "reordered_columns": Check("the columns are the contract's in another order", "none", _WHOLE),
    "retyped_column": Check("share of a column's values that cannot be read as the contract's type", "share", _WHOLE, by_column=True),
    "new_code": Check("rows with the same unknown code, from which on the code is told", "count", _WHOLE, by_column=True),
    "completeness_change": Check("largest change of the share of rows in which a column is filled", "share", _WHOLE, by_column=True, may_be_empty=True),
    "code_mix_change": Check("largest share of rows with another code than in the mix of before", "share", _WHOLE, by_column=True, may_be_empty=True),
    "share_floor": Check("fewest rows, now and before, before a shift of a share says anything", "count"),
    "history_deliveries": Check("number of admitted deliveries before that a delivery is compared with", "count"),
    "quarantined_told": Check("share of a delivery's rows in quarantine, from which on `warehouse status` tells it", "share"),
    "answer_warnings": Check("rows listed for each warning in the answer to the agency; quarantined rows are all listed", "count"),
}  # fmt: skip


@dataclass(frozen=True)
class Threshold:
    """What the file says for one check in one place.

    `value` is None where the row switches a limit off or the check needs none. `severity` is "ignore" for a number that
    other checks use: it has no outcome of its own.
    """

    check: str
    value: float | None
    severity: Policy
    reason: str


Thresholds = dict[str, dict[Place, Threshold]]


def find(check: str, feed: str, table: str = ANY, column: str = ANY, among: Thresholds | None = None) -> Threshold:
    """The threshold that holds in one place: that of the most specific row.

    Args:
        column: the column's name in the file or in the warehouse; case does not matter.
        among: the thresholds to look in, when not the project's own.

    Raises:
        ContractError: the file is not valid, or has no such check.
    """
    rows = (load() if among is None else among).get(check)
    if rows is None:
        raise ContractError(f"{FILE} has no check called '{check}'")
    column = column.lower()
    places = ((feed, table, column), (feed, table, ANY), (feed, ANY, ANY), (ANY, ANY, ANY))
    return next(rows[place] for place in places if place in rows)


def number(check: str, feed: str, table: str = ANY, column: str = ANY) -> float:
    """The value of a threshold that must have one.

    Raises:
        ContractError: the file is not valid, has no such check, or leaves its value empty.
    """
    value = find(check, feed, table, column).value
    if value is None:
        raise ContractError(f"{FILE}: '{check}' needs a value for {feed}.{table}")
    return value


def load(folder: Path | None = None) -> Thresholds:
    """Every threshold by check and place (feed, table, column in lower case).

    Args:
        folder: the expectations folder, when not the project's own.

    Raises:
        ContractError: the file is missing or not valid; the message lists every fault with its line.
    """
    path = (folder or settings().expectations_dir) / FILE
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise ContractError(f"{FILE} is missing from the expectations folder") from None


def validate(contracts: Iterable[Contract], folder: Path | None = None) -> None:
    """Raise for rows about feeds, tables or columns that no contract has.

    Raises:
        ContractError: there are such rows, or the file is not valid.
    """
    by_feed = {contract.feed: contract for contract in contracts}
    faults = [fault for check, rows in load(folder).items() for place in rows if (fault := _unknown_place(check, place, by_feed))]
    if faults:
        raise ContractError(_told(faults))


def _unknown_place(check: str, place: Place, contracts: dict[str, Contract]) -> str | None:
    feed, table, column = place
    if feed == ANY:
        return None
    contract = contracts.get(feed)
    if contract is None:
        return f"{check}: there is no feed called '{feed}'"
    if table != ANY and table not in contract.tables:
        return f"{check}: {feed} has no table called '{table}'"
    if column != ANY and column not in {c.field for c in contract.tables[table].columns}:
        return f"{check}: {feed}.{table} has no column called '{column.upper()}'"
    return None


@lru_cache(maxsize=8)
def _read(path: Path, changed_ns: int) -> Thresholds:
    """The thresholds of a file; `changed_ns` makes a changed file a new entry of the cache."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if reader.fieldnames != COLUMNS:
            raise ContractError(_told([f"the first line must be {','.join(COLUMNS)}"]))
        lines = [(reader.line_num, row) for row in reader]
    faults: list[str] = []
    thresholds: Thresholds = {}
    for line, row in lines:
        found = _faults(row)
        place = (row["feed"], row["table"], (row["column"] or "").lower())
        rows = thresholds.setdefault(row["check"], {})
        if not found and place in rows:
            found = [f"'{row['check']}' is given twice for the same place"]
        faults += [f"line {line}: {fault}" for fault in found]
        if not found:
            severity = cast(Policy, row["severity"] or "ignore")
            rows[place] = Threshold(row["check"], float(row["value"]) if row["value"] else None, severity, row["reason"])
    missing = [check for check in CHECKS if (ANY, ANY, ANY) not in thresholds.get(check, {})]
    faults += [f"'{check}' has no row for all feeds (*,*,*)" for check in missing]
    if faults:
        raise ContractError(_told(faults))
    return thresholds


def _faults(row: dict[str, str]) -> list[str]:
    """What is wrong with a line by itself."""
    if None in row or None in row.values():
        return [f"a line has {len(COLUMNS)} fields; text that holds a comma needs quotes"]
    check = CHECKS.get(row["check"])
    if check is None:
        return [f"there is no check called '{row['check']}'"]
    faults = _place_faults(row, check) + _value_faults(row["value"], check)
    if check.policies and row["severity"] not in check.policies:
        faults.append(f"the severity of '{row['check']}' must be one of {', '.join(check.policies)}")
    if not check.policies and row["severity"]:
        faults.append(f"'{row['check']}' is a number that other checks use: leave its severity empty")
    if not row["reason"].strip():
        faults.append("every row says why")
    return faults


def _place_faults(row: dict[str, str], check: Check) -> list[str]:
    feed, table, column = row["feed"], row["table"], row["column"]
    if not (feed and table and column):
        return ["feed, table and column must each be a name or *"]
    if (feed == ANY and table != ANY) or (table == ANY and column != ANY):
        return ["a table can only be named with its feed, and a column with its table"]
    if column != ANY and not check.by_column:
        return [f"'{row['check']}' is not about single columns"]
    return []


def _value_faults(value: str, check: Check) -> list[str]:
    if check.unit == "none":
        return ["this check takes no value"] if value else []
    if not value:
        return [] if check.may_be_empty else ["the value is missing"]
    try:
        found = float(value)
    except ValueError:
        return [f"the value '{value}' is not a number"]
    right = {"share": 0 < found <= 1, "times": 0 < found < float("inf"), "count": found >= 0 and found.is_integer()}[check.unit]
    wanted = {"share": "a share above 0 and up to 1", "times": "a number above 0", "count": "a whole number"}[check.unit]
    return [] if right else [f"the value '{value}' is not {wanted}"]


def _told(faults: list[str]) -> str:
    return f"{FILE} is not valid:\n" + "\n".join(f"  {fault}" for fault in faults)
