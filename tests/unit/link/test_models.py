"""The saved models and the policy: complete, consistent, and never linking on initials, date of birth and sex alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.contracts.load import feeds
from warehouse.link import models
from warehouse.link.blocking import ATTRIBUTOR, MINIMAL_RULES, NAMED_RULES, attributor_only, same
from warehouse.link.errors import LinkageFault
from warehouse.link.workspace import NICKNAMES

RULES = [*NAMED_RULES, *MINIMAL_RULES]
POLICY = models.policy()
IN_USE = (POLICY.named.model, *(dedupe.model for dedupe in POLICY.named.dedupe.values()), POLICY.minimal.model)


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_asks_for_initials_date_of_birth_and_sex_alone(rule: str) -> None:
    assert not attributor_only(rule)


@pytest.mark.parametrize(
    "rule", [same("initials", "dob", "sex"), same("initials", "dob"), same("forename_initial", "surname_initial", "birth_month", "sex"), same("dob")]
)
def test_such_a_rule_would_be_found(rule: str) -> None:
    assert attributor_only(rule)


def test_the_saved_models_block_as_the_code_does() -> None:
    for name in IN_USE:
        for rule in models.load_model(name)["blocking_rules_to_generate_predictions"]:
            assert rule["blocking_rule"] in RULES
            assert not attributor_only(rule["blocking_rule"])


def weight(model: dict[str, Any], comparison: str, label: str) -> float:
    """The weight in bits of a level, where the value is as common as on average."""
    from math import log2

    (levels,) = (c["comparison_levels"] for c in model["comparisons"] if c["output_column_name"] == comparison)
    (level,) = (level for level in levels if level["label_for_charts"] == label)
    return log2(level["m_probability"] / level["u_probability"])


def test_agreement_on_initials_date_of_birth_and_sex_does_not_link_without_a_place() -> None:
    """Among a million persons, an agreement on the attributor with no place in common is not half believed."""
    policy, model = POLICY.minimal, models.load_model(POLICY.minimal.model)
    assert {c["output_column_name"] for c in model["comparisons"]} - ATTRIBUTOR == {"place"}
    agreed = weight(model, "initials", "Same") + weight(model, "dob", "Same") + weight(model, "sex", "Same") + weight(model, "place", "All else")
    odds = policy.share_known / 1_000_000 * 2**agreed
    assert odds / (odds + 1 - policy.share_known) < policy.posterior["inclusive"]


def test_every_level_of_a_model_is_trained() -> None:
    for name in IN_USE:
        assert models.untrained_levels(models.load_model(name)) == []


def test_an_untrained_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.load_model(IN_USE[0])
    del model["comparisons"][0]["comparison_levels"][1]["m_probability"]
    (tmp_path / "half.json").write_text(json.dumps(model), encoding="utf-8")
    monkeypatch.setattr(models, "MODELS_DIR", tmp_path)
    with pytest.raises(LinkageFault, match="not fully trained: forename: Same"):
        models.load_model("half")
    with pytest.raises(LinkageFault, match="no linkage model called whole"):
        models.load_model("whole")


def test_each_model_has_its_card_and_charts() -> None:
    for name in IN_USE:
        for suffix in (".md", ".match_weights.svg", ".estimates.svg"):
            assert (models.MODELS_DIR / f"{name}{suffix}").stat().st_size > 0


def test_thresholds_rise_with_certainty() -> None:
    for thresholds in (POLICY.named.match_weight, POLICY.minimal.posterior):
        assert thresholds["inclusive"] < thresholds["balanced"] < thresholds["strict"]


def test_every_pair_of_rows_is_in_one_pass() -> None:
    own = models.DedupePolicy(model="dedupe-b-2", matches_per_record=0.1)
    rules = POLICY.named.model_copy(update={"dedupe": {"b": own, "absent": own}})
    passes = models.named_passes(rules, ["c", "b", "a"])
    assert [(one.model, one.feed) for one in passes] == [("dedupe-b-2", "b"), (rules.model, None)]
    judged = " + ".join(f"({one.pairs})::int" for one in passes)
    feeds = "(values ('a'), ('b'), ('c'))"
    counts = duckdb.sql(f"select distinct {judged} from {feeds} as l (feed) cross join {feeds} as r (feed)").fetchall()
    assert counts == [(1,)]


def test_without_models_of_feeds_there_is_one_pass() -> None:
    (one,) = models.named_passes(POLICY.named.model_copy(update={"dedupe": {}}), ["a", "b"])
    assert (one.model, one.feed, one.pairs) == (POLICY.named.model, None, "true")


def test_models_of_feeds_name_feeds_that_have_contracts() -> None:
    assert set(POLICY.named.dedupe) <= set(feeds())


def test_a_name_stands_for_one_group() -> None:
    rows = [(row["name"], row["sex"]) for row in csv.DictReader(NICKNAMES.open(encoding="utf-8"))]
    assert len(rows) == len(set(rows)) > 1_500
