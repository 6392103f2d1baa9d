"""Case mix, funnels and shrinking: limits worked by the binomial, a complexity bias taken away, small areas drawn in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.estimate.comparison import case_mix_model, case_mix_rates, dispersion, funnel, funnel_limits, shrunken_rates, unit_rates
from warehouse.estimate.errors import EstimateFault
from warehouse.estimate.glm import design, fit


def test_logistic_regression_on_a_table_of_four() -> None:
    """Two groups: the coefficient is the log odds ratio, its variance the sum of the reciprocals (Woolf)."""
    frame = pd.DataFrame({"group": ["a"] * 50 + ["b"] * 80})
    outcome = np.repeat([1.0, 0.0, 1.0, 0.0], [20, 30, 50, 30])
    matrix, names = design(frame, ["group"])
    found = fit("logistic", matrix, outcome)
    assert names == ["intercept", "group=b"]
    assert found.coefficients[1] == pytest.approx(np.log(50 / 30 / (20 / 30)))
    assert found.covariance[1, 1] == pytest.approx(1 / 20 + 1 / 30 + 1 / 50 + 1 / 30)


def test_perfect_prediction_and_repeats_are_refused() -> None:
    x = np.arange(20.0)
    with pytest.raises(EstimateFault):
        fit("logistic", np.column_stack([np.ones(20), x]), (x > 9).astype(float))
    with pytest.raises(EstimateFault):
        fit("logistic", np.column_stack([np.ones(20), x, x]), (x % 2))


def test_funnel_limits_are_interpolated_quantiles() -> None:
    """Ten people at a half: P(R <= 1) = 11/1024 and P(R <= 2) = 56/1024, so the lower 2.5 % lies between 1 and 2."""
    low, high = funnel_limits(0.5, 10, 0.95)
    between = 2 - (56 / 1024 - 0.025) / (45 / 1024)
    assert low[0] == pytest.approx(between / 10)
    assert high[0] == pytest.approx((8 - (1013 / 1024 - 0.975) / (45 / 1024)) / 10)


def test_funnels_narrow_to_the_normal_limits() -> None:
    low, high = funnel_limits(0.3, [100_000], 0.998)
    reach = 3.0902 * (0.3 * 0.7 / 100_000) ** 0.5
    assert (low[0], high[0]) == pytest.approx((0.3 - reach, 0.3 + reach), abs=3e-5)


def test_who_is_outside() -> None:
    units = pd.DataFrame({"unit": list("abcd"), "people": [1_000, 1_000, 1_000, 50], "observed": [300, 380, 260, 11]})
    assert funnel(units)["position"].tolist() == ["as expected", "above 998", "below 998", "as expected"]


def test_case_mix_takes_a_complexity_bias_away() -> None:
    """Two providers equally good; one takes on the complex."""
    random = np.random.default_rng(1)
    provider = np.repeat(["easy", "hard"], 5_000)
    complexity = np.where(random.random(10_000) < np.where(provider == "hard", 0.7, 0.2), "high", "low")
    outcome = (random.random(10_000) < np.where(complexity == "high", 0.3, 0.6)).astype(int)
    people = pd.DataFrame({"provider": provider, "complexity": complexity, "outcome": outcome})
    found = case_mix_rates(people, "provider", "outcome", ["complexity"]).set_index("unit")
    assert found.loc["easy", "rate"] - found.loc["hard", "rate"] > 0.12
    assert found.loc["easy", "adjusted"] == pytest.approx(found.loc["hard", "adjusted"], abs=0.03)
    assert found["expected"].sum() == pytest.approx(found["observed"].sum())
    assert (funnel(found.reset_index())["position"] == "as expected").all()


def counted() -> pd.DataFrame:
    """Two units of two kinds of people, counted: the odds ratio of the kinds is 4."""
    return pd.DataFrame({"unit": ["a", "a", "b", "b"], "kind": ["easy", "hard"] * 2, "people": [300, 100, 100, 300], "observed": [200, 40, 67, 100]})


def test_people_counted_by_cells_give_what_single_people_give() -> None:
    cells = counted()
    people = cells.loc[cells.index.repeat(cells["people"])].assign(
        outcome=np.concatenate([np.arange(n) < o for n, o in cells[["people", "observed"]].to_numpy()]).astype(int)
    )
    model = case_mix_model(cells, ["kind"])
    found = unit_rates(cells.assign(expected=cells["people"] * model.risk), "unit")
    pd.testing.assert_frame_equal(found, case_mix_rates(people, "unit", "outcome", ["kind"]), check_dtype=False)
    odds = model.odds.set_index("value")
    hard = (140 / 260) / (267 / 133)
    assert odds.loc["hard", "odds_ratio"] == pytest.approx(hard)
    assert odds.loc["hard", "upper"] == pytest.approx(hard * np.exp(1.959964 * (1 / 140 + 1 / 260 + 1 / 267 + 1 / 133) ** 0.5)), "Woolf"
    assert odds.loc["easy", "odds_ratio"] == 1 and np.isnan(odds.loc["easy", "upper"])


def test_rare_values_count_with_the_commonest_and_perfect_ones_too() -> None:
    rare = pd.DataFrame({"unit": ["c", "c"], "kind": ["rare", "perfect"], "people": [9, 40], "observed": [3, 40]})
    model = case_mix_model(pd.concat([counted(), rare], ignore_index=True), ["kind"])
    assert sorted(model.odds["value"]) == ["easy", "hard"]
    assert model.odds["people"].sum() == 849


def test_no_more_is_adjusted_for_than_there_are_people_with_the_outcome() -> None:
    few = counted().assign(observed=[4, 3, 2, 6], sex=["F", "M", "M", "F"])
    model = case_mix_model(few, ["kind", "sex"])
    assert model.covariates == ("kind",)
    assert model.warnings == ("Too few people with or without the outcome to adjust for sex.",)
    assert case_mix_model(few.assign(observed=[1, 1, 1, 1]), ["kind", "sex"]).covariates == ()
    with pytest.raises(EstimateFault, match="with and without"):
        case_mix_model(few.assign(observed=0), ["kind"])


def test_covariates_that_repeat_each_other_are_left_out_from_the_end() -> None:
    model = case_mix_model(counted().assign(same=lambda rows: rows["kind"] + " again"), ["kind", "same"])
    assert model.covariates == ("kind",)


def test_dispersion_is_told_from_chance() -> None:
    random = np.random.default_rng(2)
    people = random.integers(100, 500, 100)
    alike = dispersion(people, random.binomial(people, 0.4))
    unlike = dispersion(people, random.binomial(people, random.beta(40, 60, 100)))
    assert not alike.is_over
    assert unlike.is_over
    assert 0.025 < unlike.between < 0.05, "0.049, less what drawing the outermost in takes off"
    assert "as wide" in unlike.note


def test_small_areas_are_drawn_in_further() -> None:
    found = shrunken_rates([10, 100, 1_000, 500, 800], [9, 60, 400, 150, 420])
    assert found.loc[0, "shrunken"] < found.loc[0, "rate"]
    assert found.loc[0, "weight"] < found.loc[1, "weight"] < found.loc[2, "weight"]


def test_areas_that_do_not_differ_are_as_sure_as_all_their_people() -> None:
    found = shrunken_rates([100, 200, 300], [30, 60, 90])
    assert found["shrunken"].tolist() == pytest.approx([0.3, 0.3, 0.3], abs=1e-3)
    assert (found["upper"] - found["lower"]).min() > 0.04


def test_credible_intervals_hold_the_areas_truths_and_shrinking_helps() -> None:
    random, held, of, raw, drawn = np.random.default_rng(4), 0, 0, 0.0, 0.0
    for _ in range(12):
        truth, people = random.beta(20, 30, 60), random.integers(10, 200, 60)
        seen = random.binomial(people, truth)
        found = shrunken_rates(people, seen)
        held += int(((found["lower"] <= truth) & (truth <= found["upper"])).sum())
        of += 60
        raw += float(((seen / people - truth) ** 2).sum())
        drawn += float(((found["shrunken"] - truth) ** 2).sum())
    assert binom.cdf(held, of, 0.94) > 0.001, "the fit is taken as known, which costs about a hundredth"
    assert held < 0.97 * of
    assert drawn < 0.7 * raw


def test_large_cells_of_all_or_nothing_do_not_stop_the_model() -> None:
    """Five kinds of people, all of one kind and none of the others with the outcome."""
    cells = pd.DataFrame({"people": [279] * 5, "observed": [279, 0, 0, 0, 0], "age": ["young", "old", "young", "old", "older"]})
    model = case_mix_model(cells, ["age"])
    assert float((model.risk * cells["people"]).sum()) == pytest.approx(279)
