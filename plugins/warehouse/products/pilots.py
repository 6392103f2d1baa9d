"""What pilots changed: difference-in-differences on the indicators of areas, for each pilot of the seed `pilots`.

Definition: `estimate.difference`. Periods that the start falls into are of neither side; with rolling years the periods overlap, which errors
clustered by area allow for. Areas without a figure in some period are left out, on both sides.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.estimate.difference import Effect, difference_in_differences
from warehouse.estimate.errors import EstimateFault
from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.products.product import Frames

# People (or journeys) of all areas together in each period.
FEWEST_UNITS = 60
CERTAINTIES = ("strict", "balanced", "inclusive")
BEFORE, WITHIN, AFTER, ENDED = "before", "start falls into it", "after", "after the end"

EFFECTS = EstimateTable(
    "pilot_effects",
    {
        "pilot": "text", "indicator": "text", "certainty": "text", "pilot_areas": "integer", "other_areas": "integer", "areas_left_out": "integer",
        "periods_before": "integer", "periods_after": "integer", "first_period_start": "date", "last_period_end": "date",
        "pilot_before": "double precision", "pilot_after": "double precision", "other_before": "double precision", "other_after": "double precision",
        "effect": "double precision", "lower_95": "double precision", "upper_95": "double precision", "p": "double precision",
        "p_placebo": "double precision", "pre_trend": "double precision", "pre_trend_lower_95": "double precision",
        "pre_trend_upper_95": "double precision", "pre_trend_p": "double precision", "fewest_with_event": "integer",
        "warnings": "text", "note": "text",
    },
)  # fmt: skip
PERIODS = EstimateTable(
    "pilot_periods",
    {
        "pilot": "text", "indicator": "text", "certainty": "text", "period_start": "date", "period_end": "date", "phase": "text",
        "pilot_units": "integer", "pilot_units_with_event": "integer", "pilot_value": "double precision",
        "other_units": "integer", "other_units_with_event": "integer", "other_value": "double precision",
        "effect": "double precision", "lower_95": "double precision", "upper_95": "double precision",
    },
)  # fmt: skip
FIGURES = """
select
    pilots.pilot, pilots.start_date, pilots.end_date, listed.indicator, figures.certainty, figures.area_code, figures.period_start, figures.period_end,
    figures.measure, figures.per, figures.numerator::float, figures.denominator::float, figures.units, figures.units_with_event,
    (areas.area_code is not null)::integer as treated
from {reference}.pilots as pilots
cross join lateral unnest(string_to_array(pilots.indicators, ';')) as listed (indicator)
inner join {marts}.rpt_indicators as figures
    on figures.indicator = listed.indicator and figures.area_level = 'authority' and figures.breakdown = 'all' and figures.area_code <> 'unknown'
left join {reference}.pilot_areas as areas on areas.pilot = pilots.pilot and areas.area_code = figures.area_code
"""
LISTED = """
select pilots.pilot, listed.indicator
from {reference}.pilots as pilots cross join lateral unnest(string_to_array(pilots.indicators, ';')) as listed (indicator)
"""


def estimate(frames: Frames, night: date) -> Frames:
    """The effect of each pilot on each of its indicators, and the series behind it.

    Args:
        frames: `listed`, the pilots with their indicators; `figures`, the areas' figures of those indicators at each certainty of linkage.

    Returns:
        `pilot_effects`: a row for each pilot, indicator and certainty, in the indicator's own unit (its `per`); without an estimate, at the balanced
        certainty alone, where `note` says why there is none. `pilot_periods`: a row for each period of those with an estimate.
    """
    effects: list[dict[str, Any]] = []
    periods: list[dict[str, Any]] = []
    figures = frames["figures"]
    for pilot, indicator in sorted(zip(frames["listed"]["pilot"], frames["listed"]["indicator"], strict=True)):
        own = figures[(figures["pilot"] == pilot) & (figures["indicator"] == indicator)]
        for certainty in CERTAINTIES:
            key = {"pilot": pilot, "indicator": indicator, "certainty": certainty}
            try:
                effect, series = _compare(own[own["certainty"] == certainty])
            except EstimateFault as fault:
                if certainty == "balanced":
                    effects.append(key | {"note": f"refused: {str(fault)[0].lower()}{str(fault)[1:]}"})
                continue
            effects.append(key | effect)
            periods += [key | row for row in series]
    return {EFFECTS.name: _frame(effects, EFFECTS), PERIODS.name: _frame(periods, PERIODS)}


def _compare(figures: pd.DataFrame) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The effect in the figures of one pilot, indicator and certainty, and its periods.

    Raises:
        EstimateFault: too little to compare.
    """
    if figures.empty or not figures["treated"].any():
        raise EstimateFault("None of its areas has figures of this indicator")
    rows = figures.assign(period=figures["period_start"].astype(str), phase=_phases(figures))
    used = rows[rows["phase"].isin((BEFORE, AFTER)) & (rows["denominator"] > 0)]
    if set(used["phase"]) != {BEFORE, AFTER}:
        raise EstimateFault("There are no figures of whole periods both before the start and after it")
    seen = used.groupby("area_code")["period"].nunique()
    whole = seen.index[seen == used["period"].nunique()]
    panel = used[used["area_code"].isin(whole)].rename(columns={"area_code": "area"})
    if panel.empty or panel.groupby("period")["units"].sum().min() < FEWEST_UNITS:
        raise EstimateFault(f"Fewer than {FEWEST_UNITS} people in some period, in all areas that have figures throughout")
    found = difference_in_differences(panel, panel.loc[panel["phase"] == AFTER, "period"].min())
    per = float(rows["per"].iloc[0])
    series = _series(rows[rows["area_code"].isin(whole)], found, per)
    return _effect(found, panel, per) | {"areas_left_out": int(rows["area_code"].nunique() - len(whole)), "fewest_with_event": _fewest(panel)}, series


