"""Populations from overlapping lists: the textbook's turtles, closed forms, dependence that is found, and intervals that hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.estimate.capture_recapture import chapman, hierarchical_models, log_linear
from warehouse.estimate.errors import EstimateFault

LISTS = ["treatment", "police", "housing"]


def histories(counts: dict[str, int], lists: list[str] = LISTS) -> pd.DataFrame:
    """`{"110": 5}`: five people on the first two lists."""
    return pd.DataFrame([[*map(int, code), count] for code, count in counts.items()], columns=[*lists, "count"])


def drawn(seed: int, people: int = 2_000, tie: float = 0.0) -> pd.DataFrame:
    """Three lists with chances 0.3, 0.25 and 0.2; `tie` more on the second for those on the first."""
    random = np.random.default_rng(seed)
    first = random.random(people) < 0.3
    marks = np.column_stack([first, random.random(people) < 0.25 + tie * first, random.random(people) < 0.2]).astype(int)
    frame = pd.DataFrame(marks[marks.any(axis=1)], columns=LISTS)
    return frame.groupby(LISTS).size().rename("count").reset_index()


def test_ten_turtles_then_fifteen_with_five_of_them() -> None:
    """The usual example: 28.3 turtles; Sadinle's interval is 22 to 65."""
    found = chapman(10, 15, 5)
    assert found.value == pytest.approx(11 * 16 / 6 - 1)
    assert (round(found.low), round(found.high)) == (22, 65)


def test_two_lists_are_lincoln_and_petersen() -> None:
    found = log_linear(histories({"10": 80, "01": 60, "11": 40}, LISTS[:2]), LISTS[:2])
    assert found.interval.value == pytest.approx(120 * 100 / 40, rel=1e-5)
    assert any("dependence cannot be seen" in said for said in found.warnings)


def test_closed_forms_of_three_lists() -> None:
    """Fienberg (1972): all pairs; two pairs, by the table of those not on the list they share."""
    counts = {"111": 12, "110": 30, "101": 25, "011": 20, "100": 90, "010": 80, "001": 70}
    models = log_linear(histories(counts), LISTS).models.set_index("model")
    singles = " + ".join(LISTS)
    every = f"{singles} + treatment:police + treatment:housing + police:housing"
    assert models.loc[every, "unseen"] == pytest.approx(12 * 90 * 80 * 70 / (30 * 25 * 20), rel=1e-5)
    assert models.loc[every, "degrees"] == 0
    assert models.loc[f"{singles} + treatment:police + treatment:housing", "unseen"] == pytest.approx(80 * 70 / 20, rel=1e-5)
    assert models["weight"].sum() == pytest.approx(1)
    assert len(models) == 8


def test_how_many_models_there_are() -> None:
    assert [len(hierarchical_models(lists)) for lists in (2, 3, 4)] == [1, 8, 113]


def test_lists_that_depend_are_found_out() -> None:
    found = log_linear(drawn(1, 20_000, tie=0.3), LISTS)
    assert found.model == "treatment + police + housing + treatment:police"
    assert found.interval.low < 20_000 < found.interval.high
    alone = found.models.set_index("model").loc["treatment + police + housing", "population"]
    assert alone < 0.9 * 20_000


def test_thin_overlap_is_said() -> None:
    found = log_linear(histories({"111": 0, "110": 3, "101": 25, "011": 20, "100": 90, "010": 80, "001": 70}), LISTS)
    assert found.warnings[0] == "Fewer than 10 people are on both of these lists, an overlap too thin to lean on: treatment and police."


def test_lists_without_overlap_are_refused() -> None:
    with pytest.raises(EstimateFault, match="Nobody is on two lists"):
        log_linear(histories({"100": 9, "010": 9, "001": 9}), LISTS)
    with pytest.raises(EstimateFault, match="Each list needs somebody"):
        log_linear(histories({"110": 9, "010": 9}), LISTS)


def test_models_that_fit_as_well_all_have_their_say() -> None:
    """Two lists depend on each other a little, which 400 people hardly show: one model alone holds the truth 7 times in 10."""
    runs, held, narrow = 30, 0, 0
    for seed in range(1_000, 1_000 + runs):
        random = np.random.default_rng(seed)
        police = random.random(400) < 0.2
        chances = (np.where(police, 0.5, 0.38), police.astype(float), np.where(police, 0.2, 0.1), 0.12)
        marks = np.column_stack([random.random(400) < chance for chance in chances]).astype(int)
        lists = [*LISTS, "custody"]
        rows = pd.DataFrame(marks[marks.any(axis=1)], columns=lists).groupby(lists).size().rename("count").reset_index()
        found = log_linear(rows, lists)
        held += found.interval.low <= 400 <= found.interval.high
        narrow += found.models["weight"].iloc[0] > 0.5
    assert binom.cdf(held, runs, 0.88) > 0.001
    assert narrow < runs / 2, "no model has most of the weight"


def test_a_model_that_runs_off_has_no_say() -> None:
    """Nobody on all three lists: the model of every pair would say that nobody is unseen."""
    found = log_linear(histories({"111": 0, "110": 30, "101": 25, "011": 20, "100": 90, "010": 80, "001": 70}), LISTS)
    assert not found.models["model"].str.contains("treatment:police .*treatment:housing .*police:housing").any()
    assert found.interval.low > found.seen + 50


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Independent lists, of which the model of independence has nearly all the weight; Chapman on two of the three."""
    runs, held, two = 40, 0, 0
    for seed in range(runs):
        rows = drawn(seed)
        found = log_linear(rows, LISTS).interval
        held += found.low <= 2_000 <= found.high
        first, second = (int(rows.loc[rows[name] == 1, "count"].sum()) for name in LISTS[:2])
        both = int(rows.loc[(rows["treatment"] == 1) & (rows["police"] == 1), "count"].sum())
        pair = chapman(first, second, both)
        two += pair.low <= 2_000 <= pair.high
    assert binom.cdf(held, runs, 0.95) > 0.001
    assert binom.cdf(two, runs, 0.95) > 0.001
