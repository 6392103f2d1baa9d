"""Made-up people for the matched comparison whose true effect is known: what its page draws, and what its tests hold the method to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.products.product import Frames

QUARTERS = 8
# The numbers of seed matched_comparison_rules that the estimate takes.
RULES = {"caliper": 0.2, "fewest_people": 60, "fewest_people_for_regions": 500}


def frames(seed: int, people: int = 4_000, effect: float = -0.1) -> Frames:
    """What the product reads, of people who are treated more often, and reoffend more often, the more police know of them and the later they enter.

    Args:
        effect: what treatment adds to the chance of reoffending within the follow-up, as a share of 1.
    """
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(seed)
    quarter = random.integers(0, QUARTERS, people)
    sanctions, tests = random.poisson(1.5, people).clip(max=6), random.poisson(0.4, people)
    treated = random.random(people) < 1 / (1 + np.exp(4.2 - 0.35 * sanctions - 0.6 * (tests > 0) - 0.15 * quarter))
    chance = 0.15 + 0.05 * sanctions + 0.08 * (tests > 0) + 0.02 * quarter + effect * treated
    reoffends = random.random(people) < chance
    entries = pd.DataFrame(
        {
            "entry_id": [f"{number:08d}" for number in range(people)],
            "person_id": [f"{number:08d}" for number in range(people)],
            "exposure": np.where(treated, "treatment start", "none"),
            "index_date": pd.Timestamp("2022-01-10") + pd.to_timedelta(91 * quarter, unit="D"),
            "quarter": quarter.astype(str),
            "sex": random.choice(["F", "M"], people, p=[0.25, 0.75]),
            "age": random.integers(18, 60, people),
            "region_code": random.choice(["E12000001", "E12000002", "E12000003"], people),
            "sanctions": sanctions + random.poisson(1, people),
            "recent_sanctions": sanctions,
            "recent_arrests": random.poisson(1, people) + 1,
            "recent_acquisitive_sanctions": random.binomial(sanctions, 0.4),
            "recent_drug_related_sanctions": random.binomial(sanctions, 0.3),
            "recent_positive_tests": tests,
            "recent_custody_nights": random.choice([0, 40], people, p=[0.9, 0.1]),
            "days_since_known": random.integers(1, 730, people),
            "reoffences": reoffends * (1 + random.poisson(0.8, people)),
            "days_to_first": np.where(reoffends, random.integers(1, 365, people), np.nan),
        }
    )
    never = ["is_under_18", "is_alcohol_only", "has_children_at_home", "is_in_treatment", "is_dead_in_follow_up", "is_left_out", "was_treated_before"]
    entries = entries.assign(**dict.fromkeys(never, False), is_treated_later=random.random(people) < 0.05)
    entries = entries.assign(is_on_out_of_work_benefit=random.random(people) < 0.6, is_strict=False, is_balanced=True, is_inclusive=False)
    starters = pd.DataFrame(
        [("treatment start", "adults", "balanced", 2 * int(treated.sum()), int(1.5 * treated.sum()))],
        columns=["exposure", "cut", "certainty", "people_starting", "people_linked_to_police"],
    )
    return {"entries": entries, "starters": starters, "rules": pd.DataFrame({"rule": list(RULES), "value": list(RULES.values())})}
