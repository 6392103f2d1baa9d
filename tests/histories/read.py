"""Golden histories: read the YAML of hand-written people, and make the files that the agencies would deliver about them.

A history names a person, what happened to them as rows of the agencies' own tables (columns in lower case, dates as YYYY-MM-DD),
and what the marts must say of it. What it leaves out stands in `_defaults.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from tests.integration.deliveries import Row, write_inbox

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import vault_grain

FOLDER = Path(__file__).parents[1] / "golden" / "histories"
# What is neither a table nor one: the rest of a history's keys are tables of the agencies.
ABOUT = {"title", "why", "who", "persons", "expect"}
PNC_CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
EMPTY = "none"
# The number of a history among the people of a synthetic population: no population of a test is so large.
FIRST_NUMBER = 900_000_000


@dataclass(frozen=True)
class Expectation:
    """What one mart must say of a person: `of` picks rows, `shows` what the one row shows; or `rows`, how many there are."""

    mart: str
    of: dict[str, str]
    shows: dict[str, str]
    rows: int | None


@dataclass(frozen=True)
class History:
    """One hand-written person. `persons`: how many the warehouse makes of them, more than one where nothing ties the records."""

    name: str
    number: int
    title: str
    why: str
    who: dict[str, str]
    tables: dict[str, list[Row]]
    expect: tuple[Expectation, ...]
    persons: int = 1


@dataclass
class Delivered:
    """The rows of every table of every feed, and the agency's id of each record with the number of the history it is about."""

    rows: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    records: dict[tuple[str, str], int] = field(default_factory=dict)


def histories() -> list[History]:
    """All histories in the order of their numbers."""
    defaults = _load(FOLDER / "_defaults.yaml")
    found = [_history(path, defaults) for path in sorted(FOLDER.glob("[0-9]*.yaml"))]
    assert len({history.number for history in found}) == len(found), "two histories have one number"
    return found


def _load(path: Path) -> dict[str, Any]:
    """A YAML file with every scalar as the text that stands there: a status `no` is no boolean."""
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return loaded


def _history(path: Path, defaults: dict[str, Any]) -> History:
    said = _load(path)
    number = int(path.stem.split("-")[0])
    who = _particulars(number, defaults["who"] | said["who"])
    tables = {name: [_filled(row, defaults["tables"][name], who, k) for k, row in enumerate(rows, 1)] for name, rows in said.items() if name not in ABOUT}
    for child, main in defaults["described_by"].items():
        tables[main] = [*tables.get(main, []), *_undescribed(tables, child, main, defaults["tables"][main], who)]
    expect = tuple(_expectation(wanted) for wanted in said["expect"])
    return History(path.stem, number, said["title"], " ".join(said["why"].split()), who, tables, expect, int(said.get("persons", 1)))


def _expectation(said: dict[str, Any]) -> Expectation:
    return Expectation(said["in"], said.get("of") or {}, said.get("is") or {}, int(said["rows"]) if "rows" in said else None)


def _particulars(number: int, who: dict[str, str]) -> dict[str, str]:
    """Identifiers that pass the agencies' rules and that no other history has."""
    serial = f"{number:07d}"
    given = {
        "n": str(number),
        "nino": f"AB{number:06d}C",
        "pnc": f"2015/{serial}{PNC_CHECK_LETTERS[int('15' + serial) % 23]}",
        **{name: value.format(n=number) for name, value in who.items()},
    }
    return {"sector": given["postcode"][:-2]} | given


def _filled(row: Row, defaults: Row, who: dict[str, str], k: int) -> Row:
    unknown = {name: value.format(**(who | {"k": str(k)} | row)) for name, value in defaults.items() if name not in row}
    return {name: value for name, value in (unknown | row).items() if value != EMPTY}


def _undescribed(tables: dict[str, list[Row]], child: str, main: str, defaults: Row, who: dict[str, str]) -> Iterator[Row]:
    """A main row for each record that rows of `child` name and no row of `main` describes."""
    (key,) = set(_table(child)[1].keys.get("record_key") or _table(child)[1].keys["case_key"])
    key = key.lower()
    described = {row[key] for row in tables.get(main, [])}
    for k, named in enumerate(sorted({row[key] for row in tables.get(child, [])} - described), 1):
        yield _filled({key: named}, defaults, who, k)


def _table(name: str) -> tuple[Contract, Table]:
    ((contract, table),) = ((contract, contract.tables[name]) for contract in all_contracts() if name in contract.tables)
    return contract, table


def delivered(people: Iterable[History]) -> Delivered:
    """What the agencies deliver about the people of the histories."""
    out = Delivered(rows={contract.feed: {name: [] for name in contract.tables} for contract in all_contracts()})
    for history in people:
        for name, rows in history.tables.items():
            contract, table = _table(name)
            written = [_as_delivered(contract, table, row) for row in rows]
            out.rows[contract.feed][name] += written
            if vault_grain(contract, table) == "record":
                out.records |= {(contract.feed, "|".join(row[c] for c in table.keys["record_key"])): history.number for row in written}
    return out


def _as_delivered(contract: Contract, table: Table, row: Row) -> Row:
    """A row with the agency's own column names and way to write dates.

    Raises:
        KeyError: the table has no such column.
    """
    columns = {column.name.lower(): column for column in table.columns}
    shaped = contract.format.date_format.replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d")
    return {columns[name].name: date.fromisoformat(value).strftime(shaped) if columns[name].type == "date" else value for name, value in row.items()}


def append(out: Delivered, folder: Path, night: date) -> None:
    """Add the rows to the files of a synthetic population (`warehouse generate`), and whose each record is to its truth.

    Args:
        folder: what `generate` wrote for the night; its people have numbers below those that these get.
    """
    name = f"{night:%Y%m%d}"
    written = write_inbox_of(out, folder / "histories" / name)
    for path in written:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        with (folder / "inbox" / night.isoformat() / path.parent.name / path.name).open("a", encoding="utf-8", newline="") as stream:
            stream.writelines(lines[1:])
    with (folder / "truth" / "records.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(f'"{feed}","","{agency_id}",{FIRST_NUMBER + number}\n' for (feed, agency_id), number in sorted(out.records.items()))


def write_inbox_of(out: Delivered, inbox: Path) -> list[Path]:
    """Write the files of a night into an inbox, one folder a feed; gives the files."""
    for feed, tables in out.rows.items():
        write_inbox(inbox, feed, tables)
    return sorted(path for path in inbox.rglob("*") if path.is_file())
