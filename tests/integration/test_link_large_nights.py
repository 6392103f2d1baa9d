"""Nights shared among workers, nights without room for new records, and training from the vault, on a small population."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from tests.conftest import wipe
from tests.integration.test_link_nights import admit_night

from warehouse.database import connect
from warehouse.link import evidence, split, stage
from warehouse.link.errors import LinkageFault
from warehouse.link.models import policy, untrained_levels
from warehouse.link.state import state_folder
from warehouse.link.train import new_version_folder
from warehouse.link.workspace import night_folder
from warehouse.settings import settings
from warehouse.synth.generate import generate

pytestmark = pytest.mark.integration

FIRST = date(2026, 11, 1)
SECOND = FIRST + timedelta(days=1)
PEOPLE = 500
# So few that a night of 500 people is more than one worker's work.
PAIRS_AT_A_TIME = 1_500
# Runs DAGs one after the other as `airflow dags test` does, and tells the state of each of their task instances.
RUN_DAGS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
dags = DagBag(sys.argv[1]).dags
for dag_id, conf in json.loads(sys.argv[2]):
    run = dags[dag_id].test(run_conf=conf)
    tasks = sorted((ti.task_id, str(ti.state)) for ti in run.get_task_instances())
    print("RESULT" + json.dumps([str(run.state), tasks]))
"""


@pytest.fixture(scope="module")
def population(warehouse_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A delivery of all feeds, admitted, of which one claimant in twenty comes on the second night."""
    wipe()
    folder = tmp_path_factory.mktemp("large_nights")
    generate(folder, PEOPLE, 1, 9, first_night=FIRST)
    admit_night(folder / "inbox", FIRST)
    with connect("admin") as connection:
        arriving = "update vault.benefits__claimants set _valid_from = %s where ('x' || substr(md5(record_key::text), 1, 7))::bit(28)::int %% 20 = 0"
        assert connection.execute(arriving, [SECOND]).rowcount > 10
    yield folder
    wipe()


@pytest.fixture
def few_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nights are split though they are small."""
    monkeypatch.setattr(settings(), "linkage_pairs_at_a_time", PAIRS_AT_A_TIME)


def edges(night: date) -> list[tuple[object, ...]]:
    """The scored edges of a night, by record keys."""
    folder = night_folder(night)
    return duckdb.sql(
        f"""
        select l.record_key, r.record_key, e.model, round(e.match_weight, 6), e.level
        from '{folder}/edge.parquet' as e
        inner join '{folder}/record.parquet' as l on l.record_no = e.record_l inner join '{folder}/record.parquet' as r on r.record_no = e.record_r
        order by all
        """
    ).fetchall()


def test_a_split_night_ends_where_one_worker_does(population: Path, few_pairs: None) -> None:
    whole = stage.score(FIRST)
    expected = edges(FIRST)
    shutil.rmtree(state_folder())

    counts = stage.score(FIRST, workers=2)
    chunks = split.chunks_of(FIRST)
    assert counts["chunks"] == len(chunks) > 2
    assert not night_folder(FIRST).exists(), "what the first run left is not this run's"
    with pytest.raises(LinkageFault, match="chunks of candidate pairs have not been scored"):
        stage.gather(FIRST)
    for chunk in chunks:
        stage.score_chunk(FIRST, chunk)
    found = stage.gather(FIRST)
    assert {name: found[name] for name in ("records", "candidate_pairs", "edges", "is_full")} == {
        name: whole[name] for name in ("records", "candidate_pairs", "edges", "is_full")
    }
    assert edges(FIRST) == expected
    assert not split.split_folder().exists(), "identifiers are left behind"
    assert stage.gather(FIRST) == {}, "a gathered night is gathered"
    assert stage.resolve(FIRST)["records"] == found["records"]


def test_the_night_after_a_split_one_is_incremental_and_not_split(population: Path, few_pairs: None) -> None:
    counts = stage.score(SECOND, workers=2)
    assert counts["is_full"] == 0
    assert "chunks" not in counts
    assert split.chunks_of(SECOND) == []


def test_chunks_of_other_code_are_not_gathered(population: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "chunks_of", lambda night: [{"scoring": "named", "number": 1, "of": 1}])
    monkeypatch.setattr(split, "take_back", lambda session, night: {"fingerprint": "of other code", "seen": {}})
    with pytest.raises(LinkageFault, match="have changed since the night was split"):
        stage.gather(FIRST)


def test_a_night_scored_again_forgets_its_chunks(population: Path) -> None:
    split.split_folder().mkdir(parents=True)
    (split.split_folder() / "night.json").write_text(json.dumps({"night": FIRST.isoformat(), "chunks": [], "noted": {}}), encoding="utf-8")
    stage.score(SECOND)
    assert not split.split_folder().exists()


def test_a_night_without_room_for_new_records_scores_everything(population: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(state_folder(), ignore_errors=True)
    with monkeypatch.context() as crowded:
        crowded.setattr(evidence, "LARGEST_NUMBER", 1)
        stage.score(FIRST)
    counts = stage.score(SECOND)
    assert counts["is_full"] == 1, "there was room after all, so this proves nothing"
    found = edges(SECOND)
    shutil.rmtree(state_folder())
    assert stage.score(SECOND)["is_full"] == 1
    assert edges(SECOND) == found


def test_the_dags_train_from_the_vault_and_share_a_full_night_among_workers(population: Path) -> None:
    from warehouse.orchestrate import airflow

    shutil.rmtree(state_folder(), ignore_errors=True)
    airflow.migrate()
    runs = [
        ("train_linkage", {"night": FIRST.isoformat(), "version": 99, "population": "500 people of a test", "seed": 1}),
        ("link", {"night": FIRST.isoformat()}),
        ("link", {"night": SECOND.isoformat()}),
    ]
    few = {"WAREHOUSE_LINKAGE_WORKERS": "2", "WAREHOUSE_LINKAGE_PAIRS_AT_A_TIME": str(PAIRS_AT_A_TIME), "WAREHOUSE_URL": ""}
    command = [sys.executable, "-c", RUN_DAGS, str(settings().project_root / "dags"), json.dumps(runs)]
    done = subprocess.run(command, env=airflow.environment() | few, capture_output=True, text=True, check=False)
    told = [json.loads(line.removeprefix("RESULT")) for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert [state for state, _ in told] == ["success"] * len(runs), done.stderr[-2000:]

    full, incremental = (tasks for _, tasks in told[1:])
    assert {tuple(task) for task in full} == {(task, "success") for task in ("score", "score_chunk", "gather", "resolve")}
    assert sum(task == "score_chunk" for task, _ in full) > 2
    assert incremental == [["gather", "skipped"], ["resolve", "success"], ["score", "success"], ["score_chunk", "skipped"]]
    with connect("linker") as connection:
        nights = connection.execute("select distinct _valid_from from linkage.person_link order by 1").fetchall()
    assert nights == [(FIRST,), (SECOND,)]

    folder = new_version_folder(99)
    models = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    assert set(models) >= {"link-99", "minimal-99"}
    assert [untrained_levels(model) for model in models.values()] == [[]] * len(models)
    assert f"## link-99 instead of {policy().named.model}" in (folder / "changes.md").read_text(encoding="utf-8")
    assert "500 people of a test" in (folder / "link-99.md").read_text(encoding="utf-8")
