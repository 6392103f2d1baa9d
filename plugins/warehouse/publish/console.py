"""Print the summary of a night as tables that fit a terminal of 120 columns."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.publish.disclosure import journeys, people, share, told_share
from warehouse.publish.facts import ACCURACY, FeedLoad, Linkage, NightSummary, Outcome, StageTime
from warehouse.publish.wording import other_delivery

REASONS_PER_FEED = 3
RULE_LENGTH = 34
SEPARATOR = 3
GOOD_STATUSES = ("admitted", "ok")


def print_summary(summary: NightSummary, console: Console) -> None:
    """Print deliveries with the top reasons of refusal, links, headline outcomes, stage times and mart sizes."""
    console.print()
    console.print(f"[bold]The night of {summary.night}[/]  {_publication(summary)}", highlight=False)
    for feed in summary.stale:
        console.print(Text.assemble(("late ", "bold yellow"), (feed.feed, "bold"), f": {feed.reason}"))
    console.print(_loads(summary.feeds))
    for load in summary.feeds:
        for other in load.others:
            console.print(Text(f"{load.feed}: {other_delivery(other, summary.night)}"))
    if any(feed.reasons for feed in summary.feeds):
        console.print(_reasons(summary.feeds, console.width))
    console.print(_beside(_links(summary.linkage), _marts(summary.marts)))
    if summary.outcomes.recent:
        console.print(_outcomes(summary.outcomes.recent))
    console.print(_beside(_stages(summary.stages), _accuracy(summary.linkage)))


def _beside(*tables: Table) -> Columns:
    """Those of the tables that have rows, side by side where there is room."""
    return Columns([table for table in tables if table.row_count], padding=(0, 3))


def _publication(summary: NightSummary) -> str:
    if summary.publication is None:
        return "nothing is published yet"
    live = summary.publication
    if live.night != summary.night:
        return f"[bold red]not published[/]: the night of {live.night} is live"
    return f"published {live.published_at:%H:%M:%S %Z}, slot {live.slot}"


def _table(title: str, *columns: str) -> Table:
    """A table whose columns are right-aligned when their name starts with `#`."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column.lstrip("#"), justify="right" if column.startswith("#") else "left", no_wrap=True)
    return table


def _status(status: str) -> str:
    return status if status in GOOD_STATUSES else f"[bold yellow]{status}[/]"


def _loads(feeds: tuple[FeedLoad, ...]) -> Table:
    table = _table("Deliveries", "feed", "status", "#received", "#admitted", "#unchanged", "#erased", "#quarantined", "#quarantined %")
    for feed in feeds:
        share = f"{feed.quarantined / feed.received:.2%}" if feed.received else ""
        counts = (feed.received, feed.admitted, feed.unchanged, feed.erased, feed.quarantined)
        table.add_row(feed.feed, _status(feed.status), *(f"{count:,}" for count in counts), share)
    return table


def _reasons(feeds: tuple[FeedLoad, ...], width: int) -> Table:
    table = _table("Top reasons", "table", "rule", "severity", "#rows", "message")
    rows = [
        (f"{feed.feed}.{reason.table}", _shorten(reason.rule, RULE_LENGTH), reason.severity, f"{reason.rows:,}", reason.message)
        for feed in feeds
        for reason in feed.reasons[:REASONS_PER_FEED]
    ]
    # The message gives way, so that the other columns stay whole.
    taken = sum(max(len(str(table.columns[place].header)), *(len(row[place]) for row in rows)) + SEPARATOR for place in range(4))
    for *others, message in rows:
        table.add_row(*others, _shorten(message, max(width - taken, 20)))
    return table


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _links(linkage: Linkage) -> Table:
    table = _table("People", "found in", "and in", "#people")
    if linkage.persons is not None:
        table.add_row("any feed", "", people(linkage.persons))
    for pair in linkage.pairs:
        table.add_row(pair.feed_a, "" if pair.feed_a == pair.feed_b else pair.feed_b, people(pair.people))
    return table


def _accuracy(linkage: Linkage) -> Table:
    table = _table("Links against the truth", "measure", "#warehouse", "#baseline")
    for measure, title in ACCURACY.items():
        ours, baseline = linkage.accuracy(measure)
        if ours is not None:
            table.add_row(title, f"{ours:.2%}", "" if baseline is None else f"{baseline:.2%}")
    return table


def _outcomes(outcomes: tuple[Outcome, ...]) -> Table:
    title = "Outcomes of journeys whose follow-up was completed in the year to the night (counts rounded to 5)"
    table = _table(title, "outcome", "#rate", "#yes", "#of", "#not linked", "#not yet observable")
    for outcome in outcomes:
        told = share(outcome)
        rate = f"{told.rate:.1%}" if told else ""
        table.add_row(outcome.title, rate, *told_share(outcome), *(journeys(outcome.tally(status)) for status in ("not linked", "not yet observable")))
    return table


def _stages(stages: tuple[StageTime, ...]) -> Table:
    """Seconds by stage; the feeds of a stage side by side, for they run at the same time."""
    feeds = sorted({stage.feed for stage in stages if stage.feed})
    table = _table("Seconds taken", "stage", "#all feeds", *(f"#{feed}" for feed in feeds))
    cells: dict[str, dict[str | None, str]] = {}
    for stage in stages:
        taken = "" if stage.seconds is None else f"{stage.seconds:,.1f}"
        cells.setdefault(stage.stage, {})[stage.feed] = taken if stage.status == "ok" else f"[bold yellow]{stage.status}[/] {taken}"
    for name, taken_by in cells.items():
        table.add_row(name, *(taken_by.get(feed, "") for feed in (None, *feeds)))
    return table


def _marts(marts: Mapping[str, int]) -> Table:
    table = _table("Published tables", "table", "#rows")
    for name, rows in marts.items():
        table.add_row(name, f"{rows:,}")
    return table
