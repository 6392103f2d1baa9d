"""One model's training: from a plan to a trained Splink linker, and from that to the files of a version."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.link import cards
from warehouse.link.comparisons import Comparison
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import untrained_levels
from warehouse.link.splinking import LinkType, prediction_rules, quiet

if TYPE_CHECKING:
    import duckdb
    from splink import Linker

RANDOM_PAIRS = 2e7
# An m probability below this was learnt from no true pair at all: a level may be rare among them, but not impossible.
LEAST_M = 1e-5


@dataclass(frozen=True)
class Plan:
    """What a model compares and learns from.

    `tables` maps display names to tables of the session, two or more when linking; `rules` are the blocking rules it predicts
    with, `sessions` those of its training sessions; `prior` is the probability that two random rows are one person.
    """

    name: str
    tables: dict[str, str]
    compared: Sequence[Comparison]
    rules: Sequence[str]
    sessions: Sequence[str]
    link_type: LinkType
    prior: float


def trained(
    session: duckdb.DuckDBPyConnection,
    plan: Plan,
    seed: int,
    random_pairs: float = RANDOM_PAIRS,
    agreeing: Sequence[str] = (),
    agreeing_share: float = 1.0,
) -> Linker:
    """A linker over tables of the session with its parameters estimated.

    Args:
        seed: seed of the random pairs.
        random_pairs: how many of them the u probabilities are learnt from.
        agreeing: rules that hardly any pair of different people meets; the prior then comes from how many pairs meet one.
        agreeing_share: share of true pairs that meet one of them.

    Raises:
        LinkageFault: DuckDB refused.
    """
    from splink import DuckDBAPI, Linker, SettingsCreator

    with quiet(), clean_duckdb_errors(f"train {plan.name}"):
        api = DuckDBAPI(connection=session)
        inputs = [api.register(table, dataset_display_name=name) for name, table in plan.tables.items()]
        untrained = SettingsCreator(
            link_type=plan.link_type,
            comparisons=deepcopy(list(plan.compared)),
            blocking_rules_to_generate_predictions=prediction_rules(plan.rules),
            probability_two_random_records_match=min(plan.prior, 0.5),
            unique_id_column_name="row_id",
            retain_matching_columns=False,
        )
        linker = Linker(inputs, untrained, log_level=logging.CRITICAL, validate_settings=False)
        if agreeing:
            linker.training.estimate_probability_two_random_records_match(list(agreeing), recall=agreeing_share)
        linker.training.estimate_u_using_random_sampling(max_pairs=random_pairs, seed=seed, min_count_per_level=None)
        for rule in plan.sessions:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return linker


def borrow(model: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Give the levels of a model that saw no true pairs, or none at all, the parameters that another model has for them.

    Returns:
        The levels that borrowed, as `comparison: level`.
    """
    lenders = {(c["output_column_name"], level["label_for_charts"]): level for c in other["comparisons"] for level in c["comparison_levels"]}
    borrowed = []
    for comparison in model["comparisons"]:
        for level in comparison["comparison_levels"]:
            thin = [p for p, least in (("m_probability", LEAST_M), ("u_probability", 0.0)) if level.get(p) is None or level[p] < least]
            lender = lenders.get((comparison["output_column_name"], level["label_for_charts"]))
            if thin and lender and not level.get("is_null_level"):
                level |= {parameter: lender[parameter] for parameter in thin}
                borrowed.append(f"{comparison['output_column_name']}: {level['label_for_charts']}")
    return borrowed


def write(folder: Path, name: str, linker: Linker, facts: dict[str, str], lender: dict[str, Any]) -> Path:
    """Write a trained model with its card and charts.

    Args:
        facts: what to say about the training, for the card.
        lender: a model from which levels without true pairs borrow their parameters.

    Raises:
        LinkageFault: a level has no m or u probability, nor has the lender.
    """
    model = linker.misc.save_model_to_json()
    if borrowed := borrow(model, lender):
        facts = facts | {"levels that saw no true pairs and borrowed from another model": "; ".join(borrowed)}
    missing = untrained_levels(model)
    if missing:
        raise LinkageFault(f"These levels saw no pairs to learn from: {'; '.join(missing)}. Train on a larger population")
    path = folder / f"{name}.json"
    path.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(cards.card(name, model, facts), encoding="utf-8")
    with quiet():
        linker.visualisations.match_weights_chart().save(path.with_suffix(".match_weights.svg"))
        linker.visualisations.parameter_estimate_comparisons_chart().save(path.with_suffix(".estimates.svg"))
    return path
