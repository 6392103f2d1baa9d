"""Headline outcomes put right for the errors of linkage, beside what they were naively.

Definition: `estimate.linkage_error`. The rate put right is of all journeys, linked or not: of those seen with the outcome by a link a share `precision` truly
has it, and a share `recall` of those who truly have it is seen. Among the linked alone, missed links take people out of both sides of the rate, so that one is
shown as it is.

Precision and recall come from what was measured of the links (`ops.linkage_metric`), on each basis there is: stewards' verdicts, the known truth of synthetic
people, or the model's own weights, which know nothing of pairs that were never compared.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.estimate.common import Interval, wilson
from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.linkage_error import partly_linked_rate
from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    from warehouse.products.product import Frames

    Measures = dict[tuple[str, str, str], float]
    Quality = tuple[Interval, Interval]

FEWEST_JOURNEYS = 60
# The best first: the first that was measured is the preferred one.
BASES = ("review by stewards", "known truth", "model weights")
LEVELS = ("strict", "balanced", "inclusive")
MODELLED = "balanced"
MINIMAL = "minimal"
BIN_BITS = 2
KEY = ["certainty", "cut", "outcome", "period_start", "period_end", "breakdown", "breakdown_value"]

TABLE = EstimateTable(
    "linkage_error",
    {
        "certainty": "text", "cut": "text", "outcome": "text", "period_start": "date", "period_end": "date", "breakdown": "text", "breakdown_value": "text",
        "basis": "text", "is_preferred": "boolean", "journeys": "integer", "journeys_unlinked": "integer", "journeys_with_outcome": "integer",
        "journeys_with_outcome_by_link": "integer", "linked_rate": "double precision", "linked_lower_95": "double precision",
        "linked_upper_95": "double precision", "naive_rate": "double precision", "naive_lower_95": "double precision", "naive_upper_95": "double precision",
        "link_precision": "double precision", "link_precision_lower_95": "double precision", "link_precision_upper_95": "double precision",
        "link_recall": "double precision", "link_recall_lower_95": "double precision", "link_recall_upper_95": "double precision",
        "adjusted_rate": "double precision", "adjusted_lower_95": "double precision", "adjusted_upper_95": "double precision", "note": "text",
    },
)  # fmt: skip
# The latest time that each measure was taken: truth and review are not taken every night. Of weights, those of the latest night alone.
MEASURES = """
select distinct on (metric, feed_a, feed_b)
    case when metric = 'edges_of_feeds' then 'edges_between_clients' else metric end as metric,
    case when metric = 'edges_of_feeds' then '' else feed_a end as feed_a,
    case when metric = 'edges_of_feeds' then '' else feed_b end as feed_b,
    value
from ops.linkage_metric
where
    night <= :night
    and (
        starts_with(metric, 'truth_client') or starts_with(metric, 'review_')
        or (
            (metric in ('edges_by_weight', 'edges_by_level') or (metric = 'edges_of_feeds' and feed_a = 'treatment' and feed_b = 'treatment'))
            and night = (select max(latest.night) from ops.linkage_metric as latest where latest.night <= :night and latest.metric = 'edges_by_weight')
        )
    )
