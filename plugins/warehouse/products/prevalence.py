"""How many people use opiates or crack, whom nobody knows among them: capture-recapture from four overlapping lists.

An area has an estimate of its own, averaged over all models of its lists, where these say enough, else the multiplier (people estimated for
each one seen) of its region, else that of England: places too thin are pooled, never dropped. What "enough" is stands in the seed
prevalence_parameters. Assumptions of the method: warehouse.estimate.capture_recapture and docs/products/prevalence.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.estimate.common import Interval
from warehouse.estimate.errors import EstimateFault
from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.products.product import Frames

# A column for each list of people: whether they are on it.
ON = "is_in_"
IN_TREATMENT = "is_in_treatment"
GROUP = ["certainty", "cut", "financial_year"]
ENGLAND = "E92000001"
# Models shown of each area: the best by BIC. Independence of the lists is shown whatever its place.
MODELS_SHOWN = 8

ESTIMATES = EstimateTable(
    "prevalence",
    {
        "certainty": "text",
        "cut": "text",
        "financial_year": "text",
        "area_level": "text",
        "area_code": "text",
        "persons_seen": "integer",
        "persons_in_treatment": "integer",
        "persons_on_two_lists": "integer",
        "estimate": "double precision",
        "lower_95": "double precision",
        "upper_95": "double precision",
        "method": "text",
        "lists": "text",
        "model": "text",
        "population": "integer",
        "note": "text",
        "warnings": "text",
    },
)
MODELS = EstimateTable(
    "prevalence_models",
    {
        "cut": "text",
        "financial_year": "text",
        "area_level": "text",
        "area_code": "text",
        "place": "integer",
        "model": "text",
        "degrees": "integer",
        "deviance": "double precision",
        "aic": "double precision",
        "bic": "double precision",
        "estimate": "double precision",
        "weight": "double precision",
    },
)


@dataclass(frozen=True)
class _Area:
    """An area with the people seen there; `cells` has a row for each combination of lists and its `persons`."""

    level: str
    code: str
    population: int | None
    cells: pd.DataFrame


@dataclass(frozen=True)
class _Found:
    """What is estimated of an area, or why nothing is. Without a model of its own it is pooled and has no `models`."""

    interval: Interval | None
    method: str
    lists: tuple[str, ...] = ()
    model: str | None = None
    models: pd.DataFrame | None = None
    note: str | None = None
    warnings: tuple[str, ...] = ()


def estimate(frames: Frames, night: date) -> Frames:
    """Estimates of England, its regions and authorities for each year, certainty and cut, and the models of the latest year.

    Args:
        frames: `lists` (the rows of rpt_prevalence_lists), `areas` (area_code, region_code, country, population_2020) and `parameters`.
        night: not used: the lists hold complete years alone.
    """
    import pandas as pd

    parameters = {str(row["parameter"]): int(row["value"]) for row in frames["parameters"].to_dict("records")}
    areas = frames["areas"]
    lists = frames["lists"].merge(areas[["area_code", "region_code", "country"]], on="area_code", how="left")
    # Treatment, prison and housing of Wales are not delivered.
    lists = lists[lists["country"] != "Wales"]
    latest = lists["financial_year"].max() if len(lists) else None
    estimates: list[dict[str, Any]] = []
    models: list[dict[str, Any]] = []
    for (certainty, cut, year), cells in lists.groupby(GROUP):
        own = {"certainty": certainty, "cut": cut, "financial_year": year}
        for area, found in _estimate_areas(cells, areas, parameters, with_authorities=certainty == "balanced"):
            estimates.append(own | _estimate_row(area, found))
            if found.models is not None and certainty == "balanced" and year == latest and area.level != "authority":
                models += [{"cut": cut, "financial_year": year, "area_level": area.level, "area_code": area.code} | row for row in _model_rows(found.models)]
    return {"prevalence": pd.DataFrame(estimates, columns=list(ESTIMATES.columns)), "prevalence_models": pd.DataFrame(models, columns=list(MODELS.columns))}


def _estimate_areas(cells: pd.DataFrame, areas: pd.DataFrame, parameters: Mapping[str, int], with_authorities: bool) -> Iterator[tuple[_Area, _Found]]:
    """England, then each region, then each authority, with people seen there; what is too thin leans on the next wider area."""
    # Where no list knows anybody the agencies do not deliver: its residents are in no rate.
    populations = areas[areas["area_code"].isin(cells["area_code"])]
    england = _Area("country", ENGLAND, _whole(populations["population_2020"].sum()), cells)
    nation = _own(england, parameters)
    yield england, nation
    for region_code, regional in sorted(cells.groupby("region_code")):
        within = populations[populations["region_code"] == region_code]
        region = _Area("region", str(region_code), _whole(within["population_2020"].sum()), regional)
        own = _own(region, parameters)
        found = own if own.interval else _pooled(region, own, england, nation)
        yield region, found
        if not with_authorities:
            continue
        wider, leant_on = (region, own) if own.interval else (england, nation)
        for area_code, local in sorted(regional.groupby("area_code")):
            population = within.loc[within["area_code"] == area_code, "population_2020"].sum()
            area = _Area("authority", str(area_code), _whole(population), local)
            alone = _own(area, parameters)
            yield area, alone if alone.interval else _pooled(area, alone, wider, leant_on)


def _own(area: _Area, parameters: Mapping[str, int]) -> _Found:
    """An estimate from the area's own lists, or why there can be none."""
    from warehouse.estimate.capture_recapture import log_linear

    lists = tuple(name for name in _lists(area.cells) if area.cells[ON + name].astype(bool).any())
    seen, shared = _seen(area.cells), _shared(area.cells)
    for least, count, what in (
        (parameters["least_seen"], seen, "people seen"),
        (parameters["least_shared"], shared, "people on two lists"),
        (parameters["least_lists"], len(lists), "lists with anybody on them"),
    ):
        if count < least:
            return _Found(None, "refused", note=f"refused: fewer than {least} {what}")
    table = area.cells.rename(columns={ON + name: name for name in lists} | {"persons": "count"})
    try:
        found = log_linear(table, lists)
    except EstimateFault as fault:
        return _Found(None, "refused", note=f"refused: {fault}")
    if found.interval.high > parameters["farthest"] * seen:
        return _Found(None, "refused", note=f"refused: the interval reaches beyond {parameters['farthest']} times those seen")
    return _Found(found.interval, "own model", lists, found.model, found.models, warnings=found.warnings)


