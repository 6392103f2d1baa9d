"""Matching on known confounding: pairs are nearest, balance comes, the effect comes out, and small groups are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.estimate.errors import TooFewPeople
from warehouse.estimate.matched_results import results, wording
from warehouse.estimate.matching import match, nearest_pairs


def population(seed: int, size: int = 1_500, effect: float = -0.1) -> pd.DataFrame:
    """People with more offences behind them are treated more often and reoffend more often; treatment takes 10 points off."""
    random = np.random.default_rng(seed)
    history = random.poisson(2, size).clip(max=6)
    sex = random.choice(["F", "M"], size)
    treated = (random.random(size) < 1 / (1 + np.exp(2.2 - 0.35 * history - 0.3 * (sex == "M")))).astype(int)
    events = (random.random(size) < 0.25 + 0.08 * history + effect * treated).astype(int) * (1 + random.poisson(0.5, size))
    first = np.where(events > 0, random.integers(1, 365, size), np.nan)
    return pd.DataFrame({"person": np.arange(size), "history": history, "sex": sex, "treated": treated, "events": events, "first": first})


def pairs(values: list[float], mark: list[int], reach: float) -> set[tuple[int, int]]:
    ones, others = nearest_pairs(np.array(values), np.array(mark, dtype=bool), np.arange(len(mark)), reach)
    return set(zip(ones.tolist(), others.tolist(), strict=True))


def test_the_nearest_pair_off_first_and_nobody_twice() -> None:
    assert pairs([0.0, 0.1, 0.3, 1.0], [1, 0, 1, 0], 1.0) == {(0, 1), (2, 3)}
    assert pairs([0.0, 0.1, 0.3, 1.0], [1, 0, 1, 0], 0.5) == {(0, 1)}
    assert pairs([1.0, 2.0], [1, 1], 9.0) == set()


def test_a_run_of_treated_beside_a_run_of_others_pairs_off_outwards() -> None:
    assert pairs([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], 10) == {(2, 3), (1, 4), (0, 5)}
    assert pairs([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], 3) == {(2, 3), (1, 4)}


def test_no_pair_that_could_be_made_is_left_and_none_is_too_far() -> None:
    random = np.random.default_rng(2)
    values, mark = random.normal(size=2_000), random.random(2_000) < 0.4
    ones, others = nearest_pairs(values, mark, np.arange(2_000), 0.01)
    assert len(set(ones)) == len(ones) and len(set(others)) == len(others)
    assert mark[ones].all() and not mark[others].any()
    assert np.abs(values[ones] - values[others]).max() <= 0.01
    left_one = np.setdiff1d(np.flatnonzero(mark), ones)
    left_other = np.setdiff1d(np.flatnonzero(~mark), others)
    assert np.abs(values[left_one][:, None] - values[left_other][None, :]).min() > 0.01


def test_the_same_people_give_the_same_pairs_whatever_their_order() -> None:
    people = population(1)
    mixed = people.sample(frac=1, random_state=4).reset_index(drop=True)
    found = [match(frame, "treated", ["history", "sex"], "person") for frame in (people, mixed)]
    named = [set(zip(frame["person"].iloc[m.treated], frame["person"].iloc[m.others], strict=True)) for frame, m in zip((people, mixed), found, strict=True)]
    assert named[0] == named[1]


def test_pairs_are_of_the_same_quarter_where_that_is_asked() -> None:
    people = population(1).assign(quarter=np.arange(1_500) % 5)
    found = match(people, "treated", ["history", "sex"], "person", within="quarter")
    quarter = people["quarter"].to_numpy()
    assert (quarter[found.treated] == quarter[found.others]).all()
    assert found.people > 0.9 * match(people, "treated", ["history", "sex"], "person").people


def test_matching_brings_balance() -> None:
    balance = match(population(1), "treated", ["history", "sex"], "person").balance.set_index("covariate")
    assert balance.loc["history", "before"] > 0.3
    assert balance["is_balanced"].all()
    assert balance["after"].abs().max() < 0.05


def test_below_the_minimum_no_figure_is_given() -> None:
    people = population(1)
    people.loc[people["treated"].cumsum() > 59, "treated"] = 0
    with pytest.raises(TooFewPeople, match="59 treated people"):
        match(people, "treated", ["history"], "person")


def test_the_wording_says_what_may_and_may_not_be_concluded() -> None:
    people = population(1, 6_000)
    found = results(people, match(people, "treated", ["history", "sex"], "person"), "events", "first")
    said = " ".join(wording(found, "treated people", "a proven reoffence", "twelve months", "treatment"))
    assert "treatment may decrease" in said
    assert "What may not be said" in said
    assert f"{found.submitted:,} treated people, {found.people:,} could be matched" in said
    none = population(1, effect=0.0)
    unclear = results(none, match(none, "treated", ["history", "sex"], "person"), "events", "first")
    assert "does not show whether" in " ".join(wording(unclear, "treated people", "a proven reoffence", "twelve months", "treatment"))


def test_intervals_hold_the_effect_as_often_as_they_say() -> None:
    """The plain comparison shows about half of the effect; the matched one holds all of it."""
    runs, held, plain = 60, 0, []
    for seed in range(runs):
        people = population(seed)
        found = results(people, match(people, "treated", ["history", "sex"], "person"), "events", "first").binary.difference
        held += found.low <= -0.1 <= found.high
        means = (people["events"] > 0).groupby(people["treated"]).mean()
        plain.append(means[1] - means[0])
    assert binom.cdf(held, runs, 0.95) > 0.001
    assert np.mean(plain) > -0.07