def _phases(figures: pd.DataFrame) -> list[str]:
    """What each figure's period is to the pilot."""

    def phase(start: date, end: date, first: date, last: date | None) -> str:
        if end < first:
            return BEFORE
        if last is not None and start > last:
            return ENDED
        return AFTER if start >= first else WITHIN

    ends = [value if isinstance(value, date) else None for value in figures["end_date"]]
    return [phase(*row) for row in zip(figures["period_start"], figures["period_end"], figures["start_date"], ends, strict=True)]


def _effect(found: Effect, panel: pd.DataFrame, per: float) -> dict[str, Any]:
    sums = panel.groupby(["treated", "phase"])[["numerator", "denominator"]].sum()
    level = (per * sums["numerator"] / sums["denominator"]).to_dict()
    trend = found.pre_trend
    return {
        "pilot_areas": found.treated_areas, "other_areas": found.other_areas,
        "periods_before": int(panel.loc[panel["phase"] == BEFORE, "period"].nunique()),
        "periods_after": int(panel.loc[panel["phase"] == AFTER, "period"].nunique()),
        "first_period_start": panel["period_start"].min(), "last_period_end": panel["period_end"].max(),
        "pilot_before": level[1, BEFORE], "pilot_after": level[1, AFTER], "other_before": level[0, BEFORE], "other_after": level[0, AFTER],
        "effect": per * found.interval.value, "lower_95": per * found.interval.low, "upper_95": per * found.interval.high,
        "p": found.p, "p_placebo": found.p_placebo,
        "pre_trend": trend and per * trend.value, "pre_trend_lower_95": trend and per * trend.low, "pre_trend_upper_95": trend and per * trend.high,
        "pre_trend_p": found.pre_trend_p, "warnings": " ".join(found.warnings) or None,
    }  # fmt: skip


def _series(rows: pd.DataFrame, found: Effect, per: float) -> list[dict[str, Any]]:
    """The figures of pilot and other areas together in each period, with the difference against that of the last period before the start."""
    scaled = found.by_period.set_index("period")[["effect", "lower", "upper"]] * per
    effects = scaled.rename(columns={"lower": "lower_95", "upper": "upper_95"}).to_dict("index")
    series = []
    for (period, start, end, phase), cells in rows.groupby(["period", "period_start", "period_end", "phase"], sort=True):
        row: dict[str, Any] = {"period_start": start, "period_end": end, "phase": phase}
        for mark, side in ((1, "pilot"), (0, "other")):
            own = cells.loc[cells["treated"] == mark, ["numerator", "denominator", "units", "units_with_event"]].sum()
            row |= {f"{side}_units": int(own["units"]), f"{side}_units_with_event": int(own["units_with_event"])}
            row[f"{side}_value"] = per * own["numerator"] / own["denominator"] if own["denominator"] > 0 else None
        series.append(row | {str(name): value for name, value in effects.get(period, {}).items()})
    return series


def _fewest(panel: pd.DataFrame) -> int:
    """The fewest people with the event on either side in a period; for shares the fewest without it too."""
    sums = panel.groupby(["treated", "period"])[["units", "units_with_event"]].sum()
    fewest = sums["units_with_event"].min()
    return int(min(fewest, (sums["units"] - sums["units_with_event"]).min()) if (panel["measure"] == "proportion").all() else fewest)


def _frame(rows: list[dict[str, Any]], table: EstimateTable) -> pd.DataFrame:
    import pandas as pd

    # As objects: whole numbers stay whole where other rows have none.
    return pd.DataFrame(rows, columns=list(table.columns), dtype=object)


PRODUCT = Product(name="pilots", reads={"listed": LISTED, "figures": FIGURES}, tables=(EFFECTS, PERIODS), estimate=estimate)
