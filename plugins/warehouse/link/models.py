"""The saved models and the linkage policy: what a night may use, and nothing it could learn for itself.

A model is Splink settings with every parameter trained, one JSON file a version in `models/`, with a card beside it.
`models/policy.yaml` names the versions in use and fixes thresholds, priors and budgets, all in bits of match weight unless
said otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from warehouse.link.errors import LinkageFault

MODELS_DIR = Path(__file__).with_name("models")
Certainty = Literal["inclusive", "balanced", "strict"]


class Policy(BaseModel):
    """How scores become links. Thresholds rise from inclusive to strict; edges below inclusive are not kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certainty: Certainty
    pair_budget_per_record: float = Field(gt=0, description="Candidate pairs a model may compare for each of its input rows")
    pair_budget_floor: int = Field(gt=0, description="Candidate pairs always allowed, so that small inputs are not refused")
    largest_component: int = Field(gt=0, description="Records in one connected component beyond which the night stops")
    full_every_nights: int = Field(gt=0, description="Nights after which a night scores everything anew, whatever has changed")
    churn_limit: float = Field(gt=0, le=1, description="Share of earlier records whose person_id may change in a night")
    guards: GuardPolicy
    named: NamedPolicy
    minimal: MinimalPolicy


class GuardPolicy(BaseModel):
    """How far a night may lie from the last ones before it stops. Usual values are medians of the nights in `ops.linkage_metric`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nights_compared: int = Field(gt=0, description="Earlier nights whose median is the usual value")
    nights_needed: int = Field(gt=0, description="Earlier nights without which nothing is usual yet, and drift is not judged")
    completeness_drop: float = Field(gt=0, le=1, description="Share of a feed's records by which an identifier may be filled less often than usual")
    mean_weight_shift: float = Field(gt=0, description="Bits by which the mean match weight of the edges may differ from the usual")
    edges_per_record_change: float = Field(gt=0, description="Share by which edges per record may differ from the usual")
    largest_cluster: int = Field(gt=0, description="Records that one person may have")
    churn_floor: int = Field(ge=0, description="Records that may change their person_id in any night, so that small warehouses are not stopped")


class DedupePolicy(BaseModel):
    """The model that judges pairs inside one feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    matches_per_record: float = Field(gt=0, description="Other records of the same person in the feed, on average; gives the prior")


class NamedPolicy(BaseModel):
    """Links among records with names: `dedupe` judges pairs inside the feeds it names, `model` all other pairs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    dedupe: dict[str, DedupePolicy] = Field(default={}, description="Feed to the model of pairs inside it; other feeds' own pairs go by `model`")
    matches_per_record: float = Field(gt=0, description="Other records of the same person that a record has, on average; gives the prior")
    match_weight: dict[Certainty, float]
    guard_similarity: float = Field(gt=0, le=1, description="Jaro-Winkler similarity of forenames below which the twin guard rejects an edge")


class MinimalPolicy(BaseModel):
    """Links of records that carry initials alone, to each other and to persons."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    share_known: float = Field(gt=0, lt=1, description="Share of clients expected to have records with names")
    share_repeated: float = Field(gt=0, lt=1, description="Share of clients expected to be with another provider too")
    client_weight: float = Field(description="Match weight from which two clients are one")
    posterior: dict[Certainty, float] = Field(description="Probability, among all candidates and none, that the best person is right")
    leader_margin: float = Field(ge=0, description="Bits by which the best person must beat the second")


Policy.model_rebuild()


@dataclass(frozen=True)
class Pass:
    """One round of scoring records with names: a model over some pairs of rows. The passes of a night share no pair.

    `feed` is the one feed whose rows take part, None when those of all feeds do; `pairs` is the SQL condition, over rows l
    and r with a column `feed`, that a pair must meet; the prior is `matches_per_record` over the number of records.
    """

    model: str
    feed: str | None
    pairs: str
    matches_per_record: float


def named_passes(rules: NamedPolicy, feeds: Iterable[str]) -> list[Pass]:
    """The passes that judge every pair of records with names of the feeds exactly once: inside feeds first, then the rest."""
    own = [feed for feed in sorted(feeds) if feed in rules.dedupe]
    passes = [Pass(rules.dedupe[feed].model, feed, f"l.feed = '{feed}' and r.feed = '{feed}'", rules.dedupe[feed].matches_per_record) for feed in own]
    listed = ", ".join(f"'{feed}'" for feed in own)
    rest = f"(l.feed <> r.feed or l.feed not in ({listed}))" if own else "true"
    return [*passes, Pass(rules.model, None, rest, rules.matches_per_record)]


@lru_cache(maxsize=1)
def policy() -> Policy:
    """The policy in force."""
    return Policy.model_validate(yaml.safe_load((MODELS_DIR / "policy.yaml").read_text(encoding="utf-8")))


def load_model(name: str) -> dict[str, Any]:
    """The Splink settings of a saved model.

    Raises:
        LinkageFault: there is no such model, or a parameter of it is untrained.
    """
    path = MODELS_DIR / f"{name}.json"
    if not path.exists():
        raise LinkageFault(f"There is no linkage model called {name}. Models: {', '.join(sorted(p.stem for p in MODELS_DIR.glob('*.json')))}")
    model: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    missing = untrained_levels(model)
    if missing:
        raise LinkageFault(f"Linkage model {name} is not fully trained: {'; '.join(missing)}")
    return model


def untrained_levels(model: dict[str, Any]) -> list[str]:
    """The comparison levels of Splink settings that lack an m or u probability, as `comparison: level`."""
    return [
        f"{comparison['output_column_name']}: {level['label_for_charts']}"
        for comparison in model["comparisons"]
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level") and (level.get("m_probability") is None or level.get("u_probability") is None)
    ]
