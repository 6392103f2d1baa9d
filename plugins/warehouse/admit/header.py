"""How the columns of a delivered file differ from the contract's: the exact difference, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import cast

from warehouse.admit.deliveries import Finding
from warehouse.contracts import thresholds
from warehouse.contracts.model import Severity

# A name that may be repeated in a message; anything else could be a value.
PRINTABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]{0,44}")
STRICTNESS = ("ignore", "warn", "quarantine", "refuse")


def header_findings(expected: list[str], found: list[str], feed: str, table: str) -> list[Finding]:
    """What a file's header has that the contract does not, and the other way round; empty when they are the same.

    One finding for each kind of difference (`missing_column`, `new_column`, `renamed_column`, `duplicated_column`,
    `reordered_columns`), with the severity that `expectations/thresholds.csv` gives it; kinds to be ignored are left out.
    A first line in which most of the contract's columns are missing is no header but people's values: it is refused under
    the rule `header`, and nothing of it is repeated.

    Args:
        expected: the contract's columns, in order.
        found: the fields of the file's first line, in order.
    """
    missing = [name for name in expected if name not in found]
    if len(missing) > len(expected) / 2:
        message = f"the first line is not a header: {len(missing)} of the {len(expected)} columns are not in it; send the file with its header"
        return [Finding(table, "header", None, "refuse", None, len(missing), message)]
    renamed = _renamed(expected, found)
    gone = [name for name in missing if name not in renamed]
    new = [name for name in dict.fromkeys(found) if name not in expected and name not in renamed.values()]
    twice = [name for name in expected if found.count(name) > 1]
    findings = [
        _finding("missing_column", feed, table, gone, _missing_message),
        _finding("renamed_column", feed, table, list(renamed), lambda names: _renamed_message({name: renamed[name] for name in names})),
        _finding("duplicated_column", feed, table, twice, _duplicated_message),
        _finding("new_column", feed, table, new, _new_message),
        _finding("reordered_columns", feed, table, _moved(expected, found), _moved_message),
    ]
    return [finding for finding in findings if finding is not None]


def _renamed(expected: list[str], found: list[str]) -> dict[str, str]:
    """Columns that are missing while an unknown one stands in their place: after the same column as in the contract, or as far from the start."""
    renamed: dict[str, str] = {}
    for place, name in enumerate(expected):
        before = renamed.get(expected[place - 1], expected[place - 1]) if place else None
        places = [0 if before is None else found.index(before) + 1, place] if before is None or before in found else [place]
        candidates = [found[p] for p in places if p < len(found) and found[p] not in expected and found[p] not in renamed.values()]
        if name not in found and candidates:
            renamed[name] = candidates[0]
    return renamed


def _moved(expected: list[str], found: list[str]) -> list[str]:
    """Columns of both that would have to move to come into the contract's order."""
    in_order = [name for name in expected if name in found]
    as_found = [name for name in dict.fromkeys(found) if name in expected]
    if in_order == as_found:
        return []
    blocks = SequenceMatcher(None, in_order, as_found, autojunk=False).get_matching_blocks()
    stayed = {name for block in blocks for name in in_order[block.a : block.a + block.size]}
    return [name for name in in_order if name not in stayed]


def _finding(check: str, feed: str, table: str, names: list[str], message: Callable[[list[str]], str]) -> Finding | None:
    """The finding of one kind; the strictest policy of its columns holds, and columns to be ignored are left out."""
    policies = {name: thresholds.find(check, feed, table, name).severity for name in names}
    told = [name for name in names if policies[name] != "ignore"]
    if not told:
        return None
    severity = max((policies[name] for name in told), key=STRICTNESS.index)
    return Finding(
        table,
        check,
        told[0].lower() if len(told) == 1 and PRINTABLE_NAME.fullmatch(told[0]) else None,
        cast(Severity, severity),
        None,
        len(told),
        message(told),
    )


def _missing_message(names: list[str]) -> str:
    return f"the file does not have {_columns(names)} of the contract; send the agreed columns, or agree a change to the contract"


def _renamed_message(renamed: dict[str, str]) -> str:
    pairs = ", ".join(f"{old} is now {_shown(new)}" for old, new in renamed.items())
    return f"columns have been renamed: {pairs}; send the agreed names, or agree a change to the contract"


def _duplicated_message(names: list[str]) -> str:
    return f"the file has {_columns(names)} more than once; send each column once"


def _new_message(names: list[str]) -> str:
    return f"the file has {_columns(names)}, which the contract does not name; not read until it does"


def _moved_message(names: list[str]) -> str:
    return f"the columns come in another order than the contract's: {_columns(names)} moved; read by name"


def _columns(names: list[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {', '.join(map(_shown, names))}"


def _shown(name: str) -> str:
    return name if PRINTABLE_NAME.fullmatch(name) else "(an unusual name)"
