"""The report's sections on the run itself: how far the data reach, how long it took, what is live."""

from __future__ import annotations

from warehouse.publish.facts import NightSummary
from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.history import History


def coverage_section(summary: NightSummary) -> Section:
    """How far each feed's events are known: outcomes that need later data are not yet observable."""
    rows = []
    for feed in summary.coverage:
        behind = "" if feed.covered_until is None else str((summary.night - feed.covered_until).days)
        rows.append([feed.feed, str(feed.covered_until or "never delivered"), behind, str(feed.last_night or ""), str(feed.due_on or ""), feed.reason])
    late = [Note(f"{feed.feed} is late: {feed.reason}. Its events may still be on their way.", is_warning=True) for feed in summary.stale]
    blocks: list[Block] = [
        *late,
        Note("An outcome is counted once every agency it needs has delivered past the end of its follow-up; until then it is not yet observable."),
        Table("Coverage", columns("Feed", "Events known until", "#Days behind", "Last delivery admitted for", "Next due", "On time"), rows),
    ]
    return Section("coverage", "Coverage", blocks)


def timing_section(summary: NightSummary, history: History) -> Section:
    """How long each stage took, and the nights before."""
    timed = [(stage, stage.seconds) for stage in summary.stages if stage.seconds is not None]
    if not timed:
        return Section("timings", "Timings", [Note("No stage of this night was recorded.", is_warning=True)])
    rows = [{"stage": stage.label, "seconds": seconds} for stage, seconds in timed]
    slowest, longest = max(timed, key=lambda found: found[1])
    total = sum(seconds for _, seconds in timed)
    blocks: list[Block] = [
        Figure(
            charts.durations(rows),
            f"Seconds by stage; {total:,.0f} in all, the longest {slowest.label} with {longest:,.0f}.",
            "Seconds each stage took, in the order they started; some ran at the same time",
        ),
        Table(
            "Stages",
            columns("Stage", "Status", "Started (UTC)", "#Seconds"),
            [[s.label, s.status, f"{s.started_at:%Y-%m-%d %H:%M:%S}", "" if s.seconds is None else f"{s.seconds:,.1f}"] for s in summary.stages],
            is_detail=True,
        ),
    ]
    if len(history.seconds) > 1:
        nights = [[f"{night}", f"{seconds:,.0f}"] for night, seconds in history.seconds.items()]
        blocks.append(Table("Seconds of all stages together, last nights", columns("Night", "#Seconds"), nights, is_detail=True))
    return Section("timings", "Timings", blocks)


def publication_section(summary: NightSummary) -> Section:
    """What analysts and BI tools see now."""
    live = summary.publication
    if live is None:
        return Section("publication", "Publication", [Note("Nothing has been published yet.", is_warning=True)])
    blocks: list[Block] = [
        Note(f"Analysts see the night of {live.night}, published {live.published_at:%Y-%m-%d %H:%M} UTC from slot {live.slot}."),
        Table("Published tables", columns("Table", "#Rows"), [[name, f"{rows:,}"] for name, rows in summary.marts.items()]),
    ]
    if live.night != summary.night:
        blocks.insert(0, Note(f"The night of {summary.night} is not live: figures of marts on this page are those of {live.night}.", is_warning=True))
    return Section("publication", "Publication", blocks)
