"""The check for cherry-picking as a product: bias planted in one provider is named, and small or one-sided units are not tested."""

from __future__ import annotations

from datetime import date

import pandas as pd

from warehouse.products.pbr import PRODUCT, SELECTION

NIGHT = date(2026, 11, 2)
RULES = pd.DataFrame({"rule": ["most_complex_from", "fewest_referred"], "value": [3, 20]})
COLUMNS = ["certainty", "cut", "area_level", "area_code", "provider_code", "complexity_position", "referred", "taken_on"]


def mix(**providers: list[tuple[int, int]]) -> pd.DataFrame:
    """A row a provider and complexity group, from (referred, taken on) of each group."""
    rows = [
        ("balanced", "adults", "provider", "all", provider, position, referred, taken)
        for provider, groups in providers.items()
        for position, (referred, taken) in enumerate(groups, start=1)
        if referred
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def selection(frame: pd.DataFrame) -> pd.DataFrame:
    made = PRODUCT.estimate({"mix": frame, "rules": RULES}, NIGHT)[SELECTION.name]
    assert set(made.columns) == set(SELECTION.columns)
    return made.set_index("provider_code")


def test_the_provider_that_picks_is_named_and_the_others_are_not() -> None:
    found = selection(mix(picks=[(80, 76), (60, 57), (50, 30), (40, 20)], fair=[(80, 72), (60, 54), (50, 45), (40, 36)]))
    assert found["finding"].to_dict() == {"picks": "fewer of the complex taken on", "fair": "no difference shown"}
    assert found.loc["picks", "difference"] == 100 * (50 / 90 - 133 / 140)
    assert found.loc["picks", "difference_upper_95"] < 0
    assert found.loc["picks", "p_value"] < found.loc["picks", "p_value_adjusted"] < 0.001


def test_what_cannot_be_tested_says_why() -> None:
    found = selection(mix(few=[(10, 9), (5, 4), (3, 3), (1, 1)], alike=[(30, 20), (10, 9), (0, 0), (0, 0)], takes_all=[(20, 20), (10, 10), (5, 5), (5, 5)]))
    assert found["note"].to_dict() == {
        "few": "refused: fewer than 20 referred",
        "alike": "refused: all of those referred are alike",
        "takes_all": "everybody was taken on",
    }
    assert found["finding"].to_dict() == {"few": "not tested", "alike": "not tested", "takes_all": "no difference shown"}
    assert found["p_value"].isna().all()
    assert found.loc["takes_all", "difference"] == 0


def test_the_order_of_rows_does_not_matter() -> None:
    frame = mix(a=[(80, 76), (60, 57), (50, 30), (40, 20)], b=[(80, 72), (60, 54), (50, 45), (40, 36)])
    pd.testing.assert_frame_equal(selection(frame), selection(frame.sample(frac=1, random_state=1)))


def test_nobody_referred() -> None:
    assert selection(pd.DataFrame(columns=COLUMNS)).empty
