"""The part of the report on how right the links are: against the truth of synthetic data, by stewards' verdicts, and for whom they are less so."""

from __future__ import annotations

from warehouse.publish.facts import ACCURACY, Linkage
from warehouse.publish.report import charts, linkage_charts
from warehouse.publish.report.blocks import Block, Figure, Note, Table, columns

METHODS = ("The warehouse", "Baseline: initials, date of birth, sex and district when unique")
CERTAINTIES = ("strict", "balanced", "inclusive")
KINDS = {"named": "Records with names", "minimal": "Treatment clients"}
# Shares of fewer cases say more about chance than about the group.
FEWEST_CASES = 20
BASES = {"named_pair": "named_records", "client_to_person": "clients_known"}
UNKNOWN = "Precision and recall are not known for this night: neither was it evaluated against a truth, nor have stewards judged a sample of its pairs."


def accuracy(linkage: Linkage) -> list[Block]:
    """Accuracy as far as it was measured, or a sentence that it was not."""
    blocks = [*_against_truth(linkage), *_by_group(linkage), *_by_review(linkage)]
    return blocks or [Note(UNKNOWN)]


def _against_truth(linkage: Linkage) -> list[Block]:
    rows = [
        {"measure": title, "method": method, "value": value}
        for measure, title in ACCURACY.items()
        for method, value in zip(METHODS, linkage.accuracy(measure), strict=True)
        if value is not None
    ]
    if not rows:
        return []
    alt = "Accuracy of the links: " + "; ".join(f"{row['measure']} of {row['method']} {row['value']:.1%}" for row in rows) + "."
    figures = [[str(row["measure"]), str(row["method"]), f"{row['value']:.2%}"] for row in rows]
    return [
        Figure(charts.accuracy(rows), alt, "Links against the truth of the synthetic population, beside the baseline"),
        Table("Accuracy of the links", columns("Measure", "Method", "#Value"), figures),
    ]


def _by_group(linkage: Linkage) -> list[Block]:
    """Who is linked less well: the same measures for groups of people, where each has enough cases."""
    groups = sorted({(a, b) for name, a, b in linkage.metrics if name.startswith("truth_named_pair") and a and a != "certainty"})
    rows = [[kind, group, *(_share(linkage, measure, kind, group) for measure in ACCURACY)] for kind, group in groups]
    if not rows:
        return []
    points = [
        {"kind": kind[0].upper() + kind[1:], "group": group, "measure": title, "value": value}
        for kind, group in groups
        for title, measure in (("Recall, records with names", "named_pair_recall"), ("Recall, treatment clients", "client_to_person_recall"))
        if (value := _told(linkage, measure, kind, group)) is not None
    ]
    blocks: list[Block] = []
    if points:
        low = int(min(float(str(point["value"])) for point in points) * 20) / 20
        alt = "Recall by group: " + "; ".join(f"{point['kind']} {point['group']}, {point['measure']} {point['value']:.1%}" for point in points) + "."
        blocks.append(Figure(linkage_charts.groups(points, low), alt, "Who is found less often: recall by group of people"))
    return [*blocks, Table("Accuracy by group of people", columns("By", "Group", *(f"#{title}" for title in ACCURACY.values())), rows)]


def _told(linkage: Linkage, measure: str, kind: str, group: str) -> float | None:
    """A measure of a group, unless too few cases stand behind it."""
    base = next(base for prefix, base in BASES.items() if measure.startswith(prefix))
    cases = linkage.metric(f"truth_{base}", kind, group) or 0
    return linkage.metric(f"truth_{measure}", kind, group) if cases >= FEWEST_CASES else None


def _share(linkage: Linkage, measure: str, kind: str, group: str) -> str:
    value = _told(linkage, measure, kind, group)
    return "too few" if value is None else f"{value:.2%}"


def _by_review(linkage: Linkage) -> list[Block]:
    """What stewards' verdicts on a sample of pairs say, where there are any."""
    rows = [
        [words, certainty, *(_interval(linkage, f"review_{measure}", kind, certainty) for measure in ("precision", "recall"))]
        for kind, words in KINDS.items()
        for certainty in CERTAINTIES
        if linkage.metric("review_precision", kind, certainty) is not None
    ]
    caption = "Links by stewards' verdicts on a sample of pairs, those never compared among them (95 % intervals)"
    return [Table(caption, columns("Links of", "Certainty", "#Precision", "#Recall"), rows)] if rows else []


def _interval(linkage: Linkage, name: str, kind: str, certainty: str) -> str:
    value, low, high = (linkage.metric(name + end, kind, certainty) or 0 for end in ("", "_low", "_high"))
    return f"{value:.1%} ({low:.1%} to {high:.1%})"
