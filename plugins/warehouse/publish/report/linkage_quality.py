"""The part of the report on how linkage worked: what there was to link on, what was compared, how heavy the edges were, what it changed."""

from __future__ import annotations

from warehouse.publish.disclosure import people
from warehouse.publish.facts import Linkage
from warehouse.publish.report import linkage_charts
from warehouse.publish.report.blocks import Block, Figure, Table, columns
from warehouse.publish.report.history import History

IDENTIFIERS = {"surname": "names", "dob": "date of birth", "sex": "sex", "place": "place", "nino": "NINO", "pnc_id": "PNC id"}
CERTAINTIES = {"strict": "_strict", "balanced": "", "inclusive": "_inclusive"}
EVENTS = ("person_created", "person_merged", "person_split", "person_retired")
# Bits of a bin of `edges_by_weight`, as `link.quality` makes them.
BIN_BITS = 2
# Columns of blocking rules in words.
WORDS = {
    "surname_sound": "sound of surname", "forename_group": "forename or short form", "forename_sound": "sound of forename", "dob": "date of birth",
    "birth_year": "year of birth", "birth_month": "month and year of birth", "birth_day": "day and month of birth", "nino": "NINO", "pnc_id": "PNC id",
    "sectors": "a sector", "districts": "a district", "areas": "a postcode area", "postcodes": "a postcode",
    "forename_initial": "initial of forename", "surname_initial": "initial of surname",
}  # fmt: skip
KINDS = {"named": "Records with names", "minimal": "Records with initials alone"}


def completeness(linkage: Linkage) -> list[Block]:
    """What each feed can be linked on; the figures stand in the table by feed."""
    feeds = sorted(linkage.by_feed("records"))
    rows = [
        {"feed": feed, "identifier": words, "share": share}
        for feed in feeds
        for name, words in IDENTIFIERS.items()
        if (share := linkage.metric(f"completeness_{name}", feed)) is not None
    ]
    if not rows:
        return []
    alt = "Share of records with a usable identifier: " + "; ".join(f"{row['feed']} {row['identifier']} {row['share']:.0%}" for row in rows) + "."
    return [Figure(linkage_charts.completeness(rows, feeds, list(IDENTIFIERS.values())), alt, "What there was to link on: records with a usable identifier")]


def rules(linkage: Linkage) -> list[Block]:
    """Pairs that each blocking rule made, other rules apart, and edges that came of it."""
    blocks: list[Block] = []
    for kind, title in KINDS.items():
        compared = {rule: int(count) for (name, a, rule), count in linkage.metrics.items() if name == "candidates_by_rule" and a == kind}
        kept = {rule: int(count) for (name, a, rule), count in linkage.metrics.items() if name == "edges_by_rule" and a == kind}
        found = sorted({*compared, *kept}, key=lambda rule: (-compared.get(rule, 0), -kept.get(rule, 0), rule))
        bars = [
            {"rule": rule_words(rule), "what": what, "pairs": counts[rule]}
            for rule in found
            for what, counts in (("pairs it made this night", compared), ("edges it was the first to make, on any night", kept))
            if counts.get(rule)
        ]
        if not bars:
            continue
        alt = f"{title}, pairs by blocking rule: " + "; ".join(f"{bar['rule']}: {bar['pairs']:,} {bar['what']}" for bar in bars) + "."
        rows = [[rule_words(rule), f"{compared.get(rule, 0):,}", f"{kept.get(rule, 0):,}"] for rule in found]
        blocks += [
            Figure(linkage_charts.rules(bars, f"rules-{kind}"), alt, f"{title}: what the blocking rules brought together"),
            Table(
                f"{title}: pairs by blocking rule", columns("The same", "#Pairs it made this night", "#Edges it was the first to make"), rows, is_detail=True
            ),
        ]
    return blocks


def rule_words(rule: str) -> str:
    """The columns of a blocking rule in words."""
    columns_ = rule.replace("forename = surname, surname = forename", "names swapped").split(", ")
    return ", ".join(WORDS.get(column, column.replace("_", " ")) for column in columns_)


def weights(linkage: Linkage) -> list[Block]:
    """How heavy the edges are, and from which certainty on they join."""
    rows = sorted(
        ({"model": a, "low": int(b), "edges": int(count)} for (name, a, b), count in linkage.metrics.items() if name == "edges_by_weight"),
        key=lambda row: (str(row["model"]), int(str(row["low"]))),
    )
    if not rows:
        return []
    models = sorted({str(row["model"]) for row in rows})
    alt = "Edges by model and match weight in bits: " + "; ".join(f"{row['model']} from {row['low']}: {row['edges']:,}" for row in rows) + "."
    by_level = [[model, *(f"{linkage.metric('edges_by_level', model, level) or 0:,.0f}" for level in CERTAINTIES)] for model in models]
    by_weight = [[str(row["model"]), f"{row['low']}", f"{row['edges']:,}"] for row in rows]
    return [
        Figure(linkage_charts.weights(rows, BIN_BITS), alt, "How heavy the edges are"),
        Table("Edges by model and the certainty from which they join", columns("Model", *(f"#{level.capitalize()}" for level in CERTAINTIES)), by_level),
        Table("Edges by model and match weight", columns("Model", "#Bits from", "#Edges"), by_weight, is_detail=True),
    ]


def edges_of_feeds(linkage: Linkage) -> list[Block]:
    """Edges that join, for each pair of feeds."""
    rows = [[a, b, people(int(count))] for (name, a, b), count in sorted(linkage.metrics.items()) if name == "edges_of_feeds"]
    return [Table("Edges by pair of feeds", columns("Feed", "And feed", "#Edges that join"), rows, is_detail=True)] if rows else []


def certainties(linkage: Linkage) -> list[Block]:
    """The three certainties side by side."""
    rows = [
        [
            certainty,
            people(int(persons)),
            f"{linkage.metric('largest_cluster' + suffix) or 0:,.0f}",
            _share(linkage.metric("churn" + suffix)),
        ]
        for certainty, suffix in CERTAINTIES.items()
        if (persons := linkage.metric("persons_total" + suffix)) is not None
    ]
    if len(rows) < len(CERTAINTIES):
        return []
    return [Table("The three certainties side by side", columns("Certainty", "#People", "#Records of the largest", "#Records whose person changed"), rows)]


def changes(linkage: Linkage, history: History) -> Table:
    """Person ids that began, joined, parted or ended, and the share of records that changed person, this night and the nights before."""
    events = [name for name in EVENTS if linkage.metric(name) is not None]
    churn = history.metrics.get("churn", {})
    nights = sorted({night for name in events for night in history.metrics.get(name, {})})
    rows = [[f"{night}", *(people(int(history.metrics[name].get(night, 0))) for name in events), _share(churn.get(night))] for night in nights]
    names = [f"#{name.removeprefix('person_').capitalize()}" for name in events]
    return Table("Changes of person ids by night", columns("Night", *names, "#Records whose person changed"), rows)


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.3%}"
