"""The summary at the end of a run fits a terminal and says what went wrong."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

from rich.console import Console

from warehouse.publish.console import print_summary
from warehouse.publish.facts import (
    Coverage,
    FeedLoad,
    Linkage,
    NightSummary,
    OtherDelivery,
    Outcome,
    Outcomes,
    Publication,
    Reason,
    StageTime,
    TableLoad,
    Tally,
)  # fmt: skip

NIGHT = date(2026, 11, 2)
MOMENT = datetime(2026, 11, 3, 1, 12, tzinfo=UTC)


def printed(summary: NightSummary) -> str:
    sink = io.StringIO()
    print_summary(summary, Console(file=sink, width=120, force_terminal=False))
    return sink.getvalue()


def test_a_full_night_fits_120_columns_and_keeps_its_figures() -> None:
    reason = Reason(
        "employment_spells",
        "job_end_before_start",
        "quarantine",
        "The job ends before it starts; send the right dates. " * 3,
        1_234,
        88_000,
    )
    title = "Re-presentation to treatment within 6 months"
    summary = NightSummary(
        night=NIGHT,
        publication=Publication(NIGHT, "green", MOMENT),
        feeds=(
            FeedLoad("benefits", "admitted", None, (TableLoad("employment_spells", 1_088_000, 1_086_000, 1_234, 766),), (reason,) * 5),
            FeedLoad("police", "refused", "no", (), ()),
        ),
        coverage=(),
        linkage=Linkage(
            {
                ("persons_total", "", ""): 20_000.0,
                ("persons", "police", ""): 4_000.0,
                ("truth_named_pair_precision", "", ""): 0.98,
                ("truth_named_pair_recall", "", ""): 0.9,
            }
        ),
        outcomes=Outcomes((Outcome("re_presentation_6m", title, "", "", "", {"yes": Tally(61, 60), "no": Tally(189, 180)}),)),
        stages=(StageTime("admit", "benefits", "ok", MOMENT, 12.5), StageTime("link.score", None, "failed", MOMENT, 1.0)),
        marts={"published.published_recovery_outcomes": 12_345},
    )
    text = printed(summary)
    assert max(map(len, text.splitlines())) <= 120
    for expected in (
        "published 01:12:00 UTC, slot green",
        "1,088,000",
        "1,234",
        "quarantine",
        "refused",
        "20,000",
        "98.00%",
        "24.0%",
        title,
        "12.5",
        "failed",
        "12,345",
    ):
        assert expected in text
    assert text.count("employment_spells") == 3, "three reasons a feed at most"


def test_late_feeds_and_other_deliveries_are_told() -> None:
    reason = "last delivery 2026-10-28, the next was due 2026-10-29 and late from 2026-11-01; delivery 9 of 2026-10-30 was refused"
    others = (OtherDelivery(12, date(2026, 11, 1), "admitted", None, 10), OtherDelivery(13, NIGHT, "duplicate", None, 10))
    summary = NightSummary(
        night=NIGHT,
        publication=None,
        feeds=(FeedLoad("police", "no delivery", None, (), (), others),),
        coverage=(Coverage("housing", None, None, None, True, reason), Coverage("police", NIGHT, NIGHT, NIGHT, False, "on time")),
        linkage=Linkage(),
        outcomes=Outcomes(),
        stages=(),
        marts={},
    )
    text = printed(summary)
    assert max(map(len, text.splitlines())) <= 120
    assert f"late housing: {reason}" in " ".join(text.split())
    assert "late police" not in text
    assert "police: delivery 12 for 2026-11-01 came late and was put in its place" in text
    assert "police: delivery 13 repeats an earlier one" in text


def test_a_night_not_published_says_what_is_live() -> None:
    empty = NightSummary(NIGHT, Publication(date(2026, 11, 1), "blue", MOMENT), (), (), Linkage(), Outcomes(), (), {})
    assert "not published: the night of 2026-11-01 is live" in printed(empty)
    assert "nothing is published yet" in printed(NightSummary(NIGHT, None, (), (), Linkage(), Outcomes(), (), {}))