order by metric, feed_a, feed_b, night desc
"""


def estimate(frames: Frames, night: date) -> Frames:
    """Each outcome's naive rates and those put right, on each basis for precision and recall.

    Args:
        frames: `counts` as int_linkage_error_counts has them; `measures` of the links (metric, feed_a, feed_b, value).

    Returns:
        A row for each count and basis, shares of 1; one row without a basis, whose note says why, where nothing can be put right.
    """
    import pandas as pd

    measures: Measures = {(row["metric"], row["feed_a"], row["feed_b"]): row["value"] for row in frames["measures"].to_dict("records")}
    rows: list[dict[str, Any]] = []
    for counted in frames["counts"].sort_values(KEY, kind="stable").to_dict("records"):
        naive = _naive({str(name): value for name, value in counted.items()})
        if counted["journeys"] + counted["journeys_unlinked"] < FEWEST_JOURNEYS:
            rows.append(naive | {"note": f"refused: fewer than {FEWEST_JOURNEYS} journeys"})
            continue
        found = [(basis, quality) for basis in BASES if (quality := _quality(measures, basis, naive))]
        if not found:
            rows.append(naive | {"note": "precision and recall of this group's links were not measured"})
        rows += [naive | _adjusted(naive, quality) | {"basis": basis, "is_preferred": basis == found[0][0]} for basis, quality in found]
    return {TABLE.name: pd.DataFrame(rows, columns=list(TABLE.columns), dtype=object)}


def _naive(counted: dict[str, Any]) -> dict[str, Any]:
    """The rates as they are: among those whose outcome is known, and of all, the unlinked counted as without it."""
    everybody = counted["journeys"] + counted["journeys_unlinked"]
    row = counted | {"basis": "none", "is_preferred": False}
    for name, people in (("linked", counted["journeys"]), ("naive", everybody)):
        if people:
            row |= _limits(wilson(counted["journeys_with_outcome"], people), f"{name}_rate", name)
    return row


def _adjusted(naive: dict[str, Any], quality: Quality) -> dict[str, Any]:
    precision, recall = quality
    row = _limits(precision, "link_precision", "link_precision") | _limits(recall, "link_recall", "link_recall")
    by_link = naive["journeys_with_outcome_by_link"]
    try:
        found = partly_linked_rate(naive["journeys_with_outcome"] - by_link, by_link, naive["journeys"] + naive["journeys_unlinked"], precision, recall)
    except EstimateFault as fault:
        return row | {"note": str(fault)}
    return row | _limits(found, "adjusted_rate", "adjusted")


def _limits(found: Interval, name: str, prefix: str) -> dict[str, float]:
    return {name: found.value, f"{prefix}_lower_95": found.low, f"{prefix}_upper_95": found.high}


def _quality(measures: Measures, basis: str, counted: dict[str, Any]) -> Quality | None:
    """Precision and recall of the links that an outcome rests on, as a basis has them; None where it has none for the group."""
    group = "" if counted["breakdown"] == "all" else counted["breakdown_value"]
    if basis == "known truth":
        return _by_truth(measures, counted["link"], counted["certainty"], group)
    if group:
        return None
    return _by_review(measures, counted["certainty"]) if basis == "review by stewards" else _by_weights(measures, counted["certainty"])


def _by_review(measures: Measures, certainty: str) -> Quality | None:
    """From stewards' verdicts on pairs with a treatment record, with the limits they were kept with."""
    parts = []
    for name in ("precision", "recall"):
        values = [measures.get((f"review_{name}{suffix}", MINIMAL, certainty)) for suffix in ("", "_low", "_high")]
        if any(value is None for value in values) or not values[1]:
            return None
        parts.append(Interval(*(float(value) for value in values if value is not None)))
    return parts[0], parts[1]


def _by_truth(measures: Measures, link: str, certainty: str, sex: str) -> Quality | None:
    """From the truth of synthetic people, with Wilson's interval of as many links as were judged."""
    group = ("sex", sex) if sex else ("", "") if certainty == MODELLED else ("certainty", certainty)
    precision, recall = (measures.get((f"truth_{link}_{name}", *group)) for name in ("precision", "recall"))
    if link == "client_to_person":
        known = measures.get(("truth_clients_known", *group))
    else:
        linked = measures.get(("edges_between_clients", "", ""))
        known = linked * precision / recall if linked and precision and recall else None
    if not precision or not recall or not known:
        return None
    judged = max(known * recall / precision, 1.0)
    return wilson(precision * judged, judged), wilson(recall * known, known)


def _by_weights(measures: Measures, certainty: str) -> Quality | None:
    """What the model that links treatment clients expects of its own pairs: each is right with the probability of its weight.

    The pairs of a certainty are taken to be the heaviest, as many as it joins; the measures hold weights in bins, whose middle stands for all in it.
    Recall is of the pairs that were kept, not of those that were never compared.
    """
    bins = sorted(
        ((float(low), count) for (metric, model, low), count in measures.items() if metric == "edges_by_weight" and model.startswith(MINIMAL)), reverse=True
    )
    wanted = LEVELS[: LEVELS.index(certainty) + 1]
    joined = sum(count for (metric, model, level), count in measures.items() if metric == "edges_by_level" and model.startswith(MINIMAL) and level in wanted)
    if not bins or not joined:
        return None
    right = taken = everything = 0.0
    for low, count in bins:
        probability = 1 / (1 + 2 ** -(low + BIN_BITS / 2))
        own = min(count, max(joined - taken, 0.0))
        right, taken, everything = right + own * probability, taken + own, everything + count * probability
    return wilson(right, taken), wilson(right, everything)


PRODUCT = Product(
    name="linkage_error",
    reads={"counts": "select * from {intermediate}.int_linkage_error_counts", "measures": MEASURES},
    tables=(TABLE,),
    estimate=estimate,
)
