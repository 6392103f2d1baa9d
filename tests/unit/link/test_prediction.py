"""A prediction made elsewhere, in chunks by other workers or on Spark, comes out as the one made in the session."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from tests.unit.link.conftest import NIGHT, Rows

from warehouse.link import named, split
from warehouse.link.errors import LinkageFault
from warehouse.link.models import load_model, policy
from warehouse.link.prediction import Prediction
from warehouse.link.spark import condition_on_spark, model_on_spark
from warehouse.link.splinking import Scorer
from warehouse.settings import settings

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]
Pairs = list[tuple[object, ...]]

EDGES = "select record_l, record_r, model, round(match_weight, 6), match_key, is_guarded from named_edge order by all"
LISTS = ("areas", "districts", "postcodes", "sectors")
HAS_SPARK = importlib.util.find_spec("pyspark") is not None and bool(os.environ.get("JAVA_HOME") or shutil.which("java"))


def people() -> Rows:
    """Thirty people, each with the police, with benefits and with housing: the second time with a slip, the third with a nickname or swapped names."""
    names = ["Robert", "Elizabeth", "William", "Margaret", "Thomas", "Katherine", "James", "Susan", "Michael", "Patricia"]
    rows: Rows = []
    for n in range(30):
        person = {"forename": names[n % 10], "surname": f"Mar{'bcdfghjklmnprst'[n // 2]}ley", "sex": "MF"[n % 2], "postcode": f"S{n % 9 + 1} 2AB"}
        born = date(1950 + n, 1 + n % 12, 1 + n % 28)
        rows += [
            {"record": 3 * n + 1, "feed": "police", "dob": born} | person,
            {"record": 3 * n + 2, "feed": "benefits", "dob": born.replace(day=1 + (born.day + 10 * (n % 3)) % 28), "nino": f"AB{n:06}"} | person,
            {"record": 3 * n + 3, "feed": "housing", "dob": born, "forename": person["surname"], "surname": person["forename"], "sex": person["sex"]},
        ]
    return rows


@pytest.fixture
def evidence(standardised: Standardised) -> duckdb.DuckDBPyConnection:
    return standardised(people())


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    split.forget_split()


def link_scorer(session: duckdb.DuckDBPyConnection) -> Scorer:
    (everything_else,) = [one for one in named.passes(session, policy()) if one.feed is None]
    scorer = named.scorer_of(session, policy(), everything_else, load_model(everything_else.model))
    assert scorer is not None
    return scorer


def edges(session: duckdb.DuckDBPyConnection) -> Pairs:
    named.score(session, policy())
    return session.execute(EDGES).fetchall()


def test_only_what_the_model_reads_is_written(evidence: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    made = link_scorer(evidence).write(tmp_path / "named", 0.0)
    written = {name for (name, *_) in evidence.execute(f"describe from '{made.row_files['name_row']}'").fetchall()}
    assert {"row_id", "record_no", "surname", "dob", "nino", "postcodes"} <= written
    assert "record_key" not in written
    assert made == Prediction.read(made.folder)
    assert made.lists == ("districts", "postcodes", "sectors")
    assert made.folder.stat().st_mode & 0o077 == 0


def test_a_night_split_into_chunks_has_the_edges_of_one_that_was_not(evidence: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = edges(evidence)
    assert len(expected) > 60
    monkeypatch.setattr(settings(), "linkage_pairs_at_a_time", 50)
    chunks = split.hand_out(evidence, NIGHT, policy(), {"seen": {"police": "1"}})
    assert {chunk["scoring"] for chunk in chunks} >= {"named", "named_police"}
    assert max(chunk["of"] for chunk in chunks) > 1
    assert split.chunks_of(NIGHT) == chunks
    with duckdb.connect() as session, pytest.raises(LinkageFault, match=f"{len(chunks)} of {len(chunks)} chunks"):
        split.take_back(session, NIGHT)
    kept = [split.score_chunk(NIGHT, chunk) for chunk in chunks]
    assert [split.score_chunk(NIGHT, chunk) for chunk in chunks[:2]] == kept[:2], "a chunk scored again is the same"
    with duckdb.connect() as session:
        assert split.take_back(session, NIGHT) == {"seen": {"police": "1"}}
        assert edges(session) == expected


def test_a_night_that_one_worker_can_hold_is_not_split(evidence: duckdb.DuckDBPyConnection) -> None:
    assert split.hand_out(evidence, NIGHT, policy(), {}) == []
    assert split.chunks_of(NIGHT) == []
    assert not split.split_folder().exists()


def test_another_nights_chunks_are_not_taken(evidence: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "linkage_pairs_at_a_time", 50)
    (first, *_) = split.hand_out(evidence, NIGHT, policy(), {})
    with pytest.raises(LinkageFault, match="The night 2026-12-24 is not split among workers"):
        split.score_chunk(date(2026, 12, 24), first)


@pytest.mark.parametrize(
    ("on_duckdb", "on_spark"),
    [
        ("list_has_any(sectors_l, sectors_r) and len(sectors_l) > 1", "ARRAYS_OVERLAP(sectors_l, sectors_r) AND SIZE(sectors_l) > 1"),
        ("len(surname_l) > 1", "LENGTH(surname_l) > 1"),
        ("jaro_winkler_similarity(surname_l, surname_r) >= 0.92", "JARO_WINKLER(surname_l, surname_r) >= 0.92"),
        ("hamming(dob_l, dob_r) = 1", "LENGTH(dob_l) = LENGTH(dob_r) AND LEVENSHTEIN(dob_l, dob_r) = 1"),
        ("l.dob = r.dob and l.districts = r.districts", "l.dob = r.dob AND l.districts = r.districts"),
        ("damerau_levenshtein(nino_l, nino_r) <= 2", "DAMERAU_LEVENSHTEIN(nino_l, nino_r) <= 2"),
    ],
)
def test_conditions_mean_the_same_on_spark(on_duckdb: str, on_spark: str) -> None:
    assert condition_on_spark(on_duckdb, LISTS) == on_spark


@pytest.mark.parametrize("condition", ["hamming(dob_l, dob_r) <= 2", "jaro_similarity(surname_l, surname_r) > 0.9", "dice(codes_l, codes_r) >= 0.5"])
def test_what_spark_cannot_do_is_refused(condition: str) -> None:
    with pytest.raises(LinkageFault, match=r"ask for (hamming|jaro_similarity|dice), which Spark does not have"):
        condition_on_spark(condition)


def test_every_model_in_force_can_be_asked_on_spark() -> None:
    for name in (policy().named.model, policy().minimal.model, *(own.model for own in policy().named.dedupe.values())):
        model = load_model(name)
        translated = model_on_spark(model, LISTS)
        assert translated["sql_dialect"] == "spark"
        assert [len(c["comparison_levels"]) for c in translated["comparisons"]] == [len(c["comparison_levels"]) for c in model["comparisons"]]


@pytest.mark.skipif(not HAS_SPARK, reason="needs pyspark and Java")
def test_spark_finds_the_same_edges(evidence: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    expected = edges(evidence)
    monkeypatch.setattr(settings(), "linkage_backend", "spark")
    assert edges(evidence) == expected
    shown = "".join(capfd.readouterr()).upper()
    assert "MARB" not in shown
    assert not list((settings().work_dir / "link").glob("private-spark"))


@pytest.mark.skipif(HAS_SPARK, reason="pyspark and Java are here")
def test_without_spark_the_night_says_what_is_missing(evidence: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "linkage_backend", "spark")
    with pytest.raises(LinkageFault, match="WAREHOUSE_LINKAGE_BACKEND=spark needs"):
        named.score(evidence, policy())
