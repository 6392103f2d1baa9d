"""Comparison: a bias of case mix is taken away, poor units are found, and what is too small says so."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from warehouse.products.comparison import COVARIATES, MODEL, PRODUCT, SET, UNITS

NIGHT = date(2026, 11, 2)
HEAD = {"certainty": "balanced", "cut": "adults", "outcome": "o", "period_start": date(2023, 1, 1), "period_end": date(2025, 12, 31)}


def cells(seed: int = 1, areas: int = 20, people: int = 400, poor: tuple[int, ...] = ()) -> pd.DataFrame:
    """Areas as good as each other, but for the poor ones; those with odd numbers treat the difficult and two providers each."""
    random = np.random.default_rng(seed)
    area = np.repeat(np.arange(areas), people)
    is_opiate = random.random(len(area)) < np.where(area % 2, 0.8, 0.3)
    chance = np.where(is_opiate, 0.25, 0.6) - 0.12 * np.isin(area, poor)
    frame = pd.DataFrame(dict.fromkeys(COVARIATES, "same"), index=range(len(area))).assign(
        area_code=[f"E{number:02d}" for number in area],
        provider_code=[f"N{2 * number + half:02d}" for number, half in zip(area, random.integers(0, 2, len(area)), strict=True)],
        drug_group=np.where(is_opiate, "opiate", "alcohol only"),
        journeys=1,
        journeys_with_outcome=(random.random(len(area)) < chance).astype(int),
        journeys_unlinked=0,
    )
    return frame.groupby(["area_code", "provider_code", *COVARIATES], as_index=False).sum().assign(**HEAD)


def test_nothing_to_compare_gives_empty_tables() -> None:
    made = PRODUCT.estimate({"cells": cells().iloc[:0]}, NIGHT)
    assert {name: list(frame.columns) for name, frame in made.items()} == {table.name: list(table.columns) for table in (UNITS, MODEL)}
    assert all(frame.empty for frame in made.values())


def test_a_bias_of_case_mix_is_taken_away_and_poor_areas_are_found() -> None:
    made = PRODUCT.estimate({"cells": cells(poor=(4, 5))}, NIGHT)[UNITS.name]
    areas = made[made["area_level"] == "authority"].set_index("unit_code")
    assert len(areas) == 20 and len(made[made["area_level"] == "provider"]) == 40
    fine = areas.drop(["E04", "E05"])
    odd = fine.index.str[-1].astype(int) % 2 == 1
    assert fine.loc[~odd, "rate"].mean() - fine.loc[odd, "rate"].mean() > 0.12
    assert fine.loc[~odd, "adjusted_rate"].mean() == pytest.approx(fine.loc[odd, "adjusted_rate"].mean(), abs=0.02)
    assert areas.loc[["E04", "E05"], "position"].str.startswith("below").all()
    assert (fine["position"] == "as expected").sum() >= 16
    assert (areas["adjusted_for"] == "drug group").all()
    (everybody,) = made[made["area_level"] == "all"].to_dict("records")
    assert everybody["rate"] == everybody["overall_rate"]


def test_the_funnel_holds_equal_areas_as_often_as_it_says() -> None:
    """Twenty seeds of twenty areas: 19 in 20 within the inner limits, nearly all within the outer ones."""
    positions = pd.concat([PRODUCT.estimate({"cells": cells(seed)}, NIGHT)[UNITS.name].query("area_level == 'authority'")["position"] for seed in range(2, 12)])
    outside = (positions != "as expected").mean()
    assert 0.005 < outside < 0.10, "binomial limits are a little wide after case mix"
    assert positions.str.endswith("998").mean() < 0.02


def test_too_few_journeys_are_refused_with_a_note() -> None:
    made = PRODUCT.estimate({"cells": cells(areas=3, people=19)}, NIGHT)
    (row,) = made[UNITS.name].to_dict("records")
    assert row["note"] == "refused: fewer than 60 journeys"
    assert row["journeys"] == 57 and pd.isna(row["adjusted_rate"])
    assert made[MODEL.name].empty


def test_an_outcome_that_nobody_has_is_refused() -> None:
    (row,) = PRODUCT.estimate({"cells": cells().assign(journeys_with_outcome=0)}, NIGHT)[UNITS.name].to_dict("records")
    assert "with and without" in row["note"]


def test_few_outcomes_adjust_for_less_and_say_so() -> None:
    few = cells(people=8).assign(sex=lambda rows: np.where(rows.index % 2, "F", "M"))
    few["journeys_with_outcome"] = (few.index < 14).astype(int) * (few["journeys"] > 0)
    made = PRODUCT.estimate({"cells": few}, NIGHT)
    (everybody,) = made[UNITS.name].query("area_level == 'all'").to_dict("records")
    assert everybody["adjusted_for"] == "drug group"
    assert everybody["warnings"] == "Too few people with or without the outcome to adjust for sex."


def test_people_of_no_unit_count_in_the_model_alone() -> None:
    some = cells()
    some.loc[some["area_code"] == "E00", "area_code"] = "unknown"
    made = PRODUCT.estimate({"cells": some}, NIGHT)[UNITS.name]
    assert "unknown" not in set(made["unit_code"])
    assert made.query("area_level == 'all'")["journeys"].tolist() == [8_000]


def test_the_order_of_rows_does_not_matter() -> None:
    frame = cells(poor=(1,))
    shuffled = frame.sample(frac=1, random_state=3)
    one, other = (PRODUCT.estimate({"cells": rows}, NIGHT)[UNITS.name] for rows in (frame, shuffled))
    pd.testing.assert_frame_equal(one, other)
    assert not one.duplicated([*SET[:3], "area_level", "unit_code"]).any()
