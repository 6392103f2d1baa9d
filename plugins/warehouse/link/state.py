"""What a night keeps for the next one, so that the next need not score again what has not changed: a cache, and no more.

It lies in `<work>/link/state/<night>/` as Parquet, private to its owner since it holds identifiers, beside `state.json`, which
says what it was made of. Without it, or when anything that scores has changed, a night scores everything.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.model import Contract
from warehouse.link.blocking import MINIMAL_RULES, NAMED_RULES
from warehouse.link.candidates import kept_keys_of
from warehouse.link.roles import link_tables
from warehouse.link.workspace import quoted
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb

# File to query. Numbers of records are those of the night, and mean nothing outside its folder.
TABLES = {
    "record": "select * exclude (is_changed) from record",
    "record_hash": "select record_key, feed, evidence_hash from record_hash",
    "name_row": "select * exclude (is_changed) from name_row",
    "name_key": kept_keys_of(NAMED_RULES, "name_row"),
    "record_place": "select * from record_place",
    "record_places": "select * from record_places",
    "record_dob": "select * from record_dob",
    "record_initials": "select * from record_initials",
    "population": "select * from population",
    "term": "select * from term",
    "named_edge": "select * from named_edge",
    "client_weight": "select * from client_weight",
    "person_weight": "select * from person_weight",
    "unit_edge": "select record_l, record_r from client_edge union all select record_l, record_r from person_edge",
    "conflict": "select record_l, record_r from conflict",
    "unit": "select record_no, unit_no, side, count(*) over (partition by unit_no) as records from unit",
    "unit_row": """
        select * exclude (is_changed), 'client' as side from client_row union all by name select * exclude (is_changed), 'person' as side from person_row
    """,
    "person_key": kept_keys_of(MINIMAL_RULES, "person_row"),
    # Records whose unit is to be made again, since one of it was erased (see `erase`).
    "unplaced": "select null::int as record_no where false",
}
KEPT_NIGHTS = 2
# Scoring a few changed records again costs less than writing all tables anew: a state serves until this share has changed since.
WORN_AT = 0.03
SOURCES = (".py", ".sql", ".json", ".yaml", ".csv")
# Parts of the package that no night on clear identifiers is scored by.
NOT_SCORED_BY = ("review", "tokens")


@dataclass(frozen=True)
class State:
    """What a night kept.

    `full_night` is the last night that scored everything; `seen` tells, for each feed, the deliveries that the night was made
    of (see `extract.deliveries_seen`).
    """

    night: date
    full_night: date
    fingerprint: str
    seen: dict[str, str]

    @property
    def folder(self) -> Path:
        """Where its tables lie."""
        return state_folder() / self.night.isoformat()


def state_folder() -> Path:
    """The folder of all states; removing it makes the next night a full one, and nothing else."""
    return settings().work_dir / "link" / "state"


def usable(night: date, contracts: Iterable[Contract], full_every_nights: int) -> State | None:
    """What the latest night before `night` kept, or None when `night` has to score everything."""
    before = [folder for folder in _nights() if folder.name < night.isoformat()]
    if not before:
        return None
    state = _read(before[-1])
    if state is None or state.fingerprint != fingerprint(contracts) or (night - state.full_night).days >= full_every_nights:
        return None
    return state


def _read(folder: Path) -> State | None:
    try:
        noted = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        return State(date.fromisoformat(noted["night"]), date.fromisoformat(noted["full_night"]), noted["fingerprint"], noted["seen"])
    except (OSError, ValueError, KeyError):
        return None


def is_worn(changed: int, records: int) -> bool:
    """Whether so many records have changed since the state that tonight's ought to take its place."""
    return changed > WORN_AT * records


def save(session: duckdb.DuckDBPyConnection, state: State) -> None:
    """Keep the tables of the session under the state's night, whole or not at all, and drop all but the latest nights."""
    write(session, state, TABLES)
    for folder in _nights()[:-KEPT_NIGHTS]:
        shutil.rmtree(folder)


def write(session: duckdb.DuckDBPyConnection, state: State, queries: Mapping[str, str]) -> None:
    """Keep what queries give, each under the name of its table, as the tables of a state, whole or not at all."""
    unfinished = state_folder() / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    state_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished.mkdir(mode=0o700)
    for name, query in queries.items():
        session.execute(f"copy ({query}) to {quoted(unfinished / f'{name}.parquet')} (format parquet)").fetchall()
    noted = asdict(state) | {"night": state.night.isoformat(), "full_night": state.full_night.isoformat()}
    (unfinished / "state.json").write_text(json.dumps(noted, indent=1), encoding="utf-8")
    shutil.rmtree(state.folder, ignore_errors=True)
    unfinished.rename(state.folder)


def all_kept() -> list[State]:
    """Every state that is kept; what cannot be read is removed, since it may hold identifiers."""
    found = {folder: _read(folder) for folder in _nights()}
    for folder in (folder for folder, state in found.items() if state is None):
        shutil.rmtree(folder)
    return [state for state in found.values() if state]


def _nights() -> list[Path]:
    return sorted(state_folder().glob("????-??-??"))


def attach(session: duckdb.DuckDBPyConnection, state: State) -> None:
    """Make the kept tables readable as views of schema `earlier`."""
    session.execute("create schema if not exists earlier").fetchall()
    for name in TABLES:
        session.execute(f"create or replace view earlier.{name} as select * from read_parquet({quoted(state.folder / f'{name}.parquet')})").fetchall()


def fingerprint(contracts: Iterable[Contract]) -> str:
    """A hash of everything that scoring does by: the code, models, policy and lists of this package, the contracts' roles, the engines."""
    return hashlib.sha256(f"{_code()} {link_tables(contracts)!r}".encode()).hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    digest = hashlib.sha256(f"{version('splink')} {version('duckdb')}".encode())
    package = Path(__file__).parent
    for path in scored_by(package):
        digest.update(str(path.relative_to(package)).encode() + path.read_bytes())
    return digest.hexdigest()


def scored_by(package: Path) -> list[Path]:
    """The files of the linkage package that may have a part in what a night on clear identifiers scores."""
    return sorted(path for path in package.rglob("*") if path.suffix in SOURCES and path.relative_to(package).parts[0] not in NOT_SCORED_BY)
