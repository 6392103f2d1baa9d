"""Priority offenders: being chosen at a bad time is taken away, an effect comes out, few are refused, and what is drawn says what it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from warehouse.products.priority_offending import BALANCE, MATCHED, PRODUCT
from warehouse.publish.report.blocks import Figure, Note, Table
from warehouse.publish.report.products.priority_offending import draw

NIGHT = date(2026, 11, 2)


def people(seed: int = 1, size: int = 1_200, effect: float = 1.0, share: float = 0.25) -> pd.DataFrame:
    """Everybody offends at a rate of their own; the more were proven lately, the likelier they are named. Being named multiplies the rate by `effect`."""
    random = np.random.default_rng(seed)
    yearly = random.gamma(2.5, 0.36, size)
    early, year, late = random.poisson(yearly), random.poisson(yearly / 2), random.poisson(yearly / 2)
    lately = early + year + late
    named = random.random(size) < share * np.minimum(lately, 6) / 3
    events = random.poisson(yearly * np.where(named, effect, 1.0))
    kept = lately > 1
    frame = pd.DataFrame(
        {
            "entry_id": [f"e{number:05d}" for number in range(size)],
            "person_id": [f"p{number:05d}" for number in range(size)],
            "index_date": [date(2022 + number % 3, 4, 1) for number in range(size)],
            "is_named": named,
            "sex": random.choice(["M", "F"], size),
            "age": random.integers(19, 60, size),
            "proven_24m": lately,
            "proven_12m": year + late,
            "proven_6m": late,
            "proven_ever": lately + random.poisson(1, size),
            "acquisitive_24m": random.binomial(lately, 0.5),
            "days_since_proven": np.where(late > 0, 90, 270) + random.integers(0, 90, size),
            "reoffences": events,
            "days_to_first": np.where(events > 0, random.integers(0, 365, size), np.nan),
        }
    )
    marks = {name: random.random(size) < 0.1 for name in ("is_in_custody", "is_in_treatment", "has_been_treated")}
    standing = dict.fromkeys(("is_strict", "is_balanced", "is_inclusive"), True)
    return frame.assign(**marks, **standing, is_alcohol_only=False, is_parent=False)[kept].reset_index(drop=True)


def frequency(entries: pd.DataFrame) -> pd.Series:
    made = PRODUCT.estimate({"entries": entries}, NIGHT)[MATCHED.name]
    return made[(made["certainty"] == "balanced") & (made["measure"] == "proven reoffences")].iloc[0]


def test_nobody_named_gives_empty_tables() -> None:
    for entries in (people().iloc[:0], people().assign(is_named=False)):
        made = PRODUCT.estimate({"entries": entries}, NIGHT)
        assert {name: list(frame.columns) for name, frame in made.items()} == {table.name: list(table.columns) for table in (MATCHED, BALANCE)}
        assert all(frame.empty for frame in made.values())


def test_adults_are_told_at_three_certainties_and_the_order_of_rows_does_not_matter() -> None:
    entries = people()
    made = PRODUCT.estimate({"entries": entries}, NIGHT)
    again = PRODUCT.estimate({"entries": entries.sample(frac=1, random_state=3)}, NIGHT)
    assert set(made[MATCHED.name]["certainty"]) == {"strict", "balanced", "inclusive"} and set(made[MATCHED.name]["cut"]) == {"adults"}
    for name in made:
        pd.testing.assert_frame_equal(made[name], again[name], check_exact=False, rtol=1e-9)
    balance = made[BALANCE.name].query("certainty == 'balanced'").set_index("covariate")
    assert balance.loc["proven_24m", "difference_before"] > 0.3 > abs(balance.loc["proven_24m", "difference_after"])
    assert balance["title"].notna().all()


def test_no_effect_is_found_where_there_is_none_and_one_where_there_is() -> None:
    """Twenty seeds: the named offend far less than before, but the interval of the comparison holds nought about as often as it says."""
    covered, found = [], []
    for seed in range(20):
        entries = people(seed)
        named = entries[entries["is_named"]]
        # all of 24 months, halved, against the twelve after: the fall that comes of choosing people at a bad time
        assert named["reoffences"].mean() < 0.9 * named["proven_24m"].mean() / 2
        row = frequency(entries)
        covered.append(row["difference_lower_95"] <= 0 <= row["difference_upper_95"])
        row = frequency(people(100 + seed, effect=0.4))
        found.append(row["difference_upper_95"] < 0)
    assert sum(covered) >= 17
    assert sum(found) >= 14


def test_few_are_refused_and_say_so() -> None:
    entries = people(size=400, share=0.05)
    made = PRODUCT.estimate({"entries": entries}, NIGHT)[MATCHED.name]
    assert 0 < made["people_submitted"].iloc[0] < 60
    assert made["note"].str.startswith("refused: fewer than 60 people").all() and made["difference"].isna().all()


def test_under_18s_are_compared_with_their_like_and_cuts_of_adults_with_all_adults() -> None:
    entries = people()
    young = entries.index < 50
    entries.loc[young, "age"] = 16
    entries.loc[entries.index > 900, "is_parent"] = True
    made = PRODUCT.estimate({"entries": entries}, NIGHT)[MATCHED.name].query("certainty == 'balanced' and unit == 'days'").set_index("cut")
    adults = entries[~young]
    assert set(made.index) == {"adults", "under 18", "parents"} or not entries[entries["is_parent"]]["is_named"].any()
    assert made.loc["adults", "people_submitted"] == adults["is_named"].sum()
    assert made.loc["under 18", "people_submitted"] + made.loc["under 18", "comparison_pool"] == young.sum()


def followed(**changes: Any) -> dict[str, Any]:
    row = {
        "cut": "adults", "certainty": "balanced", "breakdown": "all", "breakdown_value": "all", "people": 195, "people_not_linked": None,
        "people_not_yet_observable": 35, "people_compared": 150, "people_offending_before": 150, "people_offending_after": 85, "percent_after": 56.7,
        "percent_after_lower_95": 48.7, "percent_after_upper_95": 64.3, "rate_before": 238.2, "rate_after": 104.4, "rate_ratio": 0.44,
        "rate_ratio_lower_95": 0.32, "rate_ratio_upper_95": 0.6,
    }  # fmt: skip
    return row | changes


def compared(**changes: Any) -> dict[str, Any]:
    row = {
        "cut": "adults", "certainty": "balanced", "measure": "people who reoffended", "unit": "per 100 people", "people_submitted": 115, "people_matched": 85,
        "named_value": 53.0, "comparison_value": 53.0, "difference": -2.0, "difference_lower_95": -18.0, "difference_upper_95": 13.0,
        "conclusion": "What may be said: nothing.", "note": None, "warnings": None,
    }  # fmt: skip
    return row | changes


def test_the_section_draws_the_fall_and_what_is_left_of_it() -> None:
    withheld = followed(cut="under 18", people=None, people_compared=None, rate_before=None, rate_after=None, rate_ratio=None, percent_after=None)
    made = draw([followed(), followed(breakdown="sex", breakdown_value="F"), withheld], [compared()])
    around, difference = [block for block in made.blocks if isinstance(block, Figure)]
    assert around.alt == "Everybody: 238 before, 104 after; Women: 238 before, 104 after."
    assert difference.alt == "People who reoffended, balanced links: -2 (-18 to +13)."
    assert "Year before" in around.svg and "balanced" in difference.svg
    table = next(block for block in made.blocks if isinstance(block, Table))
    assert table.rows[0] == ["Everybody", "195", "", "35", "150", "85", "57 % (49 to 64)", "238", "104", "0.44 (0.32 to 0.60)"]
    assert len(table.rows) == 2, "what is withheld is left out"


@pytest.mark.parametrize("matched", [[], [compared(difference=None, note="refused: fewer than 60 people")]])
def test_the_section_says_why_there_is_no_comparison(matched: list[dict[str, Any]]) -> None:
    made = draw([followed()], matched)
    assert sum(isinstance(block, Figure) for block in made.blocks) == 1
    assert bool(matched) == any(isinstance(block, Note) and "refused" in block.text for block in made.blocks)


def test_no_list_at_all_is_said() -> None:
    assert [block.kind for block in draw([], []).blocks] == ["note"]