def _pooled(area: _Area, refused: _Found, wider: _Area, leant_on: _Found) -> _Found:
    """The wider area's people for each one seen, times those seen here. The interval is of that multiplier alone."""
    if not leant_on.interval:
        return refused
    share = _seen(area.cells) / _seen(wider.cells)
    scaled = Interval(*(share * value for value in (leant_on.interval.value, leant_on.interval.low, leant_on.interval.high)))
    why = (refused.note or "").removeprefix("refused: ")
    note = f"pooled: {why}; as many for each one seen as in the whole {wider.level}"
    return _Found(scaled, f"pooled with {wider.level}", leant_on.lists, note=note)


def _estimate_row(area: _Area, found: _Found) -> dict[str, Any]:
    interval = found.interval
    return {
        "area_level": area.level,
        "area_code": area.code,
        "persons_seen": _seen(area.cells),
        "persons_in_treatment": int(area.cells.loc[area.cells[IN_TREATMENT].astype(bool), "persons"].sum()),
        "persons_on_two_lists": _shared(area.cells),
        "estimate": interval.value if interval else None,
        "lower_95": interval.low if interval else None,
        "upper_95": interval.high if interval else None,
        "method": found.method,
        "lists": ", ".join(found.lists) or None,
        "model": found.model,
        "population": area.population,
        "note": found.note,
        "warnings": " ".join(found.warnings) or None,
    }


def _model_rows(models: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The best models in order, and independence."""
    for place, row in enumerate(models.to_dict("records"), start=1):
        if place <= MODELS_SHOWN or ":" not in str(row["model"]):
            same = {name: row[name] for name in ("model", "degrees", "deviance", "aic", "bic", "weight")}
            yield {"place": place, "estimate": row["population"]} | same


def _lists(cells: pd.DataFrame) -> list[str]:
    return [str(column).removeprefix(ON) for column in cells.columns if str(column).startswith(ON)]


def _seen(cells: pd.DataFrame) -> int:
    return int(cells["persons"].sum())


def _shared(cells: pd.DataFrame) -> int:
    """People on two lists or more."""
    on = cells[[ON + name for name in _lists(cells)]].astype(int).sum(axis=1)
    return int(cells.loc[on > 1, "persons"].sum())


def _whole(population: float) -> int | None:
    """A population that is not known is 0 in a sum."""
    return int(population) or None


PRODUCT = Product(
    name="prevalence",
    reads={
        "lists": "select * from {marts}.rpt_prevalence_lists",
        "areas": "select area_code, region_code, country, population_2020 from {marts}.dim_area",
        "parameters": "select parameter, value from {reference}.prevalence_parameters",
    },
    tables=(ESTIMATES, MODELS),
    estimate=estimate,
)
