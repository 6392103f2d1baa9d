"""A night that scores only what changed ends where a night that scores everything does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from tests.unit.link.conftest import NIGHT

from warehouse.link import evidence, incremental, state
from warehouse.link.erase import forget_in_state
from warehouse.link.extract import RAW_EVIDENCE, TOUCHED
from warehouse.link.models import policy
from warehouse.link.score import score_evidence
from warehouse.link.state import State

NEXT = NIGHT + timedelta(days=1)
Scored = dict[str, list[tuple[object, ...]]]
# What is held about some two thousand records of some nine hundred people in two feeds with names and one without: slips in
# names and dates, moves, aliases, shared names. `pick` is a random number that is the same in every run.
HELD = """
create or replace macro pick(person, what, choices) as (hash(person, what) % choices)::int;
create or replace table held as
with person as (
    select
        n as person,
        ['ADAM', 'ANNE', 'BRIAN', 'CLARE', 'DAVID', 'EMMA', 'GAVIN', 'HELEN', 'WILLIAM', 'ROBERT', 'JAMES', 'KATE'][1 + pick(n, 'f', 12)] as forename,
        'M' || chr(65 + pick(n, 's', 26)) || ['RSH', 'NDER', 'LTON', 'WELL'][1 + pick(n, 't', 4)] as surname,
        date '1970-01-01' + pick(n, 'd', 4000) as dob,
        'NE' || (1 + pick(n, 'p', 9)) || ' ' || pick(n, 'q', 10) || 'AB' as postcode
    from range(900) as t (n)
),
copy as (select *, unnest(range(3)) as copy from person),
record as (
    select *, person * 10 + copy as number, hash(person, copy) as chance
    from copy
    where hash(person, copy, 'held') % 10 < 8
)
select
    ('00000000-0000-0000-0000-' || lpad(((number * 7919) % 1000000)::varchar, 12, '0'))::uuid as record_key,
    ['benefits', 'police', 'treatment'][1 + copy] as feed, copy < 2 as is_named, true as is_main,
    case when copy < 2 then case when chance % 9 = 0 then left(forename, 3) else forename end end as forename,
    case when copy < 2 then case when chance % 11 = 0 then surname || 'S' else surname end end as surname,
    case when copy = 2 then left(forename, 1) end as forename_initial, case when copy = 2 then left(surname, 1) end as surname_initial,
    case when chance % 13 = 0 then dob + 1 else dob end as dob, 'M' as sex,
    case when copy < 2 then case when chance % 5 = 0 then 'LS1 4AB' else postcode end end as postcode,
    case when copy = 2 then left(postcode, 5) end as postcode_sector
from record
"""
# On the second night some records are new, some gone, and about some something else is held.
SECOND = """
create or replace table held_next as
select * replace (
    case when hash(record_key, 'moved') % 40 = 0 and is_named then 'HU1 1AA' else postcode end as postcode,
    case when hash(record_key, 'corrected') % 50 = 0 then dob + 31 else dob end as dob
)
from held where hash(record_key, 'gone') % 60 <> 0
"""
FIRST = "create or replace table held_first as select * from held where hash(record_key, 'late') % 50 <> 0"
SCORED = {
    "named_edge": "select l.record_key, r.record_key, e.model, round(e.match_weight, 6), e.match_key, e.is_guarded",
    "client_edge": "select l.record_key, r.record_key, round(e.match_weight, 6), e.match_key",
    "person_edge": "select l.record_key, r.record_key, round(e.match_weight, 6), round(e.match_probability, 6), e.match_key",
    "edge": "select l.record_key, r.record_key, e.model, round(e.match_weight, 6), e.level",
    "conflict": "select l.record_key, r.record_key",
}


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path / "state")


@contextmanager
def held(*scripts: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session of its own, as each night has, that knows what is held on both nights."""
    session = duckdb.connect(config={"threads": 1})
    for script in (HELD, FIRST, SECOND, *scripts):
        session.execute(script).fetchall()
    yield session
    session.close()


def read(session: duckdb.DuckDBPyConnection, table: str, condition: str = "true") -> None:
    session.execute(RAW_EVIDENCE).fetchall()
    session.execute(f"insert into raw_evidence by name select * from {table} where {condition}").fetchall()


def scored(session: duckdb.DuckDBPyConnection) -> Scored:
    """What scoring made, by record keys."""
    return {
        table: sorted(
            session.execute(
                f"{columns} from {table} as e inner join record as l on l.record_no = e.record_l inner join record as r on r.record_no = e.record_r"
            ).fetchall()
        )
        for table, columns in SCORED.items()
    }


def without_conflicts(made: Scored) -> Scored:
    """All but the conflicts, of which a night may know more than it needs: pairs that no edge connects any more."""
    return {table: rows for table, rows in made.items() if table != "conflict"}


def first_night(*scripts: str) -> State:
    kept = State(NIGHT, NIGHT, "", {})
    with held(*scripts) as session:
        read(session, "held_first")
        evidence.build(session, NIGHT, with_room=True)
        score_evidence(session, policy())
        state.save(session, kept)
    return kept


