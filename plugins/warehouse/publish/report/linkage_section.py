"""The report's section on linkage: who was found in which feeds, how that came about, how sure it is, and what changed overnight."""

from __future__ import annotations

from datetime import date

from warehouse.publish.disclosure import SMALLEST_TOLD, people
from warehouse.publish.facts import Linkage
from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.history import History
from warehouse.publish.report.linkage_accuracy import accuracy
from warehouse.publish.report.linkage_quality import IDENTIFIERS, certainties, changes, completeness, edges_of_feeds, rules, weights

SIZES = {"1": "1", "2": "2", "3": "3", "4 to 9": "4_to_9", "10 or more": "10_or_more"}
SHARES = ("share_", "completeness_", "truth_", "labels_", "churn")
OF_PEOPLE = ("persons", "person_", "clusters_")
# Measures of models, rules and groups of people, which have tables of their own.
TOLD_ELSEWHERE = ("candidates_by_rule", "edges_by_", "edges_of_feeds", "review_")


def linkage_section(linkage: Linkage, history: History) -> Section:
    """People by feed and pair of feeds, cluster sizes, what was compared, changes overnight, accuracy as far as known, every measure."""
    if linkage.persons is None:
        return Section("linkage", "Linkage", [Note("Linkage recorded no measures for this night.", is_warning=True)])
    blocks: list[Block] = [
        *_warning(linkage),
        Note(f"{people(linkage.persons)} people were found in {linkage.records:,} records of the agencies."),
        *_pairs(linkage),
        _by_feed(linkage),
        *completeness(linkage),
        *_sizes(linkage),
        *certainties(linkage),
        changes(linkage, history),
        *accuracy(linkage),
        *rules(linkage),
        *weights(linkage),
        *edges_of_feeds(linkage),
        _measures(linkage, history),
    ]
    return Section("linkage", "Linkage", blocks)


def _warning(linkage: Linkage) -> list[Block]:
    """Of a night that was not linked as nights are."""
    if linkage.metric("links_are_the_truth") is None:
        return []
    return [Note("The links of this night are a file of the truth, made for a test or an evaluation: no record was linked by what it holds.", is_warning=True)]


def _pairs(linkage: Linkage) -> list[Block]:
    if not linkage.pairs:
        return []
    feeds = sorted(linkage.by_feed("persons"))
    rows = [
        {
            "feed_a": pair.feed_a,
            "feed_b": pair.feed_b,
            "people": pair.people if pair.people >= SMALLEST_TOLD else None,
            "label": people(pair.people) if pair.people >= SMALLEST_TOLD else "< 5",
        }
        for pair in linkage.pairs
    ]
    alt = "People found in both feeds: " + "; ".join(f"{pair.feed_a} and {pair.feed_b} {people(pair.people)}" for pair in linkage.pairs) + "."
    counts = {(pair.feed_a, pair.feed_b): people(pair.people) for pair in linkage.pairs}
    table = [[b, *(counts.get((a, b), "") for a in feeds)] for b in feeds]
    return [
        Figure(charts.link_pairs(rows, feeds), alt, "People found in both feeds (on the diagonal: in the feed at all)"),
        Table("People by pair of feeds", columns("Found in", *(f"#and in {feed}" for feed in feeds)), table),
    ]


def _by_feed(linkage: Linkage) -> Table:
    """How much of each feed was linked, and what there was to link on."""
    records, linked = linkage.by_feed("records"), linkage.by_feed("share_linked")
    usable = sorted(name for name in {metric for metric, _, _ in linkage.metrics} if name.startswith("completeness_"))
    rows = [
        [
            feed,
            f"{count:,.0f}",
            people(int(linkage.metric("persons_in_both", feed, feed) or 0)),
            _percent(linked.get(feed)),
            *(_percent(linkage.metric(name, feed)) for name in usable),
        ]
        for feed, count in sorted(records.items())
    ]
    names = (f"#With {IDENTIFIERS.get(name, name.replace('_', ' '))}" for name in (metric.removeprefix("completeness_") for metric in usable))
    return Table("Linkage by feed", columns("Feed", "#Records", "#People with several", "#Also in another feed", *names), rows)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _sizes(linkage: Linkage) -> list[Block]:
    sizes = [(name, int(count)) for name, band in SIZES.items() if (count := linkage.metric(f"clusters_of_{band}")) is not None]
    told = [{"records": name, "people": count} for name, count in sizes if count >= SMALLEST_TOLD]
    if not told:
        return []
    alt = "People by number of records: " + "; ".join(f"{name} records {people(count)}" for name, count in sizes) + "."
    figure = Figure(charts.bars(told, "sizes", "records", "Records of a person", "people", "People"), alt, "How many records a person has")
    return [
        figure,
        Table("People by number of records", columns("Records", "#People"), [[name, people(count)] for name, count in sizes], is_detail=True),
    ]


def _measures(linkage: Linkage, history: History) -> Table:
    rows = [[_words(name), a, b, _number(name, value), _before(history, name, a, b)] for (name, a, b), value in linkage.metrics.items() if _is_plain(name, a)]
    return Table("All measures of this night", columns("Measure", "Feed", "And feed", "#Value", "#Night before"), rows, is_detail=True)


def _is_plain(name: str, feed_a: str) -> bool:
    return not name.startswith(TOLD_ELSEWHERE) and not (name.startswith("truth_") and feed_a)


def _before(history: History, name: str, feed_a: str, feed_b: str) -> str:
    nights: list[date] = [] if feed_a or feed_b else sorted(history.metrics.get(name, {}))
    return _number(name, history.metrics[name][nights[-2]]) if len(nights) > 1 else ""


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _number(name: str, value: float) -> str:
    """A measure in words: shares with four digits, counts whole, those of people not told when small."""
    if name.startswith(SHARES) or value != int(value):
        return f"{value:,.4g}"
    return people(int(value)) if name.startswith(OF_PEOPLE) else f"{int(value):,}"
