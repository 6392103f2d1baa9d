"""The summary's numbers and the report's file, from a database with three nights in it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from tests.integration.reported_nights import EXPECTED, LAST, NIGHTS, three_nights

from warehouse.contracts.load import feeds
from warehouse.database import connect
from warehouse.publish import gate
from warehouse.publish.report.stage import write
from warehouse.publish.summary import night_summary

pytestmark = pytest.mark.integration


@pytest.fixture
def nights(clean_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "expected_tables", lambda: EXPECTED)


def test_the_summary_of_a_night(nights: None) -> None:
    three_nights(last_without="housing")
    summary = night_summary(LAST)
    assert summary.publication is not None
    assert (summary.publication.night, summary.publication.slot) == (LAST, "blue")
    loads = {feed.feed: feed for feed in summary.feeds}
    assert list(loads) == feeds(), "feeds that the nights do not hold too"
    treatment = loads["treatment"]
    assert (treatment.status, treatment.received, treatment.admitted, treatment.unchanged, treatment.quarantined) == (
        "admitted",
        41_230,
        781,
        40_406,
        43,
    )
    assert [(reason.rule, reason.rows) for reason in treatment.reasons] == [
        ("discharge_before_triage", 31),
        ("SEX in sex", 12),
        ("PC pattern", 204),
    ]
    assert (loads["housing"].status, loads["housing"].received) == ("no delivery", 0)
    assert {feed.feed: feed.covered_until for feed in summary.coverage if feed.covered_until} == {
        "benefits": LAST,
        "housing": NIGHTS[1],
        "police": LAST,
        "treatment": LAST,
    }
    assert summary.linkage.persons == 9_120
    assert summary.linkage.records == sum((4_123, 6_312, 8_841, 1_205))
    pairs = {(pair.feed_a, pair.feed_b): pair.people for pair in summary.linkage.pairs}
    assert pairs["police", "treatment"] == 812
    assert pairs["treatment", "treatment"] == 3_435
    assert pairs["benefits", "housing"] == 0
    assert {stage.label for stage in summary.stages} == {*gate.BUILD_STAGES, "publish"}
    assert all(stage.status == "ok" and stage.seconds for stage in summary.stages)
    assert summary.marts == {"marts.dim_person": 9_040, "marts.outcome_recovery": 400, "published.published_recovery_outcomes": 24}


def test_the_outcomes_of_a_night(nights: None) -> None:
    three_nights()
    found = {outcome.indicator: outcome for outcome in night_summary(LAST).outcomes.recent}
    reoffence = found["proven_reoffence_12m"]
    assert reoffence.title == "Proven reoffence within 12 months"
    assert (reoffence.numerator, reoffence.denominator) == (61, 250)
    assert {status: reoffence.tally(status).journeys for status in ("not linked", "censored by death", "not yet observable")} == {
        "not linked": 100,
        "censored by death": 2,
        "not yet observable": 48,
    }
    assert found["re_presentation_6m"].tally("yes").people == 3
    assert len(night_summary(LAST).outcomes.years) == 24


def test_a_rerun_stage_and_a_second_delivery_count_once(nights: None) -> None:
    three_nights(last_refused="police")
    with connect("loader") as connection:
        connection.execute("insert into ops.stage_run (night, stage, status) values (%s, 'model.marts', 'failed')", [LAST])
        connection.execute("insert into ops.delivery (feed, night, content_hash, status) values ('police', %s, 'again', 'admitted')", [LAST])
        connection.execute("insert into ops.delivery (feed, night, content_hash, status) values ('police', %s, 'third', 'refused')", [LAST])
        connection.execute("insert into ops.delivery (feed, night, content_hash, status) values ('police', %s, 'again', 'duplicate')", [LAST])
    summary = night_summary(LAST)
    assert {feed.feed: feed.status for feed in summary.feeds}["police"] == "admitted"
    assert [stage.status for stage in summary.stages if stage.stage == "model.marts"] == ["failed"]


def test_late_deliveries_and_late_feeds_belong_to_the_night_they_came_in(nights: None) -> None:
    """A delivery for the first night that ended between the second publication and the third, and one that ended after."""
    three_nights(last_without="housing")
    with connect("admin") as connection:
        connection.execute("update ops.delivery set finished_at = now() - interval '1 year'")
        connection.execute("update ops.publication set published_at = now() - (3 - publication_id) * interval '1 hour'")
        late = connection.execute(
            "insert into ops.delivery (feed, night, content_hash, status, finished_at)"
            " values ('police', %s, 'late', 'superseded', now() - interval '30 minutes'), ('housing', %s, 'later', 'rejected', now() + interval '1 hour')"
            " returning delivery_id",
            [NIGHTS[0], NIGHTS[0]],
        ).fetchall()
        connection.execute(
            "insert into ops.night_feed (night, feed, due_on, is_stale, reason) values (%s, 'housing', %s, true, 'nothing came')", [LAST, NIGHTS[1]]
        )
        connection.execute(
            "insert into ops.erasure (feed, record_key, reason, requested_on, requested_by, finished_at)"
            " select 'police', gen_random_uuid(), 'erasure request', %s, 'x', now() - interval '30 minutes' from generate_series(1, 6)",
            [LAST],
        )
    summary = night_summary(LAST)
    others = {feed.feed: [(other.delivery_id, other.night, other.status) for other in feed.others] for feed in summary.feeds}
    assert others["police"] == [(late[0][0], NIGHTS[0], "superseded")]
    assert others["housing"] == []
    assert [(stale.feed, stale.due_on, stale.reason) for stale in summary.stale] == [("housing", NIGHTS[1], "nothing came")]
    assert summary.erased == {"police": 6}
    assert night_summary(NIGHTS[1]).erased == {}
    assert night_summary(NIGHTS[1]).stale == ()
    assert {feed.feed: feed.covered_until for feed in night_summary(NIGHTS[1]).coverage}["police"] == NIGHTS[1], "as at its night"


def test_the_report_is_written_whole_and_small_counts_are_masked(nights: None, clean_db: Path) -> None:
    three_nights(last_refused="housing")
    report = write(LAST)
    assert report == clean_db / "reports" / f"{LAST}.html"
    text = report.read_text(encoding="utf-8")
    assert text.endswith("</html>\n")
    for heading in ("Outcomes", "Indicators", "Deliveries", "Quality", "Linkage", "Coverage", "Timings", "Publication"):
        assert f">{heading}</h2>" in text
    assert "http" not in re.sub(r"http-equiv", "", text)
    assert "housing: the delivery is refused. housing_3.csv: the file has no column CLIENTID; send it again" in text
    shown = re.sub(r"\s+", " ", text)
    assert '<th scope="row">Re-presentation to treatment within 6 months (lower is better)</th><td class="number"></td>' in shown
    assert "10 or more records fewer than 5" in shown
    assert '>housing</th><td class="number">fewer than 5</td>' in shown, "three people of housing in treatment"
    assert "fewer than 5" in shown
    assert sorted(path.name for path in report.parent.iterdir()) == [f"{LAST}.html", "latest.html"]
    assert (report.parent / "latest.html").read_bytes() == report.read_bytes()


def test_the_report_of_an_earlier_night_does_not_become_the_latest(nights: None) -> None:
    three_nights()
    latest = write(LAST).read_bytes()
    earlier = write(NIGHTS[0])
    assert f"Not published: analysts see the night of {LAST:%-d %B %Y}" in earlier.read_text(encoding="utf-8")
    assert (earlier.parent / "latest.html").read_bytes() == latest


def test_a_report_without_marts_or_deliveries(clean_db: Path) -> None:
    text = write(date(2026, 11, 1)).read_text(encoding="utf-8")
    assert "Nothing has been published yet" in text
    assert text.count("nothing was delivered") == len(feeds())
