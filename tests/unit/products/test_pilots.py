"""Pilots: an effect planted in a panel is found, whole years that the start falls into are left out, and what cannot be told says why."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.products.pilots import EFFECTS, PERIODS, PRODUCT

NIGHT = date(2026, 11, 2)
START = date(2024, 7, 1)


def figures(seed: int = 1, effect: float = 0.0, areas: int = 30, treated: int = 12, people: int = 400, end: date | None = None) -> pd.DataFrame:
    """Shares of rolling years by quarter: areas of their own level, quarters they share, people by chance; the effect begins with the start."""
    random = np.random.default_rng(seed)
    quarters = pd.period_range("2022Q1", "2026Q2", freq="Q")
    share = 0.4 + random.normal(0, 0.05, areas)[:, None] + np.linspace(0, 0.05, len(quarters)) + random.normal(0, 0.01, (areas, len(quarters)))
    is_after = np.array([quarter.start_time.date() >= START for quarter in quarters])
    share[:treated] += effect * is_after
    counts = random.binomial(people // 4, share.clip(0, 1))
    rows = []
    for first in range(len(quarters) - 3):
        within = slice(first, first + 4)
        ends = quarters[first].start_time.date(), quarters[first + 3].end_time.date()
        rows += [(f"E{area:02d}", *ends, float(counts[area, within].sum()), int(area < treated)) for area in range(areas)]
    frame = pd.DataFrame(rows, columns=["area_code", "period_start", "period_end", "numerator", "treated"])
    return frame.assign(
        pilot="p", start_date=START, end_date=end, indicator="i", certainty="balanced", measure="proportion", per=100,
        denominator=float(people), units=people, units_with_event=frame["numerator"].astype(int),
    )  # fmt: skip


def made(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    listed = pd.DataFrame({"pilot": ["p"], "indicator": ["i"]})
    found = PRODUCT.estimate({"listed": listed, "figures": frame}, NIGHT)
    return found[EFFECTS.name], found[PERIODS.name]


def test_nothing_listed_gives_empty_tables() -> None:
    found = PRODUCT.estimate({"listed": pd.DataFrame({"pilot": [], "indicator": []}), "figures": figures().iloc[:0]}, NIGHT)
    assert {name: list(frame.columns) for name, frame in found.items()} == {table.name: list(table.columns) for table in (EFFECTS, PERIODS)}


def test_a_planted_effect_is_found_in_points() -> None:
    effects, periods = made(figures(effect=0.08))
    (row,) = effects.to_dict("records")
    assert (row["pilot_areas"], row["other_areas"], row["areas_left_out"]) == (12, 18, 0)
    assert row["lower_95"] < 8 < row["upper_95"] and row["lower_95"] > 4
    assert row["p_placebo"] < 0.01
    assert row["pilot_after"] - row["pilot_before"] - (row["other_after"] - row["other_before"]) == pytest.approx(row["effect"], abs=0.5)
    assert set(periods["phase"]) == {"before", "start falls into it", "after"}
    assert periods.loc[periods["phase"] == "start falls into it", "effect"].isna().all()
    last = periods[periods["phase"] == "before"].iloc[-1]
    assert (last["effect"], last["period_end"]) == (0, date(2024, 6, 30))


def test_periods_after_the_end_are_left_out() -> None:
    effects, periods = made(figures(effect=0.08, end=date(2024, 12, 31)))
    assert effects["periods_after"].tolist() == [2]
    assert (periods["phase"] == "after the end").sum() == 3


def test_areas_with_a_hole_are_left_out() -> None:
    frame = figures()
    effects, _ = made(frame[(frame["area_code"] != "E29") | (frame["period_start"] != date(2022, 1, 1))])
    assert effects[["other_areas", "areas_left_out"]].values.tolist() == [[17, 1]]


def test_what_cannot_be_told_says_why() -> None:
    frame = figures()
    told = [made(part)[0]["note"].tolist() for part in (frame.assign(treated=0), frame[frame["period_start"] >= START], figures(areas=6, treated=3, people=8))]
    assert told == [
        ["refused: none of its areas has figures of this indicator"],
        ["refused: there are no figures of whole periods both before the start and after it"],
        ["refused: fewer than 60 people in some period, in all areas that have figures throughout"],
    ]


def test_the_smallest_side_is_told_for_disclosure_control() -> None:
    assert made(figures())[0]["fewest_with_event"].iloc[0] > 100
    rare = figures().assign(numerator=1.0, units_with_event=1)
    assert made(rare)[0]["fewest_with_event"].tolist() == [12]


def test_intervals_of_rolling_years_hold_the_effect_about_as_often_as_they_say() -> None:
    """Rolling years overlap by three quarters; errors by area allow for it."""
    runs, held = 40, 0
    for seed in range(runs):
        (row,) = made(figures(100 + seed, effect=0.03))[0].to_dict("records")
        held += row["lower_95"] <= 3 <= row["upper_95"]
    assert binom.cdf(held, runs, 0.93) > 0.001
