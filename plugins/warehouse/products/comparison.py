"""Areas and providers beside each other: adjusted for case mix, with the limits of a funnel, small ones drawn in.

Definition: `estimate.comparison`; outcomes and years in the seed `comparison_outcomes`. One model of case mix for each outcome, cut and certainty
of linkage, without areas or providers in it: an adjusted rate is what the unit would have if its people were those of everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.estimate.comparison import CaseMix, case_mix_model, dispersion, funnel, shrunken_rates, unit_rates
from warehouse.estimate.errors import EstimateFault
from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.products.product import Frames

# What is adjusted for, the most important first: the last are left out where there are too few people.
COVARIATES = ("drug_group", "age", "treated_before", "sex", "housing_problem", "in_paid_work", "has_injected", "criminal_justice_referral")
FEWEST_JOURNEYS = 60
FEWEST_UNITS = 3
SET = ["certainty", "cut", "outcome", "period_start", "period_end"]
LEVELS = {"authority": "area_code", "provider": "provider_code"}
NOT_A_UNIT = ("unknown", "all")

UNITS = EstimateTable(
    "comparison_units",
    {
        "certainty": "text", "cut": "text", "outcome": "text", "period_start": "date", "period_end": "date",
        "area_level": "text", "unit_code": "text", "journeys": "integer", "journeys_with_outcome": "integer", "journeys_unlinked": "integer",
        "rate": "double precision", "expected": "double precision", "overall_rate": "double precision",
        "adjusted_rate": "double precision", "adjusted_lower_95": "double precision", "adjusted_upper_95": "double precision",
        "funnel_lower_95": "double precision", "funnel_upper_95": "double precision",
        "funnel_lower_998": "double precision", "funnel_upper_998": "double precision", "position": "text",
        "shrunken_rate": "double precision", "shrunken_lower_95": "double precision", "shrunken_upper_95": "double precision",
        "own_weight": "double precision", "dispersion_ratio": "double precision", "adjusted_for": "text", "warnings": "text", "note": "text",
    },
)  # fmt: skip
MODEL = EstimateTable(
    "comparison_model",
    {
        "certainty": "text", "cut": "text", "outcome": "text", "covariate": "text", "value": "text", "journeys": "integer",
        "odds_ratio": "double precision", "lower_95": "double precision", "upper_95": "double precision",
    },
)  # fmt: skip


def estimate(frames: Frames, night: date) -> Frames:
    """The units of each outcome, cut and certainty, and the models they are adjusted by.

    Args:
        frames: `cells` as int_comparison_cells has them.

    Returns:
        `comparison_units`: a row a unit, and one of all together (area_level `all`), which alone is there, with a note and without estimates, where
        there are too few to compare. Shares are of 1; limits of the funnel stand on the scale of the adjusted rate.
        `comparison_model`: the odds ratios of each model.
    """
    cells = frames["cells"].rename(columns={"journeys": "people", "journeys_with_outcome": "observed"})
    units: list[pd.DataFrame] = []
    models: list[pd.DataFrame] = []
    for key, rows in cells.groupby(SET, sort=True):
        named: dict[str, Any] = {str(name): value for name, value in zip(SET, key, strict=True)}
        ordered = rows.sort_values(["area_code", "provider_code", *COVARIATES], kind="stable").reset_index(drop=True)
        try:
            if ordered["people"].sum() < FEWEST_JOURNEYS:
                raise EstimateFault(f"refused: fewer than {FEWEST_JOURNEYS} journeys")
            model = case_mix_model(ordered, COVARIATES)
        except EstimateFault as fault:
            units.append(_together(ordered, None).assign(**named, note=str(fault)))
            continue
        found = [_together(ordered, model), *(_level(ordered, model, level) for level in LEVELS)]
        units += [frame.assign(**named) for frame in found if len(frame)]
        models.append(model.odds.assign(**named))
    odds = {"people": "journeys", "lower": "lower_95", "upper": "upper_95"}
    return {UNITS.name: _table(units, UNITS), MODEL.name: _table([frame.rename(columns=odds) for frame in models], MODEL)}


def _level(cells: pd.DataFrame, model: CaseMix, level: str) -> pd.DataFrame:
    """The units of one kind; none where there are not three of them. People who are of no unit count in the model alone."""
    import pandas as pd

    column = LEVELS[level]
    own = cells.assign(expected=cells["people"] * model.risk)
    own = own[~own[column].isin(NOT_A_UNIT)]
    if own.loc[own["people"] > 0, column].nunique() < FEWEST_UNITS:
        return pd.DataFrame()
    rates = unit_rates(own, column)
    overall = cells["observed"].sum() / cells["people"].sum()
    # Observed over expected is taken to the rate of everybody, also where some people are of no unit.
    rates[["adjusted", "lower", "upper"]] *= overall / (rates["observed"].sum() / rates["people"].sum())
    placed = funnel(rates)
    scale = overall / placed["target"]
    warnings = list(model.warnings)
    drawn: dict[str, Any] = {"shrunken_rate": None, "shrunken_lower_95": None, "shrunken_upper_95": None, "own_weight": None, "dispersion_ratio": None}
    try:
        spread = dispersion(placed["people"], placed["observed"], placed["target"])
        small = shrunken_rates(placed["people"], (rates["adjusted"] * placed["people"]).clip(0, placed["people"]))
        columns = {"shrunken_rate": "shrunken", "shrunken_lower_95": "lower", "shrunken_upper_95": "upper", "own_weight": "weight"}
        drawn = {name: small[of] for name, of in columns.items()} | {"dispersion_ratio": spread.ratio}
        warnings += [spread.note] if spread.is_over else []
    except EstimateFault as fault:
        warnings.append(str(fault))
    return _described(placed, model).assign(
        area_level=level,
        unit_code=placed["unit"],
        journeys_unlinked=placed["unit"].map(own.groupby(column)["journeys_unlinked"].sum()),
        overall_rate=overall,
        **{f"funnel_{side}": placed[side] * scale for side in ("lower_95", "upper_95", "lower_998", "upper_998")},
        **drawn,
        warnings=_words(warnings),
    )


def _together(cells: pd.DataFrame, model: CaseMix | None) -> pd.DataFrame:
    """Everybody as one row: the rate that the funnels stand around."""
    import pandas as pd

    people, observed = int(cells["people"].sum()), int(cells["observed"].sum())
    row = pd.DataFrame({"unit": ["all"], "people": [people], "observed": [observed], "rate": [observed / people if people else None]})
    found = _described(row, model).assign(area_level="all", unit_code="all", journeys_unlinked=int(cells["journeys_unlinked"].sum()))
    return found.assign(overall_rate=found["rate"], warnings=_words(model.warnings) if model else None)


def _described(rates: pd.DataFrame, model: CaseMix | None) -> pd.DataFrame:
    named = {"people": "journeys", "observed": "journeys_with_outcome", "adjusted": "adjusted_rate", "lower": "adjusted_lower_95", "upper": "adjusted_upper_95"}
    found = rates.drop(columns=["lower_95", "upper_95", "lower_998", "upper_998"], errors="ignore").rename(columns=named)
    told = None if model is None else ", ".join(name.replace("_", " ") for name in model.covariates) or "nothing"
    return found.assign(journeys=found["journeys"].astype(int), journeys_with_outcome=found["journeys_with_outcome"].astype(int), adjusted_for=told)


def _words(warnings: Iterable[str]) -> str | None:
    return " ".join(warnings).replace("_", " ") or None


def _table(frames: list[pd.DataFrame], table: EstimateTable) -> pd.DataFrame:
    """The rows put together with the table's columns, those that some lack empty."""
    import pandas as pd

    whole = [frame.reindex(columns=list(table.columns)).astype(object) for frame in frames]
    return pd.concat(whole, ignore_index=True) if whole else pd.DataFrame(columns=list(table.columns))


PRODUCT = Product(
    name="comparison",
    reads={"cells": "select * from {intermediate}.int_comparison_cells"},
    tables=(UNITS, MODEL),
    estimate=estimate,
)
