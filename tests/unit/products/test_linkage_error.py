"""Linkage error: the best basis is taken, what rests on no link stays as it is, and planted errors are put right."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from warehouse.estimate.common import Interval, wilson
from warehouse.estimate.linkage_error import adjusted_rate, partly_linked_rate
from warehouse.products.linkage_error import PRODUCT, TABLE

NIGHT = date(2026, 11, 2)
TRUTH = {
    ("truth_client_to_person_precision", "", ""): 0.9, ("truth_client_to_person_recall", "", ""): 0.8, ("truth_clients_known", "", ""): 500,
    ("truth_client_to_person_precision", "certainty", "strict"): 1.0, ("truth_client_to_person_recall", "certainty", "strict"): 0.7,
    ("truth_clients_known", "certainty", "strict"): 500,
    ("truth_client_to_person_precision", "sex", "F"): 0.9, ("truth_client_to_person_recall", "sex", "F"): 0.6, ("truth_clients_known", "sex", "F"): 200,
    ("truth_client_pair_precision", "", ""): 1.0, ("truth_client_pair_recall", "", ""): 0.5, ("edges_between_clients", "", ""): 100,
}  # fmt: skip
REVIEW = {
    (f"review_{name}", "minimal", "balanced"): value
    for name, value in {"precision": 0.95, "precision_low": 0.90, "precision_high": 0.98, "recall": 0.85, "recall_low": 0.80, "recall_high": 0.88}.items()
}
WEIGHTS = {
    ("edges_by_weight", "minimal-2", "10"): 90, ("edges_by_weight", "minimal-2", "0"): 10, ("edges_by_weight", "minimal-2", "-2"): 6,
    ("edges_by_weight", "link-2", "0"): 999,
    ("edges_by_level", "minimal-2", "strict"): 90, ("edges_by_level", "minimal-2", "balanced"): 10, ("edges_by_level", "minimal-2", "inclusive"): 6,
}  # fmt: skip


def counts(**changes: Any) -> pd.DataFrame:
    row = {
        "certainty": "balanced", "cut": "adults", "outcome": "o", "link": "client_to_person", "period_start": date(2023, 1, 1),
        "period_end": date(2025, 12, 31), "breakdown": "all", "breakdown_value": "all", "journeys": 600, "journeys_unlinked": 400,
        "journeys_with_outcome": 240, "journeys_with_outcome_by_link": 240,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def made(rows: pd.DataFrame, measures: dict[tuple[str, str, str], float]) -> list[dict[str, Any]]:
    frame = pd.DataFrame([(*key, value) for key, value in measures.items()], columns=["metric", "feed_a", "feed_b", "value"])
    found: list[dict[str, Any]] = PRODUCT.estimate({"counts": rows, "measures": frame}, NIGHT)[TABLE.name].to_dict("records")
    return found


def test_nothing_counted_gives_an_empty_table() -> None:
    found = PRODUCT.estimate({"counts": counts().iloc[:0], "measures": pd.DataFrame(columns=["metric", "feed_a", "feed_b", "value"])}, NIGHT)
    assert list(found[TABLE.name].columns) == list(TABLE.columns)


def test_a_rate_is_of_all_journeys_and_put_right() -> None:
    (row,) = made(counts(), TRUTH)
    assert (row["linked_rate"], row["naive_rate"]) == (0.4, 0.24)
    assert row["adjusted_rate"] == pytest.approx(0.24 * 0.9 / 0.8)
    assert row["adjusted_lower_95"] < row["adjusted_rate"] < row["adjusted_upper_95"]
    assert row["adjusted_upper_95"] - row["adjusted_lower_95"] > row["naive_upper_95"] - row["naive_lower_95"]


def test_what_rests_on_no_link_stays_as_it_is() -> None:
    (row,) = made(counts(link="client_pair", journeys=1_000, journeys_unlinked=0, journeys_with_outcome=200, journeys_with_outcome_by_link=50), TRUTH)
    assert row["adjusted_rate"] == pytest.approx(0.15 + 0.05 / 0.5)


def test_each_certainty_and_sex_is_put_right_by_its_own() -> None:
    (strict,), (women,) = made(counts(certainty="strict"), TRUTH), made(counts(breakdown="sex", breakdown_value="F"), TRUTH | REVIEW | WEIGHTS)
    assert (strict["link_precision"], strict["link_recall"]) == (1.0, 0.7)
    assert (women["basis"], women["link_recall"]) == ("known truth", 0.6)
    (men,) = made(counts(breakdown="sex", breakdown_value="M"), TRUTH | REVIEW)
    assert (men["basis"], men["note"]) == ("none", "precision and recall of this group's links were not measured")


def test_the_review_comes_before_the_truth_and_the_truth_before_weights() -> None:
    rows = made(counts(), TRUTH | REVIEW | WEIGHTS)
    assert [(row["basis"], row["is_preferred"]) for row in rows] == [("review by stewards", True), ("known truth", False), ("model weights", False)]
    assert (rows[0]["link_precision_lower_95"], rows[0]["link_recall_upper_95"]) == pytest.approx((0.90, 0.88))


def test_weights_tell_what_the_model_expects_of_its_pairs() -> None:
    """Ninety pairs of eleven bits, ten of one bit (two in three are right), six of minus one (one in three) that balanced does not join."""
    (row,) = made(counts(), WEIGHTS)
    sure = 90 / (1 + 2**-11)
    right = sure + 10 * 2 / 3
    assert row["link_precision"] == pytest.approx(right / 100)
    assert row["link_recall"] == pytest.approx(right / (right + 2))


def test_what_cannot_be_put_right_says_why() -> None:
    (small,), (unmeasured,) = made(counts(journeys=30, journeys_unlinked=29, journeys_with_outcome=3), TRUTH), made(counts(), {})
    assert small["note"] == "refused: fewer than 60 journeys"
    assert "not measured" in unmeasured["note"] and unmeasured["naive_rate"] == 0.24
    perfect = {key: 1.0 if "clients" not in key[0] else value for key, value in TRUTH.items()}
    (row,) = made(counts(), perfect)
    assert row["adjusted_rate"] == pytest.approx(0.24)


def test_without_certain_cases_a_partly_linked_rate_is_the_adjusted_one() -> None:
    precision, recall = Interval(0.9, 0.85, 0.95), Interval(0.8, 0.7, 0.85)
    assert partly_linked_rate(0, 30, 100, precision, recall) == adjusted_rate(30, 100, precision, recall)


def test_partly_linked_intervals_hold_the_truth_at_least_as_often_as_they_say() -> None:
    """A tenth is seen without links; another fifth rests on links found with recall 0.75; 20 false ones in 1,000."""
    random, runs, held, naive = np.random.default_rng(5), 400, 0, 0
    for _ in range(runs):
        certain, true, false = random.multinomial(1_000, [0.1, 0.15, 0.02, 0.73])[:3]
        precision, recall = wilson(random.binomial(200, 0.15 / 0.17), 200), wilson(random.binomial(150, 0.75), 150)
        found = partly_linked_rate(certain, true + false, 1_000, precision, recall)
        held += found.low <= 0.3 <= found.high
        plain = wilson(certain + true + false, 1_000)
        naive += plain.low <= 0.3 <= plain.high
    assert binom.cdf(held, runs, 0.95) > 0.001
    assert naive < 0.7 * runs


def test_false_links_that_have_the_outcome_too_do_no_harm_beyond_precision() -> None:
    """Links drawn one by one: a client known to the police is found with 0.9; one in thirty is given somebody else's record, who offended with 0.5."""
    random, runs, held = np.random.default_rng(6), 200, 0
    for _ in range(runs):
        people = 1_500
        known = random.random(people) < 0.6
        offended = known & (random.random(people) < 0.35)
        found = known & (random.random(people) < 0.9)
        wrong = random.random(people) < 1 / 30
        seen = np.where(wrong, random.random(people) < 0.5, found & offended)
        # precision and recall of statuses, as a sample of judged people tells them
        judged = random.choice(people, 400, replace=False)
        precision = wilson(int((seen & offended)[judged].sum()), int(seen[judged].sum()))
        recall = wilson(int((seen & offended)[judged].sum()), int(offended[judged].sum()))
        rate = adjusted_rate(int(seen.sum()), people, precision, recall)
        held += rate.low <= offended.mean() <= rate.high
    assert binom.cdf(held, runs, 0.95) > 0.001
