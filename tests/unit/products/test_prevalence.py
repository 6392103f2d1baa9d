"""Prevalence: the truth is found where lists say enough, thin places lean on wider ones, and nothing to count gives empty tables."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.products import prevalence
from warehouse.products.prevalence import estimate
from warehouse.publish.report.blocks import Figure, Note, Table
from warehouse.publish.report.products.prevalence import ByCertainty, Estimate, Model, Prevalence, draw

NIGHT = date(2026, 11, 2)
AREAS = pd.DataFrame(
    [
        ("E1", "R1", "England", 200_000),
        ("E2", "R1", "England", 100_000),
        ("E3", "R2", "England", 50_000),
        ("E9", "R2", "England", 70_000),
        ("W1", "W", "Wales", 1),
    ],
    columns=["area_code", "region_code", "country", "population_2020"],
)
PARAMETERS = pd.DataFrame(
    [("least_seen", 60), ("least_shared", 20), ("least_lists", 3), ("farthest", 10)],
    columns=["parameter", "value"],
)
LISTS = ("treatment", "police", "custody", "housing")
FLAGS = [f"is_in_{name}" for name in LISTS]


def users(seed: int, people: int, area: str, certainty: str = "balanced") -> pd.DataFrame:
    """The cells of an area: lists with chances 0.4, 0.15, 0.12 and 0.1; in prison three times as likely for those whom police know."""
    random = np.random.default_rng(seed)
    police = random.random(people) < 0.15
    marks = np.column_stack([random.random(people) < 0.4, police, random.random(people) < np.where(police, 0.36, 0.12), random.random(people) < 0.1])
    cells = pd.DataFrame(marks[marks.any(axis=1)], columns=FLAGS).groupby(FLAGS).size().rename("persons").reset_index()
    return cells.assign(certainty=certainty, cut="adults", financial_year="2025-26", area_code=area)


def made(*cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = estimate({"lists": pd.concat(cells), "areas": AREAS, "parameters": PARAMETERS}, NIGHT)
    return found["prevalence"].set_index(["certainty", "area_code"]), found["prevalence_models"]


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Lists of which two depend on each other, 1,500 users; all 113 models have their say."""
    runs = 12
    held, chosen = 0, 0
    for seed in range(runs):
        row = made(users(seed, 1_500, "E1"))[0].loc[("balanced", "E1")]
        held += row["lower_95"] <= 1_500 <= row["upper_95"]
        chosen += "police:custody" in row["model"]
    assert binom.cdf(held, runs, 0.9) > 0.001
    assert chosen >= 0.9 * runs, "that the two lists depend on each other is found out"


def test_a_thin_place_takes_the_multiplier_of_its_region() -> None:
    found, _ = made(users(1, 1_500, "E1"), users(2, 50, "E2"))
    region, thin = found.loc[("balanced", "R1")], found.loc[("balanced", "E2")]
    assert thin["method"] == "pooled with region"
    assert thin["note"].startswith("pooled: fewer than 60 people seen")
    for limit in ("estimate", "lower_95", "upper_95"):
        assert thin[limit] == pytest.approx(thin["persons_seen"] * region[limit] / region["persons_seen"])


def test_a_thin_region_and_its_places_take_that_of_england() -> None:
    found, models = made(users(1, 1_500, "E1"), users(3, 40, "E3"))
    england = found.loc[("balanced", "E92000001")]
    assert set(found.loc["balanced"].loc[["R2", "E3"], "method"]) == {"pooled with country"}
    assert found.loc[("balanced", "E3"), "estimate"] == pytest.approx(
        found.loc[("balanced", "E3"), "persons_seen"] * england["estimate"] / england["persons_seen"]
    )
    assert set(models["area_code"]) == {"E92000001", "R1"}


def test_where_even_england_is_thin_nothing_is_estimated() -> None:
    found, models = made(users(4, 60, "E1"))
    assert set(found["method"]) == {"refused"}
    assert found["estimate"].isna().all()
    assert models.empty


def test_two_lists_are_refused() -> None:
    cells = users(5, 2_000, "E1")
    found, _ = made(cells[~cells["is_in_custody"] & ~cells["is_in_housing"]])
    assert found.loc[("balanced", "E1"), "note"] == "refused: fewer than 3 lists with anybody on them"


def test_a_list_without_anybody_is_left_out() -> None:
    cells = users(6, 2_000, "E1")
    found, _ = made(cells[~cells["is_in_housing"]])
    assert found.loc[("balanced", "E1"), "lists"] == "treatment, police, custody"


def test_wales_is_left_out_and_unknown_homes_count_in_england_alone() -> None:
    found, _ = made(users(1, 800, "E1"), users(2, 800, "unknown"), users(3, 800, "W1"))
    known = found.loc["balanced"]
    assert set(known.index) == {"E92000001", "R1", "E1"}
    assert known.loc["E92000001", "persons_seen"] > 1.8 * known.loc["R1", "persons_seen"]
    assert known.loc["E92000001", "population"] == 200_000, "residents of places that deliver nothing are in no rate"


def test_authorities_stand_at_the_balanced_certainty_alone() -> None:
    found, _ = made(users(1, 800, "E1"), users(1, 800, "E1", certainty="strict"))
    assert set(found.loc["strict"]["area_level"]) == {"country", "region"}


def test_models_are_shown_in_order_with_independence_among_them() -> None:
    _, models = made(users(1, 1_500, "E1"))
    england = models[models["area_level"] == "country"]
    assert england["bic"].is_monotonic_increasing
    assert england["weight"].is_monotonic_decreasing
    assert 0.9 < england["weight"].sum() <= 1, "those shown have nearly all the weight"
    assert (~england["model"].str.contains(":")).sum() == 1


def test_nobody_gives_empty_tables() -> None:
    empty = users(1, 800, "E1").iloc[:0]
    found = estimate({"lists": empty, "areas": AREAS.iloc[:0], "parameters": PARAMETERS}, NIGHT)
    assert {name: list(table.columns) for name, table in found.items()} == {table.name: list(table.columns) for table in prevalence.PRODUCT.tables}
    assert all(table.empty for table in found.values())


def shown(level: str, name: str, estimated: int | None, year: str = "2025-26") -> Estimate:
    low, high = (None, None) if estimated is None else (estimated - 50, estimated + 90)
    method, note = ("refused", "refused: fewer than 60 people seen") if estimated is None else ("own model", None)
    return Estimate(
        year, level, name, 205, 130, estimated, low, high, 1.2, 58.7, method, note, "Fewer than 10 people are on both." if level == "country" else None
    )


def test_the_report_draws_years_and_models() -> None:
    models = (Model("treatment + police + treatment:police", 8, 0.0, 99.9, 315), Model("treatment + police", 10, 24.1, 0.1, 320))
    section = draw(
        Prevalence(
            (shown("country", "England", 300, "2024-25"), shown("country", "England", 315), shown("region", "North East", None)),
            (ByCertainty("strict", 310, 260, 385),),
            models,
        )
    )
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    assert len(figures) == 2
    assert "none: all lists independent" in figures[1].svg
    areas = next(block for block in section.blocks if isinstance(block, Table) and block.caption.startswith("Users estimated"))
    assert [row[0] for row in areas.rows] == ["England", "North East"]
    assert areas.rows[1][-1] == "refused: fewer than 60 people seen"
    assert [block.text for block in section.blocks if isinstance(block, Note) and block.is_warning] == ["England: Fewer than 10 people are on both."]


def test_the_report_says_when_there_is_no_year() -> None:
    (note,) = draw(Prevalence((), (), ())).blocks
    assert isinstance(note, Note)
