"""In which form identifiers come, clear or as tokens: all in which scoring the one differs from scoring the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from warehouse.link.workspace import SQL_DIR, run_script

if TYPE_CHECKING:
    import duckdb


Asked = TypeVar("Asked")


def _as_it_is(asked: Asked) -> Asked:
    return asked


@dataclass(frozen=True)
class Form:
    """How blocking rules, saved models and the twin guard, written for clear identifiers, are asked of identifiers in this form.

    `scripts` is the folder with `unit_person.sql`, which lays out what units were recorded as, and `conflicting_dates.sql`, which finds
    dates of birth that contradict each other.
    """

    rules: Callable[[Iterable[str]], list[str]]
    model: Callable[[dict[str, Any]], dict[str, Any]]
    guard: Callable[[str], str]
    scripts: Path

    def run(self, session: duckdb.DuckDBPyConnection, script: str) -> None:
        """Run one of the scripts of the form."""
        run_script(session, script, self.scripts)


CLEAR = Form(rules=list, model=_as_it_is, guard=_as_it_is, scripts=SQL_DIR)
