"""The dbt project as it is written: it parses without a warning, layers keep their order, and everything says what it is."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from warehouse.contracts.load import load_contract
from warehouse.model.state import following_tables
from warehouse.settings import settings

SAID_OF_A_MODEL = {"grain", "owner", "source", "certainty", "pii"}
# What each layer may be built from.
ALLOWED = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate", "seeds"},
    "marts": {"intermediate", "marts", "seeds", "estimates"},
    "published": {"intermediate", "marts", "seeds", "estimates", "published"},
}
# A code list of a contract, and the seed and column that explain its codes.
CODE_LISTS = [
    ("treatment", "discharge_reason", "discharge_reasons", "reason_code"),
    ("treatment", "drug", "drugs", "drug_code"),
    ("treatment", "ethnic", "ethnic_groups", "ethnic_code"),
    ("housing", "ethnic", "ethnic_groups", "ethnic_code"),
    ("housing", "accommodation", "accommodation_types", "accommodation_code"),
    ("housing", "ta_type", "temporary_accommodation_types", "ta_type_code"),
    ("housing", "service_type", "support_service_types", "service_type_code"),
    ("benefits", "benefit", "benefit_types", "benefit_type_code"),
    ("benefits", "conditionality", "benefit_conditionality", "conditionality_code"),
    ("police", "disposal", "disposals", "disposal_code"),
    ("treatment", "modality", "modalities", "modality_code"),
    ("treatment", "setting", "modality_settings", "setting_code"),
    ("treatment", "referral_source", "referral_sources", "referral_source_code"),
    ("treatment", "employment", "employment_statuses", "employment_status_code"),
    ("treatment", "accommodation_need", "accommodation_needs", "accommodation_need_code"),
    ("treatment", "injecting_status", "injecting_statuses", "injecting_status_code"),
    ("treatment", "top_stage", "top_stages", "stage_code"),
    ("police", "test_result", "drug_test_results", "result_code"),
    ("custody", "reception_type", "reception_types", "reception_type_code"),
    ("custody", "release_type", "release_types", "release_type_code"),
    ("priority_offenders", "strand", "priority_strands", "strand_code"),
    ("priority_offenders", "removal_reason", "priority_removal_reasons", "removal_reason_code"),
]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The parsed project; every warning and deprecation is an error."""
    from dbt.cli.main import dbtRunner

    project, target = str(settings().dbt_project_dir), str(tmp_path_factory.mktemp("dbt"))
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
    outcome = dbtRunner().invoke(["parse", "--warn-error", "--show-all-deprecations", "--quiet", "--no-partial-parse", *places])
    assert outcome.success, outcome.exception
    return outcome.result


def models(manifest: Any, *layers: str) -> list[Any]:
    return [node for node in manifest.nodes.values() if node.resource_type == "model" and (not layers or node.fqn[1] in layers)]


def layer_of(manifest: Any, unique_id: str) -> str:
    if unique_id.startswith("source."):
        return "estimates" if unique_id.startswith("source.warehouse.estimates.") else "source"
    return "seeds" if unique_id.startswith("seed.") else str(manifest.nodes[unique_id].fqn[1])


def test_every_model_says_what_it_is(manifest: Any) -> None:
    silent = [m.name for m in models(manifest) if not m.description or not m.config.meta.keys() >= SAID_OF_A_MODEL]
    assert silent == []


def test_marts_have_contracts_keys_and_described_columns(manifest: Any) -> None:
    tested = {node.attached_node for node in manifest.nodes.values() if node.resource_type == "test" and node.name.startswith("unique")}
    tested |= {m.unique_id for m in models(manifest) if any(index.get("unique") for index in m.config.get("indexes") or [])}
    public = models(manifest, "marts", "published")
    assert public
    assert [m.name for m in public if not m.config.contract.enforced] == []
    assert [m.name for m in public if m.unique_id not in tested] == []
    assert [f"{m.name}.{c.name}" for m in public for c in m.columns.values() if not c.description or not c.data_type] == []


def test_marts_show_no_agency_key_and_no_identifier(manifest: Any) -> None:
    from warehouse.contracts.load import feeds

    contracts = [load_contract(feed) for feed in feeds()]
    withheld = {c.name.lower() for k in contracts for t in k.tables.values() for c in t.columns if c.role and not c.share}
    shown = {c for m in models(manifest, "marts", "published") for c in m.columns}
    assert shown & withheld == set()
    assert [c for c in shown if c.endswith("_key") or c.startswith("_")] == []


def test_every_check_is_one_that_there_is(manifest: Any) -> None:
    """dbt parses a test by a name that nothing defines, and fails only when it comes to run it."""
    named = {f"test_{node.test_metadata.name}" for node in manifest.nodes.values() if node.resource_type == "test" and hasattr(node, "test_metadata")}
    assert named and named <= {macro.name for macro in manifest.macros.values()}


def test_layers_build_on_the_layer_below(manifest: Any) -> None:
    wrong = [
        f"{model.name} uses {used}" for model in models(manifest) for used in model.depends_on.nodes if layer_of(manifest, used) not in ALLOWED[model.fqn[1]]
    ]
    assert wrong == []


def test_only_models_that_follow_the_change_read_the_persons_to_build(manifest: Any) -> None:
    """On a nightly build they are one in a hundred: a table built whole of them would hold no others."""
    for layer in ("intermediate", "marts"):
        assert {model.name for model in models(manifest, layer) if model.config.materialized == "incremental"} == following_tables(layer)
    partial = re.compile(r"ref\('(int_links_to_build|int_changed_links|int_persons_to_build)'\)|\bto_build\(")
    readers = [m for m in models(manifest, "intermediate", "marts", "published") if m.config.materialized != "incremental" and partial.search(m.raw_code)]
    topics = {f"int_indicator_{topic}" for topic in ("recovery", "reoffending", "ways_in", "waits")}
    assert {model.name for model in readers} == {"int_changed_links", "int_links_to_build"} | topics
    assert {model.config.materialized for model in readers if model.name in topics} == {"view"}


def test_a_change_of_any_source_table_is_seen(manifest: Any) -> None:
    sources = {source.unique_id for source in manifest.sources.values() if source.schema == "source"}
    assert sources == set(manifest.nodes["model.warehouse.stg_source__row_versions"].depends_on.nodes)


def test_names_leave_room_for_the_suffixes_dbt_adds(manifest: Any) -> None:
    assert [m.name for m in models(manifest) if len(m.name) > 45] == []


def test_every_outcome_has_its_definition(manifest: Any) -> None:
    outcomes = {c.removesuffix("_observable_on") for c in outcome_columns(manifest) if c.endswith("_observable_on")}
    assert outcomes <= set(seed_column("indicator_definitions", "indicator"))
    listed = re.search(r"macro recovery_outcomes.*?endmacro", manifest.macros["macro.warehouse.recovery_outcomes"].macro_sql, re.S)
    assert listed and set(re.findall(r"'(\w+)'", listed.group(0))) == outcomes


def outcome_columns(manifest: Any) -> list[str]:
    return list(manifest.nodes["model.warehouse.outcome_recovery"].columns)


@pytest.mark.parametrize(("feed", "code_list", "seed", "column"), CODE_LISTS)
def test_seeds_explain_every_code_of_the_contracts(feed: str, code_list: str, seed: str, column: str) -> None:
    assert set(load_contract(feed).code_lists[code_list]) - set(seed_column(seed, column)) == set()


def seed_column(seed: str, column: str) -> list[str]:
    path = Path(settings().dbt_project_dir, "seeds", "reference", f"{seed}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file)]
