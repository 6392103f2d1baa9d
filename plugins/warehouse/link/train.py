"""Train the linkage models on a population, apart from any night, and write them as new versions with their cards.

The u probabilities come from random pairs, the m probabilities from expectation maximisation on blocked pairs; no truth is
used. Thresholds are not learnt here: they are set in `models/policy.yaml` from another population (`benchmarks/linkage`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.contracts.load import all_contracts
from warehouse.link import cards, comparisons, evidence, named
from warehouse.link.blocking import MINIMAL_RULES, NAMED_RULES, OTHER_RECORD, same
from warehouse.link.cluster import clusters
from warehouse.link.conflicts import find_conflicts
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.extract import from_delivery
from warehouse.link.minimal import NO_CLIENT_CLUSTERS, lay_out
from warehouse.link.models import MODELS_DIR, Policy, policy, untrained_levels
from warehouse.link.splinking import LinkType, prediction_rules, quiet
from warehouse.link.workspace import duckdb_session, one_row, private_folder

if TYPE_CHECKING:
    import duckdb
    from splink import Linker

RANDOM_PAIRS = 2e7

NAMED_COMPARISONS = (
    comparisons.FORENAME, comparisons.SURNAME, comparisons.DATE_OF_BIRTH, comparisons.SEX, comparisons.PLACE, comparisons.NINO, comparisons.PNC_ID,
)  # fmt: skip
# Each rule trains the comparisons it does not block on; together they cover all.
NAMED_SESSIONS = (
    f"{same('nino')} and {OTHER_RECORD}",
    f"{same('surname_sound', 'dob')} and {OTHER_RECORD}",
    f"{same('forename', 'surname')} and {OTHER_RECORD}",
)
MINIMAL_COMPARISONS = (comparisons.INITIALS, comparisons.DATE_OF_BIRTH, comparisons.SEX, comparisons.COARSE_PLACE)
# With so few identifiers a rule must leave three comparisons free: two cannot tell matches from others by themselves.
MINIMAL_SESSIONS = (same("dob"), same("initials"))

# Units of one row alone, where there is no doubt which of several names or dates of birth a client would have given.
SINGLE_ROWS = """
create or replace temp view single_client as select * from client_row where rows_of_unit = 1;
create or replace temp view single_person as select * from person_row where rows_of_unit = 1;
"""


def train(inbox: Path, night: date, population: str, version: int, seed: int, out: Path = MODELS_DIR) -> dict[str, Path]:
    """Train both models on a first delivery and write `named-<version>` and `minimal-<version>` to `out`.

    Args:
        inbox: folder with one sub-folder a feed, as `warehouse generate` writes it.
        night: date of that delivery.
        population: what the population is, for the model card.
        version: number of the new versions.
        seed: seed of the random pairs.

    Returns:
        The settings file of each model.

    Raises:
        LinkageFault: a level of a model could not be trained.
    """
    rules = policy()
    with private_folder("train") as folder, duckdb_session(folder) as session:
        with clean_duckdb_errors("read the training population"):
            from_delivery(session, all_contracts(), inbox)
            evidence.build(session, night)
        rows, records = one_row(session, "select count(*), count(distinct record_no) from name_row")
        named_linker = _train(
            session, {"name_row": "name_row"}, NAMED_COMPARISONS, NAMED_RULES, NAMED_SESSIONS, "dedupe_only", rules.named.matches_per_record / records, seed
        )
        _cluster_named(session, named_linker.misc.save_model_to_json(), rules)
        session.execute(NO_CLIENT_CLUSTERS).fetchall()
        _, persons = lay_out(session)
        session.execute(SINGLE_ROWS).fetchall()
        minimal_linker = _train(
            session, {"client": "single_client", "person": "single_person"}, MINIMAL_COMPARISONS, MINIMAL_RULES, MINIMAL_SESSIONS, "link_only",
            rules.minimal.share_known / persons, seed,
        )  # fmt: skip
        facts = {
            "population": population,
            "date of the delivery": night.isoformat(),
            "seed of the random pairs": str(seed),
            "records with names": f"{records:,}",
            "rows of names": f"{rows:,}",
        }
        return {"named": _write(out / f"named-{version}.json", named_linker, facts), "minimal": _write(out / f"minimal-{version}.json", minimal_linker, facts)}


def _write(path: Path, linker: Linker, facts: dict[str, str]) -> Path:
    """Write a trained model with its card and charts.

    Raises:
        LinkageFault: a level has no m or u probability.
    """
    model = linker.misc.save_model_to_json()
    missing = untrained_levels(model)
    if missing:
        raise LinkageFault(f"These levels saw no pairs to learn from: {'; '.join(missing)}. Train on a larger population")
    path.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(cards.card(path.stem, model, facts), encoding="utf-8")
    with quiet():
        linker.visualisations.match_weights_chart().save(path.with_suffix(".match_weights.svg"))
        linker.visualisations.parameter_estimate_comparisons_chart().save(path.with_suffix(".estimates.svg"))
    return path


def _train(
    session: duckdb.DuckDBPyConnection,
    tables: dict[str, str],
    compared: Sequence[dict[str, Any]],
    rules: Sequence[str],
    training_rules: Sequence[str],
    link_type: LinkType,
    prior: float,
    seed: int,
) -> Linker:
    """A linker over tables of the session with its parameters estimated."""
    from splink import DuckDBAPI, Linker, SettingsCreator

    with quiet(), clean_duckdb_errors("train a linkage model"):
        api = DuckDBAPI(connection=session)
        inputs = [api.register(table, dataset_display_name=name) for name, table in tables.items()]
        untrained = SettingsCreator(
            link_type=link_type,
            comparisons=deepcopy(list(compared)),
            blocking_rules_to_generate_predictions=prediction_rules(rules),
            probability_two_random_records_match=prior,
            unique_id_column_name="row_id",
            retain_matching_columns=False,
        )
        linker = Linker(inputs, untrained, log_level=logging.CRITICAL, validate_settings=False)
        linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=seed, min_count_per_level=None)
        for rule in training_rules:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return linker


def _cluster_named(session: duckdb.DuckDBPyConnection, model: dict[str, Any], rules: Policy) -> None:
    """Make `named_cluster`, the persons that clients are compared with, by the model just trained and the policy in force."""
    named.score(session, rules, model)
    session.execute(named.LINKS.format(threshold=rules.named.match_weight["balanced"])).fetchall()
    find_conflicts(session, "named_link", rules.largest_component)
    clusters(session, "named_link", "conflict", "named_cluster")
