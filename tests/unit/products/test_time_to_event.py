"""Curves from journeys counted by day: they are the curves of the people, competing deaths and all, and hold the truth as often as they say."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.estimate.survival import at_times, cumulative_incidence
from warehouse.products.time_to_event import CURVES, DAYS_A_MONTH, MONTHS, estimate
from warehouse.publish.report.blocks import Figure, Note, Table
from warehouse.publish.report.products import time_to_event as report

NIGHT = date(2026, 11, 2)
LAST_DAY = int(MONTHS * DAYS_A_MONTH)
OUTCOMES = np.array(["censored", "event", "death"])


def people(seed: int, size: int = 400, monthly: float = 0.08, died: float = 0.02) -> pd.DataFrame:
    """Constant hazards a month, ends of follow-up evenly between 6 and 30 months; days and outcome of each."""
    random = np.random.default_rng(seed)
    time, end = random.exponential(1 / (monthly + died), size), random.uniform(6, 30, size)
    kind = np.where(time < end, np.where(random.random(size) < monthly / (monthly + died), 1, 2), 0)
    return pd.DataFrame({"days": (np.minimum(time, end) * DAYS_A_MONTH).astype(int), "outcome": OUTCOMES[kind]})


def counted(found: pd.DataFrame, breakdown: str = "all", category: str = "all", is_linked: bool = True) -> pd.DataFrame:
    """As the product reads it: capped at two years, counted by day."""
    capped = found.assign(outcome=found["outcome"].where(found["days"] <= LAST_DAY, "censored"), days=found["days"].clip(upper=LAST_DAY + 1))
    key: dict[str, Any] = {
        "event": "reoffence after end",
        "cut": "adults",
        "certainty": "balanced",
        "breakdown": breakdown,
        "category": category,
        "is_linked": is_linked,
    }
    return capped.groupby(["days", "outcome"], as_index=False).size().rename(columns={"size": "journeys"}).assign(**key)


def curves(*times: pd.DataFrame) -> pd.DataFrame:
    return estimate({"times": pd.concat(times, ignore_index=True)}, NIGHT)[CURVES.name]


def at(curve: pd.DataFrame, month: int, column: str) -> float:
    return float(curve.loc[curve["month"] == month, column].to_numpy(dtype=float)[0])


def test_the_curve_is_that_of_the_people() -> None:
    found = people(1)
    curve = curves(counted(found))
    whole = cumulative_incidence(found["days"], found["outcome"].map({"censored": 0, "event": 1, "death": 2}))
    for kind, column in ((1, "percent"), (2, "percent_died_first")):
        expected = at_times(whole[whole["kind"] == kind], [round(month * DAYS_A_MONTH) for month in (0, 6, 12, 24)])
        assert [at(curve, month, column) for month in (0, 6, 12, 24)] == pytest.approx((100 * expected["incidence"]).tolist())
    assert at(curve, 12, "events") == ((found["outcome"] == "event") & (found["days"] <= 365)).sum()
    assert at(curve, 12, "at_risk") == (found["days"] >= 365).sum()
    assert at(curve, 24, "percent_if_nobody_died") > at(curve, 24, "percent")


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    truth = 100 * 0.8 * (1 - np.exp(-0.1 * 12))
    runs, held = 60, 0
    for seed in range(runs):
        curve = curves(counted(people(seed)))
        held += at(curve, 12, "percent_lower_95") <= truth <= at(curve, 12, "percent_upper_95")
    assert binom.cdf(held, runs, 0.95) > 0.001


def test_the_linked_make_the_curve_and_the_others_are_counted() -> None:
    curve = curves(counted(people(1)), counted(people(2, 100), is_linked=False))
    assert curve["journeys_linked"].unique().tolist() == [400]
    assert curve["journeys_all"].unique().tolist() == [500]


def test_groups_are_tested_against_each_other_and_the_median_told_where_half_had_it() -> None:
    fast, slow = people(1, monthly=0.2, died=0.001), people(2, monthly=0.01, died=0.001)
    curve = curves(counted(fast, "sex", "men"), counted(slow, "sex", "women"))
    assert curve["log_rank_p"].max() < 0.001
    men, women = (curve[curve["category"] == category] for category in ("men", "women"))
    assert at(men, 0, "median_months") == pytest.approx(np.log(2) / 0.2, rel=0.2)
    assert np.isnan(at(women, 0, "median_months"))


def test_small_groups_are_refused_and_curves_end_where_few_are_followed() -> None:
    few = curves(counted(people(1, 19)))
    assert few["note"].tolist() == ["refused: fewer than 20 journeys linked"]
    assert few["percent"].isna().all()
    curve = curves(counted(people(1, 40)))
    assert curve["month"].max() < MONTHS
    assert curve["at_risk"].min() >= 10


def test_nobody_to_read_gives_an_empty_table() -> None:
    made = curves(counted(people(1)).iloc[:0])
    assert made.empty
    assert list(made.columns) == list(CURVES.columns)


def published(curve: pd.DataFrame) -> list[dict[str, Any]]:
    told = curve.assign(event_title="Proven reoffence after treatment", is_headline=curve["month"].isin([3, 6, 12, 24])).astype("object")
    return [{str(name): None if pd.isna(value) else value for name, value in row.items()} for row in told.to_dict("records")]


def test_the_report_draws_curves_and_leaves_out_what_is_withheld() -> None:
    rows = published(curves(counted(people(1))))
    for row in rows:
        if 0 < row["month"] < 4:
            row["percent"] = row["percent_lower_95"] = row["percent_upper_95"] = None
    section = report.draw(rows)
    assert sum(isinstance(block, Figure) for block in section.blocks) == 1
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert tables[0].rows[0][4] == "withheld"
    assert tables[0].rows[0][7].endswith(")")


def test_the_report_says_when_there_is_no_curve() -> None:
    section = report.draw(published(curves(counted(people(1, 19)))))
    assert [type(block) for block in section.blocks] == [Note]
