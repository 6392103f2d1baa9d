"""When a night is over, and what it is said to have done."""

from __future__ import annotations

from datetime import date

import pytest

from warehouse.orchestrate.night import NightRun, TaskState, is_over

NIGHT = date(2026, 11, 1)
INGESTED = {"ingest_police": "success", "ingest_treatment": "success"}


@pytest.mark.parametrize(
    ("dags", "over"),
    [
        (INGESTED, False),
        (INGESTED | {"link": "running"}, False),
        (INGESTED | {"link": "success"}, False),
        (INGESTED | {"link": "success", "marts": "running"}, False),
        (INGESTED | {"link": "success", "marts": "success"}, True),
        (INGESTED | {"link": "success", "marts": "failed"}, True),
        (INGESTED | {"link": "failed"}, True),
        ({"ingest_police": "running", "ingest_treatment": "success", "link": "success", "marts": "success"}, False),
    ],
)
def test_a_night_is_over_when_nothing_more_can_start(dags: dict[str, str], over: bool) -> None:
    assert is_over(NightRun(NIGHT, dags)) is over


def test_a_hand_over_that_failed_ends_the_night() -> None:
    run = NightRun(NIGHT, dict(INGESTED), [TaskState("ingest_police", "hand_over", "failed")])
    assert is_over(run)


def test_a_refused_delivery_is_named_and_does_not_stop_publication() -> None:
    run = NightRun(NIGHT, {"ingest_police": "failed", "ingest_treatment": "success", "link": "success", "marts": "success"})
    assert run.refused_feeds == ["police"]
    assert run.published


def test_a_failed_build_is_not_a_publication() -> None:
    assert not NightRun(NIGHT, INGESTED | {"link": "success", "marts": "failed"}).published