def next_night(session: duckdb.DuckDBPyConnection, kept: State) -> dict[str, int]:
    """The second night from what the first kept, having been told that any record may have changed."""
    session.execute(TOUCHED).fetchall()
    session.execute("insert into touched_record select record_key from held_first union select record_key from held_next").fetchall()
    read(session, "held_next")
    state.attach(session, kept)
    incremental.find_changes(session, NEXT, [])
    assert incremental.put_together(session)
    return score_evidence(session, policy())


def full_night(kept: State, *scripts: str) -> tuple[dict[str, int], Scored]:
    """The second night from nothing but what was counted on the first."""
    with held(*scripts) as session:
        read(session, "held_next")
        evidence.build(session, NEXT)
        state.attach(session, kept)
        session.execute("insert into population from earlier.population; insert into term from earlier.term").fetchall()
        return score_evidence(session, policy()), scored(session)


def test_it_ends_where_a_full_night_does_and_so_does_the_night_after_it() -> None:
    kept = first_night()
    second = State(NEXT, NIGHT, "", {})
    with held() as session:
        counts = next_night(session, kept)
        found = scored(session)
        state.save(session, second)
    everything, expected = full_night(kept)
    assert 0 < counts["changed_records"] < counts["records"] / 5
    assert counts["candidate_pairs"] < everything["candidate_pairs"] / 2
    assert (counts["records"], counts["edges"]) == (everything["records"], everything["edges"])
    assert without_conflicts(found) == without_conflicts(expected)
    assert set(found["conflict"]) >= set(expected["conflict"])
    assert min(len(rows) for rows in found.values()) > 0

    back = "create or replace table held_first as from held_next; create or replace table held_next as from held"
    with held(back) as session:
        next_night(session, second)
        found = scored(session)
    assert without_conflicts(found) == without_conflicts(full_night(second, back)[1])


ERASED = "hash(record_key, 'erased') % 40 = 0"
WITHOUT_ERASED = f"create or replace table held_next as from held_next where not {ERASED}"


def erase(kept: State) -> set[str]:
    """Take some records out of a state, as an erasure does; their keys."""
    with held() as session:
        session.execute(f"create table erased_key as select distinct record_key from held_first where {ERASED}").fetchall()
        forget_in_state(session, kept)
        return {str(key) for (key,) in session.execute("from erased_key").fetchall()}


def test_after_an_erasure_it_ends_where_a_full_night_without_the_erased_does() -> None:
    kept = first_night()
    erased = erase(kept)
    with held(WITHOUT_ERASED) as session:
        counts = next_night(session, kept)
        found = scored(session)
    everything, expected = full_night(kept, WITHOUT_ERASED)
    assert len(erased) > 20
    assert counts["records"] == everything["records"]
    assert counts["candidate_pairs"] < everything["candidate_pairs"] / 2, "the rest of the state still serves"
    assert without_conflicts(found) == without_conflicts(expected)
    assert set(found["conflict"]) >= set(expected["conflict"])


def test_nothing_of_an_erased_record_stays_in_the_state() -> None:
    alone = f"create or replace table held_first as select * replace (case when {ERASED} then 'ZEBEDEE' else surname end as surname) from held_first"
    kept = first_night(alone)
    before = {path.name: path for path in kept.folder.glob("*.parquet")}
    erased = erase(kept)
    left = {path.name: duckdb.sql(f"from '{path}'").fetchall() for path in kept.folder.glob("*.parquet")}
    assert left.keys() == before.keys()
    text = str(left)
    assert "ZEBEDEE" not in text
    assert not [key for key in erased if key in text]
    assert state.all_kept() == [kept]


def test_when_nothing_changed_nothing_is_compared() -> None:
    same = "create or replace table held_next as from held_first"
    kept = first_night(same)
    with held(same) as session:
        counts = next_night(session, kept)
    assert counts["changed_records"] == counts["candidate_pairs"] == 0
    assert counts["edges"] > 0


def test_only_the_latest_nights_are_kept(session: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "TABLES", {"record": "select 1 as record_no"})
    for days in range(3):
        state.save(session, State(NIGHT + timedelta(days=days), NIGHT, "", {}))
    assert sorted(folder.name for folder in state.state_folder().iterdir()) == [str(NEXT), str(NIGHT + timedelta(days=2))]
    assert state.state_folder().stat().st_mode & 0o077 == 0


def test_a_state_is_used_by_later_nights_of_the_same_making_alone(session: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "TABLES", {"record": "select 1 as record_no"})
    assert state.usable(NEXT, [], 30) is None
    state.save(session, State(NIGHT, NIGHT, "made otherwise", {}))
    assert state.usable(NEXT, [], 30) is None
    kept = State(NIGHT, NIGHT, state.fingerprint([]), {"police": "1"})
    state.save(session, kept)
    assert state.usable(NEXT, [], 30) == kept
    assert state.usable(NIGHT, [], 30) is None, "a night run again starts from the one before it"
    assert state.usable(date(2026, 12, 1), [], 30) is None, "the month is over"
    (kept.folder / "state.json").write_text("{", encoding="utf-8")
    assert state.usable(NEXT, [], 30) is None


def test_what_no_night_is_scored_by_makes_no_state_useless() -> None:
    package = Path(state.__file__).parent
    found = {str(path.relative_to(package)) for path in state.scored_by(package)}
    assert {"named.py", "sql/standardise.sql", "models/policy.yaml", "models/link-2.json", "nicknames.csv"} <= found
    assert not [name for name in found if name.startswith(("review/", "tokens/"))]
