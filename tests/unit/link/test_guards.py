"""What stops a night, and what the refusal says."""

from __future__ import annotations

import pytest

from warehouse.link import guards
from warehouse.link.errors import PairBudgetExceeded
from warehouse.link.guards import NightRefused, drifted
from warehouse.link.metrics import Churn
from warehouse.link.models import policy

LIMITS = policy().guards
USUAL = {("completeness_nino", "police"): 0.8, ("mean_match_weight", ""): 20.0, ("edges_per_record", ""): 1.0}


def test_a_night_like_the_others_passes() -> None:
    assert list(drifted({("completeness_nino", "police"): 0.75, ("mean_match_weight", ""): 20.5, ("edges_per_record", ""): 1.1}, USUAL, LIMITS)) == []


@pytest.mark.parametrize(
    ("measure", "value", "told"),
    [
        (("completeness_nino", "police"), 0.4, "completeness_nino of police is 0.4, usually 0.8, and may fall by 0.1"),
        (("mean_match_weight", ""), 30.0, "mean_match_weight is 30, usually 20, and may move by 2 bits"),
        (("mean_match_weight", ""), 10.0, "mean_match_weight is 10, usually 20, and may move by 2 bits"),
        (("edges_per_record", ""), 1.5, "edges_per_record is 1.5, usually 1, and may move by 25%"),
        (("edges_per_record", ""), 0.5, "edges_per_record is 0.5, usually 1, and may move by 25%"),
    ],
)
def test_a_measure_far_from_the_usual_is_told_with_its_limit(measure: tuple[str, str], value: float, told: str) -> None:
    assert list(drifted(USUAL | {measure: value}, USUAL, LIMITS)) == [told]


def test_more_complete_than_usual_is_no_drift() -> None:
    assert list(drifted(USUAL | {("completeness_nino", "police"): 1.0}, USUAL, LIMITS)) == []


def test_a_feed_that_has_lost_all_its_records_is_drift() -> None:
    tonight = {measure: value for measure, value in USUAL.items() if measure[1] == ""}
    assert list(drifted(tonight, USUAL, LIMITS)) == ["completeness_nino of police is 0, usually 0.8, and may fall by 0.1"]


def test_pairs_over_the_budget_name_the_rule_that_makes_most() -> None:
    guards.check_pairs(600, 10, 60, 100, "l.dob = r.dob", 500)
    guards.check_pairs(1_000, 10, 60, 1_000, "l.dob = r.dob", 500)
    with pytest.raises(PairBudgetExceeded, match=r"601 pairs, more than the 600 allowed for 10 rows. Most, 500, come from the rule 'l.dob = r.dob'"):
        guards.check_pairs(601, 10, 60, 100, "l.dob = r.dob", 500)


def test_records_that_hang_together_beyond_belief_stop_the_night() -> None:
    guards.check_component(500, 500)
    with pytest.raises(NightRefused, match="501 records hang together as one person; at most 500"):
        guards.check_component(501, 500)


@pytest.mark.parametrize("limit", ["3GB", "512MB", "2 GiB", "80%"])
def test_memory_that_the_machine_has_may_be_used(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(guards, "machine_memory", lambda: 4 * 10**9)
    guards.check_memory(limit)


@pytest.mark.parametrize("limit", ["5GB", "4GiB", "1TB", "4000001KB"])
def test_a_memory_limit_above_what_there_is_stops_the_night(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(guards, "machine_memory", lambda: 4 * 10**9)
    with pytest.raises(NightRefused, match=r"there are 4.0 GB. Lower WAREHOUSE_MEMORY_LIMIT"):
        guards.check_memory(limit)


def test_the_machine_has_some_memory() -> None:
    assert guards.machine_memory() > 10**8


def test_churn_is_a_share_of_the_records_that_stayed() -> None:
    assert Churn(moved=3, kept=300).share == 0.01
    assert Churn(moved=0, kept=0).share == 0
