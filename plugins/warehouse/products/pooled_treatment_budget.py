"""The Pooled Treatment Budget shared out to areas, as it was and as it might be.

The total and what each scenario changes stand in the seed `pooled_treatment_budget_scenarios`. A share of it goes by completions without
re-presentation; of the rest a part goes by population, for need, and the other by people in effective treatment.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.estimate.allocation import allocate, chance_limits
from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.products.product import Frames

COUNTS = ["population", "in_treatment", "completions", "in_effective_treatment"]
POUNDS = ["by_need", "by_completions", "allocation", "allocation_lower_95", "allocation_upper_95", "allocation_first_scenario", "difference"]
ALLOCATIONS = EstimateTable(
    "pooled_treatment_budget",
    {
        "counts": "text",
        "certainty": "text",
        "scenario": "text",
        "financial_year": "text",
        "area_code": "text",
        **dict.fromkeys(COUNTS, "integer"),
        "completions_supposed": "double precision",
        **dict.fromkeys(POUNDS, "bigint"),
        "note": "text",
    },
)


def estimate(frames: Frames, night: date) -> Frames:
    """Every scenario, for the exact counts at each certainty and for the counts as they are published.

    The published counts (rounded, areas with few completions together) are shared out by themselves, so that no exact count can be
    worked back from an area's pounds.

    Args:
        frames: `measures`, a row a certainty and area of the latest year (`rpt_pooled_budget_measures` with population), and `scenarios`.
        night: of the build; not used, the counts are of it.
    """
    import pandas as pd

    measures, scenarios = frames["measures"], frames["scenarios"].sort_values("position")
    parts = [("exact", str(certainty), areas) for certainty, areas in measures.groupby("certainty")]
    parts += [("published", "balanced", as_published(measures[measures["certainty"] == "balanced"]))]
    made = []
    for counts, certainty, areas in parts:
        if areas.empty:
            continue
        ordered = areas.sort_values("area_code").reset_index(drop=True)
        first: pd.Series[Any] | None = None
        for scenario in scenarios.to_dict("records"):
            shared = _shared(ordered, scenario)
            first = shared["allocation"] if first is None else first
            kept = ordered[["financial_year", "area_code", *COUNTS]].join(shared)
            made.append(
                kept.assign(
                    counts=counts,
                    certainty=certainty,
                    scenario=scenario["scenario"],
                    allocation_first_scenario=first,
                    difference=shared["allocation"] - first,
                )
            )
    rows = pd.concat(made, ignore_index=True) if made else pd.DataFrame()
    return {ALLOCATIONS.name: rows.reindex(columns=list(ALLOCATIONS.columns)).astype(dict.fromkeys([*COUNTS, *POUNDS], "Int64"))}


def as_published(measures: pd.DataFrame) -> pd.DataFrame:
    """The areas as they are published: a row each for those with a row of their own, one for the others together."""
    together = measures.groupby("published_area_code", as_index=False).agg(
        population=("population", "sum"),
        financial_year=("financial_year", "first"),
        **{name: (f"published_{name}", "first") for name in COUNTS if name != "population"},
    )
    # Fewer than can be published in all of England: then there is nothing to share by.
    return together.dropna().rename(columns={"published_area_code": "area_code"})


def _shared(areas: pd.DataFrame, scenario: Mapping[Hashable, Any]) -> pd.DataFrame:
    """One scenario's pounds; without them, a note."""
    import pandas as pd

    total, reward, need = int(scenario["total_pounds"]), float(scenario["reward_share"]), float(scenario["need_part"])
    is_changed = areas["area_code"] == scenario["changed_area_code"]
    supposed = areas["completions"].where(~is_changed, areas["completions"] * (1 + float(scenario["completions_percent_change"]) / 100))
    supposed = supposed.clip(upper=areas["in_treatment"]).astype(float)
    if not supposed.sum() or not areas["population"].sum() or not areas["in_effective_treatment"].sum():
        return pd.DataFrame({"completions_supposed": supposed, "allocation": pd.NA, "note": "refused: nobody to share by"}, index=areas.index)
    weights = need * areas["population"] / areas["population"].sum()
    weights = weights + (1 - need) * areas["in_effective_treatment"] / areas["in_effective_treatment"].sum()
    given = areas[["area_code", "in_treatment"]].assign(need_weight=weights, completions=supposed)
    shared = allocate(given, total, reward)[["by_need", "by_completions", "allocation"]]
    is_without_change = bool(scenario["completions_percent_change"]) and not is_changed.any()
    note = "the area that the scenario changes is not shown by itself: nothing changes" if is_without_change else ""
    return shared.join(chance_limits(given, total, reward)).assign(completions_supposed=supposed, note=note)


PRODUCT = Product(
    name="pooled_treatment_budget",
    reads={
        "measures": """
            select measures.*, areas.population_2020 as population
            from {marts}.rpt_pooled_budget_measures as measures
            inner join {marts}.dim_area as areas on measures.area_code = areas.area_code
            where measures.cut = 'adults'
                and measures.financial_year = (select max(financial_year) from {marts}.rpt_pooled_budget_measures)
        """,
        "scenarios": "select * from {reference}.pooled_treatment_budget_scenarios",
    },
    tables=(ALLOCATIONS,),
    estimate=estimate,
)
