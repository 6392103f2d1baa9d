"""The report's sections on what the agencies delivered and on the quality of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from warehouse.publish.disclosure import people
from warehouse.publish.facts import FeedLoad, Reason
from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.history import History
from warehouse.publish.wording import other_delivery

WORST_RULES = 12


def load_section(feeds: tuple[FeedLoad, ...], history: History, night: date, erased: Mapping[str, int], on_time: Collection[str] = ()) -> Section:
    """Rows received, admitted and quarantined by feed and table, against the last nights; late, replaced and withdrawn deliveries.

    Args:
        erased: records erased by feed since the night before.
        on_time: feeds that have come and are not late. One of them that owes nothing tonight, as a weekly feed on most nights, is no trouble.
    """
    blocks: list[Block] = [Note(_trouble(feed), is_warning=True) for feed in feeds if feed.status != "admitted" and not owes_nothing(feed, on_time)]
    fates = [
        {"feed": feed.feed, "fate": fate, "rows": rows}
        for feed in feeds
        for fate, rows in (("admitted", feed.admitted), ("unchanged", feed.unchanged), ("quarantined", feed.quarantined), ("erased", feed.erased))
        if rows
    ]
    if fates:
        alt = "Share of received rows by fate: " + "; ".join(_fate(feed) for feed in feeds if feed.received) + "."
        blocks.append(Figure(charts.row_fates(fates), alt, "What became of the rows received"))
    blocks.append(
        Table(
            "Deliveries",
            columns("Feed", "Status", "#Received", "#Admitted", "#Unchanged", "#Erased", "#Quarantined", "#Quarantined %"),
            [[feed.feed, feed.status, *_counts(feed), _share(feed.quarantined, feed.received)] for feed in feeds],
        )
    )
    blocks.append(
        Table(
            "Deliveries by table",
            columns("Feed", "Table", "#Received", "#Admitted", "#Unchanged", "#Erased", "#Quarantined"),
            [
                [feed.feed, t.table, *(f"{count:,}" for count in (t.received, t.admitted, t.unchanged, t.erased, t.quarantined))]
                for feed in feeds
                for t in feed.tables
            ],
            is_detail=True,
        )
    )
    others = [[feed.feed, other_delivery(other, night), f"{other.received:,}", other.message or ""] for feed in feeds for other in feed.others]
    if others:
        blocks.append(Table("Other deliveries since the night before", columns("Feed", "What became of it", "#Rows", "Message"), others))
    if erased:
        told = ", ".join(f"{feed} {people(count)}" for feed, count in erased.items())
        blocks.append(Note(f"Records erased since the night before, at the request of the person or the agency: {told}."))
    return Section("deliveries", "Deliveries", [*blocks, *_last_nights(history)])


def owes_nothing(feed: FeedLoad, on_time: Collection[str]) -> bool:
    """Whether a feed that did not come need not have come."""
    return feed.status == "no delivery" and feed.feed in on_time


def _trouble(feed: FeedLoad) -> str:
    what = "nothing was delivered" if feed.status == "no delivery" else f"the delivery is {feed.status}"
    return f"{feed.feed}: {what}. {feed.message or ''}".strip()


def _fate(feed: FeedLoad) -> str:
    erased = f", {feed.erased:,} erased" if feed.erased else ""
    return f"{feed.feed} {feed.admitted:,} admitted, {feed.unchanged:,} unchanged, {feed.quarantined:,} quarantined{erased} of {feed.received:,}"


def _counts(feed: FeedLoad) -> list[str]:
    return [f"{count:,}" for count in (feed.received, feed.admitted, feed.unchanged, feed.erased, feed.quarantined)]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else ""


def _last_nights(history: History) -> list[Block]:
    if len({load.night for load in history.loads}) < 2:
        return []
    rows = [{"feed": load.feed, "night": load.night.isoformat(), "rows": load.received} for load in history.loads if load.received]
    return [
        Figure(
            charts.nights(rows, "loads", "rows", ".3~s", "log"),
            "Rows received by feed on each of the last nights; the figures are in the table that follows.",
            "Rows received, last nights; each feed has its own logarithmic scale",
        ),
        Table(
            "Rows received and quarantined, last nights",
            columns("Feed", "Night", "#Received", "#Quarantined", "#Quarantined %"),
            [[load.feed, f"{load.night}", f"{load.received:,}", f"{load.quarantined:,}", _share(load.quarantined, load.received)] for load in history.loads],
            is_detail=True,
        ),
    ]


def quality_section(feeds: tuple[FeedLoad, ...], history: History) -> Section:
    """Rules that rows broke, by how many, with what to do about it; and the trend."""
    failed = sorted(((feed.feed, reason) for feed in feeds for reason in feed.reasons), key=lambda found: -found[1].rows)
    if not failed:
        return Section("quality", "Quality", [Note("No row of this night's deliveries broke a rule."), *_quarantine_trend(history)])
    worst, others = failed[:WORST_RULES], failed[WORST_RULES:]
    rows = [{"rule": f"{feed}.{reason.table}: {reason.rule}", "severity": reason.severity, "rows": reason.rows} for feed, reason in worst]
    alt = "Rows that broke a rule: " + "; ".join(f"{row['rule']} {row['rows']:,}" for row in rows) + "."
    blocks: list[Block] = [
        Note("Quarantined rows are kept out of the warehouse until the agency mends them; warned ones are admitted. A row may break several rules."),
        Figure(charts.failed_rules(rows), alt, f"Rows that broke a rule: the {len(worst)} of {len(failed)} rules broken most often"),
        _rules_table("Rules broken most often", worst),
    ]
    if others:
        blocks.append(_rules_table(f"The other {len(others)} rules broken", others, is_detail=True))
    return Section("quality", "Quality", [*blocks, *_quarantine_trend(history)])


def _rules_table(caption: str, failed: list[tuple[str, Reason]], is_detail: bool = False) -> Table:
    rows = [[feed, r.table, r.rule, r.severity, f"{r.rows:,}", "" if r.checked is None else f"{r.checked:,}", r.message] for feed, r in failed]
    return Table(caption, columns("Feed", "Table", "Rule", "Severity", "#Rows", "#Of", "Message"), rows, is_detail)


def _quarantine_trend(history: History) -> list[Block]:
    if len({load.night for load in history.loads}) < 2:
        return []
    rows = [{"feed": load.feed, "night": load.night.isoformat(), "share": load.quarantined / load.received} for load in history.loads if load.received]
    figure = Figure(
        charts.nights(rows, "quarantine", "share", ".1%"),
        "Share of received rows that were quarantined, by feed, on each of the last nights; the figures are in the table of the last nights.",
        "Share of rows quarantined, last nights",
    )
    table = Table(
        "Rules broken, last nights, all feeds",
        columns("Night", "#Rows quarantined for a rule", "#Rows warned of"),
        [[f"{night.night}", f"{night.quarantine:,}", f"{night.warn:,}"] for night in history.rules],
        is_detail=True,
    )
    return [figure, table]
