"""Kaplan-Meier on Freireich's remissions, Aalen-Johansen by hand, and limits that hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.survival import at_times, cumulative_incidence, kaplan_meier, log_rank, median_time

# Weeks in remission (Freireich and others, Blood 21, 1963, as in Cox, 1972, and Kalbfleisch and Prentice, 1980); 0 where it lasted.
DRUG = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35])
ENDED = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0])
PLACEBO = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])


def test_remissions_with_six_mercaptopurine() -> None:
    curve = kaplan_meier(DRUG, ENDED)
    steps = curve[curve["events"] > 0]
    assert steps["time"].tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert steps["at_risk"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert steps["survival"].tolist() == pytest.approx([0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5)
    assert steps["std_error"].tolist() == pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=5e-5)
    assert steps["lower"].tolist() == pytest.approx([0.620, 0.563, 0.503, 0.432, 0.368, 0.268, 0.188], abs=6e-4)
    assert steps["upper"].tolist() == pytest.approx([0.952, 0.923, 0.889, 0.849, 0.805, 0.747, 0.680], abs=6e-4)


def test_medians_and_the_log_rank_test_of_the_same_remissions() -> None:
    times, events = np.append(DRUG, PLACEBO), np.append(ENDED, np.ones(21))
    group = np.repeat(["drug", "placebo"], 21)
    assert median_time(kaplan_meier(times, events, group)) == {"drug": 23, "placebo": 8}
    statistic, degrees, p = log_rank(times, events, group)
    assert (statistic, degrees) == (pytest.approx(16.79, abs=0.005), 1)
    assert p < 0.0001


def test_incidence_by_hand_with_death_competing() -> None:
    """Five people: event at 1, death at 2, censored at 3, event at 4, death at 5."""
    found = cumulative_incidence([1, 2, 3, 4, 5], [1, 2, 0, 1, 2])
    event, death = (found[found["kind"] == kind]["incidence"].tolist() for kind in (1, 2))
    assert event == pytest.approx([0, 0.2, 0.2, 0.2, 0.5, 0.5])
    assert death == pytest.approx([0, 0, 0.2, 0.2, 0.2, 0.5])


def test_without_a_competing_event_incidence_is_what_kaplan_meier_leaves() -> None:
    curve = kaplan_meier(DRUG, ENDED)
    found = cumulative_incidence(DRUG, ENDED, kinds=1)
    assert found["incidence"].to_numpy() == pytest.approx(1 - curve["survival"].to_numpy())
    assert found["std_error"].to_numpy() == pytest.approx(curve["std_error"].to_numpy(), abs=1e-9)


def test_curves_are_read_at_times_and_not_beyond_their_end() -> None:
    read = at_times(kaplan_meier(DRUG, ENDED), [0, 12, 35, 36])
    assert read["at"].tolist() == [0, 12, 35]
    assert read["survival"].tolist() == pytest.approx([1, 0.7529, 0.4482], abs=5e-5)


def test_limits_are_missing_where_nobody_is_left() -> None:
    last = kaplan_meier([1, 2], [1, 1]).iloc[-1]
    assert last["survival"] == 0
    assert np.isnan(last["lower"]) and np.isnan(last["upper"])


def test_counted_people_give_the_curves_of_the_people() -> None:
    pairs, counts = np.unique(np.column_stack([PLACEBO % 7, PLACEBO % 3]), axis=0, return_counts=True)
    time, kind = pairs[:, 0], pairs[:, 1]
    whole, counted = cumulative_incidence(PLACEBO % 7, PLACEBO % 3), cumulative_incidence(time, kind, weight=counts)
    assert counted.equals(whole)
    assert kaplan_meier(time, kind == 1, weight=counts).equals(kaplan_meier(PLACEBO % 7, PLACEBO % 3 == 1))
    group = np.repeat(["a", "b"], [10, 11])
    tripled = log_rank(np.tile(PLACEBO, 3), np.tile(PLACEBO % 3 == 1, 3), np.tile(group, 3))
    assert log_rank(PLACEBO, PLACEBO % 3 == 1, group, np.full(21, 3)) == pytest.approx(tripled)
    with pytest.raises(EstimateFault):
        kaplan_meier(time, kind == 1, weight=counts * 0)


@pytest.mark.parametrize("event", [[1, 2], [1], [1, None]])
def test_what_does_not_fit_is_refused(event: list[int]) -> None:
    with pytest.raises(EstimateFault):
        kaplan_meier([1, 2], event)


def test_limits_hold_the_truth_as_often_as_they_say() -> None:
    """Constant hazards: reoffending 0.08 a month, death 0.02, both censored evenly between 6 and 24 months; the truth at 12."""
    random, runs, people = np.random.default_rng(5), 120, 150
    truth = 0.8 * (1 - np.exp(-0.1 * 12))
    held = 0
    for _ in range(runs):
        time, end = random.exponential(10, people), random.uniform(6, 24, people)
        kind = np.where(time < end, np.where(random.random(people) < 0.8, 1, 2), 0)
        row = at_times(cumulative_incidence(np.minimum(time, end), kind), [12.0]).iloc[0]
        held += row["lower"] <= truth <= row["upper"]
    assert binom.cdf(held, runs, 0.95) > 0.001
    assert held < runs, "nor are they so wide that they always do"
