"""Payment by results: the check for cherry-picking, by area and provider.

The payments themselves are SQL (`outcome_pbr_payments`); what SQL should not do is the test.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.estimate.selection import adjusted_p_values, difference_of_shares, same_shares
from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.products.product import Frames

UNIT = ["certainty", "cut", "area_level", "area_code", "provider_code"]
# Tests of one kind of unit are adjusted together.
FAMILY = ["certainty", "cut", "area_level"]
ALARM = 0.05

SELECTION = EstimateTable(
    "pbr_selection",
    {
        **dict.fromkeys(UNIT, "text"),
        "referred": "integer",
        "taken_on": "integer",
        "percent_of_complex": "double precision",
        "percent_of_others": "double precision",
        "difference": "double precision",
        "difference_lower_95": "double precision",
        "difference_upper_95": "double precision",
        "method": "text",
        "statistic": "double precision",
        "degrees_of_freedom": "integer",
        "p_value": "double precision",
        "p_value_adjusted": "double precision",
        "finding": "text",
        "note": "text",
    },
)


def estimate(frames: Frames, night: date) -> Frames:
    """The test of each unit.

    Args:
        frames: `mix`, a row a unit and complexity group (its columns are those of `rpt_pbr_complexity_mix`), and `rules` (rule, value).
        night: of the build; not used, the counts are of it.
    """
    import pandas as pd

    rules = dict(zip(frames["rules"]["rule"], frames["rules"]["value"], strict=True))
    units = frames["mix"].sort_values([*UNIT, "complexity_position"]).groupby(UNIT, sort=True)
    rows = [dict(zip(UNIT, unit, strict=True)) | _tested(groups, int(rules["most_complex_from"]), int(rules["fewest_referred"])) for unit, groups in units]
    tested = pd.DataFrame(rows, columns=[name for name in SELECTION.columns if name not in ("p_value_adjusted", "finding")])
    tested["degrees_of_freedom"] = tested["degrees_of_freedom"].astype("Int64")
    tested["p_value_adjusted"] = tested.groupby(FAMILY)["p_value"].transform(_adjusted)
    return {SELECTION.name: tested.assign(finding=[_finding(row) for row in tested.to_dict("records")])}


def _tested(groups: pd.DataFrame, most_complex_from: int, fewest: int) -> dict[str, Any]:
    """One unit's difference and test; a note instead where it cannot be told."""
    is_complex = groups["complexity_position"] >= most_complex_from
    referred, taken = int(groups["referred"].sum()), int(groups["taken_on"].sum())
    found: dict[str, Any] = {"referred": referred, "taken_on": taken, "note": ""}
    if referred < fewest:
        return found | {"note": f"refused: fewer than {fewest} referred"}
    if is_complex.all() or not is_complex.any():
        return found | {"note": "refused: all of those referred are alike"}
    (complex_taken, complex_referred), (other_taken, other_referred) = (
        (int(part["taken_on"].sum()), int(part["referred"].sum())) for part in (groups[is_complex], groups[~is_complex])
    )
    between = difference_of_shares(complex_taken, complex_referred, other_taken, other_referred)
    found |= {
        "percent_of_complex": 100 * complex_taken / complex_referred,
        "percent_of_others": 100 * other_taken / other_referred,
        "difference": 100 * between.value,
        "difference_lower_95": 100 * between.low,
        "difference_upper_95": 100 * between.high,
    }
    if taken in (0, referred):
        return found | {"note": "everybody was taken on" if taken else "nobody was taken on"}
    test = same_shares(groups["taken_on"], groups["referred"] - groups["taken_on"])
    return found | {"method": test.method, "statistic": test.statistic, "degrees_of_freedom": test.degrees, "p_value": test.p_value}


def _adjusted(p_values: pd.Series[float]) -> pd.Series[float]:
    adjusted = p_values.astype(float).copy()
    adjusted[p_values.notna()] = adjusted_p_values(p_values.dropna())
    return adjusted


def _finding(row: Mapping[Hashable, Any]) -> str:
    """In words: a difference is found when the test, adjusted, and the interval agree."""
    if str(row["note"]).startswith("refused"):
        return "not tested"
    if row["p_value_adjusted"] < ALARM and row["difference_upper_95"] < 0:
        return "fewer of the complex taken on"
    if row["p_value_adjusted"] < ALARM and row["difference_lower_95"] > 0:
        return "more of the complex taken on"
    return "no difference shown"


PRODUCT = Product(
    name="pbr",
    reads={
        "mix": f"select {', '.join(UNIT)}, complexity_position, referred, taken_on from {{marts}}.rpt_pbr_complexity_mix",
        "rules": "select rule, value from {reference}.pbr_rules",
    },
    tables=(SELECTION,),
    estimate=estimate,
)
