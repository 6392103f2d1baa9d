"""Two nights through the real Airflow, shared by the tests that look at what they left behind."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from tests.fingerprints import whole_state

ROOT = Path(__file__).parents[2]
FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)

# Values no real file holds. They ride in good rows and in rows that must be refused, so that every path sees them.
PLANTED = {"FORENAME": "Zyxplantedfore", "SURNAME": "Qwvplantedsur", "ADDRESS_LINE": "99 Plantedjkq Street", "MIDDLE_NAME": "Xplantedmiddle"}
PLANTED_BAD_DATE = "PLANTED-BAD-DATE"


@dataclass
class Nights:
    """What the two nights left: the home they worked in, their exit codes, output, and the state after each run."""

    home: Path
    inbox: Path
    truth: Path
    output: str
    exit_codes: dict[str, int]
    states: dict[str, dict[str, tuple[int, str]]]


def warehouse(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The `warehouse` command, as a user runs it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins"), "COLUMNS": "160"}
    return subprocess.run([sys.executable, "-m", "warehouse", *arguments], env=environment, capture_output=True, text=True, check=False, cwd=ROOT)


def plant(path: Path, delimiter: str, date_column: str, faulty: set[int]) -> None:
    """Write recognisable values into the first two rows that have no planted fault; the second also gets a date that is none."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    header = next(csv.reader([lines[0]], delimiter=delimiter))
    sound = [number for number in range(1, len(lines)) if number not in faulty][:2]
    for number in sound:
        row = dict(zip(header, next(csv.reader([lines[number]], delimiter=delimiter)), strict=True))
        row |= {column: value for column, value in PLANTED.items() if column in row}
        if number == sound[-1]:
            row[date_column] = PLANTED_BAD_DATE
        lines[number] = delimiter.join(row.values()) + "\n"
    path.write_text("".join(lines), encoding="utf-8")


def faulty_rows(truth: Path, night: date) -> dict[str, set[int]]:
    """File name to the numbers of the rows that the generator planted a fault in."""
    found: dict[str, set[int]] = {}
    with (truth / "planted_faults.csv").open(encoding="utf-8") as source:
        for row in csv.DictReader(source):
            if row["night"] == night.isoformat():
                found.setdefault(row["file"], set()).add(int(row["row_number"]))
    return found


@pytest.fixture(scope="session")
def nights(warehouse_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """Night one and night two, each by `warehouse run`, through Airflow's scheduler. Repeats and kills are tried step by step in `tests/scenarios`."""
    folder = tmp_path_factory.mktemp("population")
    made = warehouse("generate", "--out", str(folder), "--people", "2000", "--nights", "2", "--seed", "7", "--faults")
    assert made.returncode == 0, made.stderr
    first = folder / "inbox" / FIRST.isoformat()
    faulty = faulty_rows(folder / "truth", FIRST)
    for feed, table, delimiter in (("police", "nominals", ","), ("benefits", "claimants", "|"), ("housing", "people", ",")):
        path = next((first / feed).glob(f"{table}*"))
        plant(path, delimiter, "DOB", faulty.get(path.name, set()))
    found = Nights(warehouse_db, folder / "inbox", folder / "truth", made.stdout + made.stderr, {}, {})
    for name, night in (("first", FIRST), ("second", SECOND)):
        done = warehouse("run", "--inbox", str(folder / "inbox" / night.isoformat()), "--date", night.isoformat())
        found.output += done.stdout + done.stderr
        found.exit_codes[name] = done.returncode
        assert done.returncode in (0, 3), done.stdout[-3000:] + done.stderr[-3000:]
        found.states[name] = whole_state()
    yield found


def status() -> dict[str, list[dict[str, object]]]:
    """What `warehouse status --json` says."""
    done = warehouse("status", "--json")
    assert done.returncode == 0, done.stderr
    parsed: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return parsed
