"""The budget as a product: every scenario adds up to its total, and what is published is shared out by itself."""

from __future__ import annotations

from datetime import date

import pandas as pd

from warehouse.products.pooled_treatment_budget import ALLOCATIONS, PRODUCT, as_published

NIGHT = date(2026, 11, 2)
MEASURES = pd.DataFrame(
    {
        "certainty": ["balanced"] * 3,
        "financial_year": ["2025-26"] * 3,
        "area_code": ["E1", "E2", "E3"],
        "population": [500_000, 300_000, 200_000],
        "in_treatment": [400, 300, 30],
        "completions": [42, 31, 4],
        "in_effective_treatment": [350, 240, 20],
        "published_area_code": ["E1", "other", "other"],
        "published_in_treatment": [400, 330, 330],
        "published_completions": [40, 35, 35],
        "published_in_effective_treatment": [350, 260, 260],
    }
)
SCENARIOS = pd.DataFrame(
    {
        "scenario": ["as it was", "no reward", "better"],
        "position": [1, 2, 3],
        "total_pounds": [1_000_000] * 3,
        "reward_share": [0.2, 0.0, 0.2],
        "need_part": [0.25] * 3,
        "changed_area_code": [None, None, "E3"],
        "completions_percent_change": [0, 0, 50],
    }
)


def shared(measures: pd.DataFrame = MEASURES) -> pd.DataFrame:
    made = PRODUCT.estimate({"measures": measures, "scenarios": SCENARIOS}, NIGHT)[ALLOCATIONS.name]
    assert list(made.columns) == list(ALLOCATIONS.columns)
    return made


def test_pounds_add_up_and_differences_to_nothing() -> None:
    sums = shared().groupby(["counts", "scenario"])[["allocation", "difference"]].sum()
    assert (sums["allocation"] == 1_000_000).all()
    assert (sums["difference"] == 0).all()


def test_a_share_worked_by_hand() -> None:
    """200,000 by completions, 42 of 77; 800,000 by a quarter of 500 in 1,000 of population and three quarters of 350 in 610."""
    row = shared().query("counts == 'exact' and scenario == 'as it was' and area_code == 'E1'").iloc[0]
    assert (row["by_completions"], row["by_need"]) == (109_091, 444_262)
    assert row["allocation_lower_95"] < row["allocation"] < row["allocation_upper_95"]


def test_a_better_area_takes_from_the_others() -> None:
    better = shared().query("counts == 'exact' and scenario == 'better'").set_index("area_code")
    assert better.loc["E3", "completions_supposed"] == 6
    assert better.loc["E3", "difference"] > 0 > better.loc["E1", "difference"]


def test_small_areas_are_published_together_and_a_change_among_them_is_no_change() -> None:
    published = shared().query("counts == 'published'")
    assert published.query("scenario == 'as it was'")["completions"].tolist() == [40, 35]
    assert published.query("scenario == 'as it was'")["population"].tolist() == [500_000, 500_000]
    better = published.query("scenario == 'better'")
    assert (better["difference"] == 0).all() and better["note"].str.startswith("the area that the scenario changes").all()


def test_nobody_to_share_by_is_said_and_nothing_at_all_gives_no_rows() -> None:
    without = shared(MEASURES.assign(completions=0, published_completions=None))
    assert set(without["counts"]) == {"exact"}
    assert without["allocation"].isna().all() and (without["note"] == "refused: nobody to share by").all()
    assert shared(MEASURES.iloc[:0]).empty
    assert as_published(MEASURES.iloc[:0]).empty
