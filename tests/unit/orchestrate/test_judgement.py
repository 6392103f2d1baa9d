"""What `warehouse status` judges wrong, late or worth a look, and where it sends the engineer."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from warehouse.orchestrate import judgement
from warehouse.orchestrate.judgement import (
    CAUSES,
    FeedState,
    Newest,
    Problem,
    StageState,
    of_arrival,
    of_feed,
    of_night,
    of_operations,
    of_stage,
    ordered,
)  # fmt: skip
from warehouse.receive.staleness import NightFeed

ROOT = Path(__file__).parents[3]
NIGHT = date(2026, 11, 9)


def standing(*, stale: bool = False, last: date | None = NIGHT, reason: str = "on time") -> NightFeed:
    due = last + timedelta(days=1) if last else None
    return NightFeed(NIGHT, "police", 7 if last else None, last, last, due, stale, reason)


def feed(newest: Newest | None, *, told_share: float = 0.05, is_busy: bool = False, **about: object) -> list[Problem]:
    return of_feed(FeedState(standing(**about), "Anyshire Police", "/srv/inbox/police", newest, is_busy, told_share))


def test_a_feed_that_is_admitted_and_on_time_is_no_problem() -> None:
    assert feed(Newest(7, NIGHT, "admitted", None, 1000, 49)) == []


def test_a_late_feed_names_the_reason_and_whom_to_ask() -> None:
    (problem,) = feed(Newest(7, NIGHT, "admitted"), stale=True, reason="last delivery 2026-11-01, nothing came after it")
    assert (problem.level, problem.about, problem.what) == ("late", "police", "last delivery 2026-11-01, nothing came after it")
    assert "Anyshire Police" in problem.do
    assert "`ls -la /srv/inbox/police`" in problem.do


def test_a_refused_delivery_gives_its_reason_once_and_the_commands() -> None:
    message = "Delivery 9 of police for 2026-11-09 is refused: nominals: the file is empty [empty_file]"
    (problem,) = feed(Newest(9, NIGHT, "refused", message), stale=True, last=date(2026, 11, 1))
    assert problem.level == "wrong"
    assert problem.what == (
        "delivery 9 of 2026-11-09 was refused: nominals: the file is empty [empty_file]; "
        "the feed stays at the night 2026-11-01, and is late since 2026-11-02"
    )  # fmt: skip
    assert "`warehouse delivery 9`" in problem.do
    assert "`warehouse answer 9`" in problem.do


def test_a_first_delivery_refused_leaves_the_feed_empty() -> None:
    (problem,) = feed(Newest(9, NIGHT, "refused"), stale=True, last=None)
    assert problem.what.endswith("the feed holds nothing yet")


@pytest.mark.parametrize("status", ["received", "loaded", "checked"])
def test_a_delivery_left_half_way_is_wrong_unless_it_is_at_work(status: str) -> None:
    (problem,) = feed(Newest(9, NIGHT, status))
    assert "`warehouse redo 9`" in problem.do
    assert feed(Newest(9, NIGHT, status), is_busy=True) == []


@pytest.mark.parametrize(("quarantined", "told"), [(49, 0), (50, 1), (1000, 1)])
def test_a_share_in_quarantine_is_told_from_its_threshold_on(quarantined: int, told: int) -> None:
    problems = feed(Newest(7, NIGHT, "admitted", None, 1000, quarantined))
    assert len(problems) == told
    assert all("in quarantine" in problem.what and problem.level == "look" for problem in problems)


def test_a_share_of_a_handful_of_rows_says_nothing() -> None:
    state = FeedState(standing(), "Anyshire Police", "/srv/inbox/police", Newest(7, NIGHT, "admitted", None, 39, 19), told_share=0.05, told_rows=20)
    assert of_feed(state) == []


def test_a_delivery_without_rows_has_no_share() -> None:
    assert feed(Newest(7, NIGHT, "admitted", None, 0, 0), told_share=0.0) == []


@pytest.mark.parametrize(("hours", "told"), [(5.9, False), (6.1, True)])
def test_a_stage_that_never_ends_was_killed(hours: float, told: bool) -> None:
    assert (of_stage(StageState("load", "police", NIGHT, "running", hours)) is not None) is told


def test_a_refusal_is_told_of_the_delivery_and_not_again_of_the_stage() -> None:
    assert of_stage(StageState("load", "police", NIGHT, "failed", 1, "DeliveryRefused: no file")) is None
    assert of_stage(StageState("load", "police", NIGHT, "ok", 99)) is None


def test_what_somebody_ran_by_hand_told_them_itself() -> None:
    assert of_stage(StageState("admit.redo", "police", NIGHT, "failed", 1, "DatabaseFault: SQLSTATE 53100")) is None


@pytest.mark.parametrize(
    ("error", "page"),
    [
        ("DatabaseFault: Database error while trying to load delivery 9: SQLSTATE 53100", "machine.md#the-disk-is-full"),
        ("DatabaseFault: Database error while trying to load delivery 9: no SQLSTATE: the connection failed or was lost", "machine.md#postgres-was-restarted"),
        ("AdmitFault: Could not read the delivered files of police: DuckDB IOException", "machine.md#the-disk-is-full"),
        ("ContractError: police.yaml is not valid", "quarantine.md#the-contract-has-a-fault"),
        ("ZeroDivisionError", "night-failed.md#the-night-failed"),
        (None, "night-failed.md#the-night-failed"),
    ],
)
def test_a_failed_stage_leads_to_the_page_of_its_cause(error: str | None, page: str) -> None:
    problem = of_stage(StageState("load", "police", NIGHT, "failed", 1, error))
    assert problem is not None
    assert problem.page == f"docs/runbooks/{page}"
    assert "load of police failed for 2026-11-09" in problem.what


@pytest.mark.parametrize(
    ("message", "page"),
    [
        ("The agency's server does not accept our key for warehouse at sftp.example:22; ask", "arrival.md#sftp-our-key-is-not-accepted"),
        ("The server's key of warehouse at sftp.example:22 is not the one we know; ask", "arrival.md#sftp-the-servers-key-is-not-the-one-we-know"),
        ("The connection to warehouse at sftp.example:22 was lost or not made (TimeoutError)", "arrival.md#sftp-the-server-does-not-answer"),
        ("The night goes on without 2 files of police that are not whole: a.csv, b.csv", "arrival.md#files-lie-there-but-are-not-taken"),
        ("An encrypted file came, but the warehouse has no private key: set WAREHOUSE_PGP_KEY_FILE", "arrival.md#an-encrypted-file-cannot-be-read"),
        ("The landing disk is full: nominals.csv could not be copied.", "machine.md#the-disk-is-full"),
    ],
)
def test_what_keeps_a_feed_from_arriving_leads_to_its_page(message: str, page: str) -> None:
    assert of_arrival("police", message) == Problem("wrong", "police", message, of_arrival("police", message).do, f"docs/runbooks/{page}")


def test_a_night_in_order_is_no_problem() -> None:
    assert of_night(NIGHT, NIGHT, NIGHT, [], is_busy=False) == []
    assert of_night(NIGHT, NIGHT, NIGHT + timedelta(days=1), [], is_busy=False) == []
    assert of_night(None, None, NIGHT, [], is_busy=False) == []


def test_an_airflow_that_stands_still_is_told_after_a_missed_night() -> None:
    (problem,) = of_night(NIGHT, NIGHT, NIGHT + timedelta(days=2), [], is_busy=False)
    assert "nothing has run since" in problem.what


def test_a_night_that_is_not_live_is_wrong_unless_it_is_at_work() -> None:
    yesterday = NIGHT - timedelta(days=1)
    (problem,) = of_night(yesterday, NIGHT, NIGHT, [], is_busy=False)
    assert (problem.level, problem.what) == ("wrong", "the night 2026-11-09 is not published: analysts see the night 2026-11-08")
    assert of_night(yesterday, NIGHT, NIGHT, [], is_busy=True) == []
    (never,) = of_night(None, NIGHT, NIGHT, [], is_busy=False)
    assert never.what.endswith("analysts see nothing")


def test_stale_feeds_of_the_live_night_are_named() -> None:
    (problem,) = of_night(NIGHT, NIGHT, NIGHT, ["housing", "police"], is_busy=False)
    assert "housing, police" in problem.what


def test_operations() -> None:
    assert of_operations(0, 0, None, None, NIGHT) == []
    assert of_operations(0, 0, NIGHT - timedelta(days=15), None, NIGHT) == []
    never, old = of_operations(0, 0, date(2026, 1, 1), None, NIGHT), of_operations(0, 0, date(2026, 1, 1), NIGHT - timedelta(days=16), NIGHT)
    assert [p.what for p in (*never, *old)] == ["the retention has never run", "the retention has not run since 2026-10-24"]
    erasures, alerts = of_operations(1, 2, None, None, NIGHT)
    assert (erasures.level, erasures.do) == ("wrong", "`warehouse erasures --finish`")
    assert erasures.what == "1 erasure is registered and not finished"
    assert alerts.what.startswith("2 alerts")


def test_the_gravest_comes_first() -> None:
    problems = [Problem("look", "a", "", "", ""), Problem("late", "b", "", "", ""), Problem("wrong", "z", "", "", ""), Problem("wrong", "c", "", "", "")]
    assert [(p.level, p.about) for p in ordered(problems)] == [("wrong", "c"), ("wrong", "z"), ("late", "b"), ("look", "a")]


def test_every_page_it_sends_to_is_there() -> None:
    source = Path(judgement.__file__).read_text(encoding="utf-8")
    pages = set(re.findall(r'"([a-z-]+\.md#[a-z-]+)"', source))
    assert {cause.page for cause in CAUSES} < pages
    for page in pages:
        name, _, anchor = page.partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "runbooks" / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings], page


def test_every_command_it_names_exists() -> None:
    from typer.main import get_command

    from warehouse.cli import app

    source = Path(judgement.__file__).read_text(encoding="utf-8") + (ROOT / "plugins/warehouse/orchestrate/deliveries.py").read_text(encoding="utf-8")
    named = set(re.findall(r"`warehouse ([a-z]+)", source))
    assert {"delivery", "answer", "redo", "release", "reject", "erasures", "retention", "contracts"} <= named
    assert named <= set(get_command(app).commands)
