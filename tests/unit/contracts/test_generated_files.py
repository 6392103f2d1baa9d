"""The files written from the contracts: they follow their contracts, say what they must and leak no identifier."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from warehouse.contracts import dbt_sources, dictionary, generate, marts_pages
from warehouse.contracts.load import ContractError, all_contracts, feeds, load_contract, load_suite
from warehouse.contracts.model import Contract

ROOT = Path(__file__).parents[3]
ALL = pytest.mark.parametrize("feed", feeds(ROOT / "expectations"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the parts of the project that generated files are made from, with nothing generated yet."""
    shutil.copytree(ROOT / "expectations", tmp_path / "expectations", ignore=shutil.ignore_patterns("generated"))
    shutil.copytree(ROOT / "dbt_project/models", tmp_path / "dbt_project/models", ignore=shutil.ignore_patterns("_*__sources.yml", "*.sql"))
    return tmp_path


def test_committed_files_follow_the_contracts() -> None:
    stale = generate.drift(ROOT)
    assert not stale, f"Run `make docs` and commit what it writes: {', '.join(stale)}"


def test_every_file_is_missing_then_written_then_unchanged(project: Path) -> None:
    missing = generate.drift(project)
    assert {"docs/dictionary/index.md", "dbt_project/models/staging/_police__sources.yml", "expectations/police/generated/police.suite.json"} <= set(missing)
    assert sorted(map(str, generate.write_all(project))) == sorted(missing)
    assert generate.drift(project) == []
    assert generate.write_all(project) == []


def test_a_new_code_needs_no_python(project: Path) -> None:
    generate.write_all(project)
    contract = project / "expectations/police/police.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("N: Nickname}", "N: Nickname, T: Street name}"), encoding="utf-8")
    assert generate.drift(project) == ["docs/dictionary/police.md", "expectations/police/generated/police.suite.json"]
    generate.write_all(project)
    assert "| `T` | Street name |" in (project / "docs/dictionary/police.md").read_text(encoding="utf-8")


def test_thresholds_of_a_feed_that_is_gone_are_an_error(project: Path) -> None:
    for path in (project / "expectations/treatment").glob("*.yaml"):
        path.unlink()
    with pytest.raises(ContractError, match="there is no feed called 'treatment'"):
        generate.drift(project)


def test_a_changed_threshold_changes_the_dictionary_alone(project: Path) -> None:
    generate.write_all(project)
    limits = project / "expectations/thresholds.csv"
    with limits.open("a", encoding="utf-8") as stream:
        stream.write("police,offences,DISPOSAL_CODE,new_code,50,refuse,Disposals decide what counts as proven\n")
    assert generate.drift(project) == ["docs/dictionary/police.md"]
    generate.write_all(project)
    page = (project / "docs/dictionary/police.md").read_text(encoding="utf-8")
    assert "| `new_code` | all | rows with the same unknown code" in page
    assert "| `new_code` | `offences.DISPOSAL_CODE` | rows with the same unknown code" in page
    assert "| 50 | delivery refused | Disposals decide what counts as proven |" in page


def test_files_of_a_feed_that_is_gone_are_reported_and_removed(project: Path) -> None:
    generate.write_all(project)
    for path in (project / "expectations/housing").glob("*.yaml"):
        path.unlink()
    left_over = {"docs/dictionary/housing.md", "dbt_project/models/staging/_housing__sources.yml", "expectations/housing/generated/housing.suite.json"}
    by_hand = project / "dbt_project/models/staging/_ops__sources.yml"
    by_hand.write_text("version: 2\n", encoding="utf-8")
    assert left_over <= set(generate.drift(project))
    generate.write_all(project)
    assert by_hand.exists()
    assert not any((project / path).exists() for path in left_over)


def test_generated_files_say_so() -> None:
    for path, text in generate.documents(ROOT).items():
        assert "do not edit; run `warehouse contracts build`" in text.split("\n\n")[0][:400], path


def test_the_command_reports_and_mends_drift(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(generate, "settings", lambda: type("Settings", (), {"project_root": project}))
    assert generate.main(["--check"]) == 1
    assert "out of date: docs/dictionary/index.md" in capsys.readouterr().out
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (project / "expectations/police/police.yaml").write_text("feed: police\n", encoding="utf-8")
    assert generate.main(["--check"]) == 1
    assert "police/police.yaml is not a valid contract" in capsys.readouterr().err


@ALL
def test_a_dbt_source_names_no_identifier(feed: str) -> None:
    contract = load_contract(feed, ROOT / "expectations")
    for table in _tables(contract):
        name = table["name"].removeprefix(f"{feed}__")
        hidden = {column.field for column in contract.tables[name].columns if column.role and column.share != "as_is"}
        assert not hidden & {column["name"] for column in table["columns"]}, table["name"]


@ALL
def test_a_dbt_source_tests_every_key_and_every_required_column(feed: str) -> None:
    contract = load_contract(feed, ROOT / "expectations")
    for table in _tables(contract):
        declared = contract.tables[table["name"].removeprefix(f"{feed}__")]
        tested = {column["name"] for column in table["columns"] if "data_tests" in column}
        required = {column.field for column in declared.columns if column.required and column.severity != "warn" and column.role is None}
        assert set(declared.keys) | required <= tested
        (row_key,) = [column for column in table["columns"] if column["name"] == "row_key"]
        assert {"unique": {"config": {"where": "_valid_to is null"}}} in row_key["data_tests"]


def test_required_columns_are_asked_of_rows_with_consent_alone() -> None:
    (table,) = _tables(load_contract("treatment", ROOT / "expectations"))
    tests = {column["name"]: column.get("data_tests") for column in table["columns"]}
    assert tests["drug1"] == [{"not_null": {"config": {"where": "consent is true"}}}]
    assert tests["consent"] == ["not_null"]
    assert tests["disd"] is None


@ALL
def test_a_page_tells_where_each_column_goes(feed: str) -> None:
    contract = load_contract(feed, ROOT / "expectations")
    page = dictionary.feed_page(contract, load_suite(feed, ROOT / "expectations"))
    for table in contract.tables.values():
        section = page.split(f"## {table.name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            (line,) = [line for line in section.splitlines() if line.startswith(f"| `{column.name}` |")]
            zone = line.split(" | ")[2]
            assert zone == "not stored" if column.role == "change_type" else zone
            assert ("source" in zone) == (column.role is None or column.share is not None), (table.name, column.name)


def test_a_page_lists_rules_across_columns_and_codes() -> None:
    page = dictionary.feed_page(load_contract("treatment", ROOT / "expectations"), load_suite("treatment", ROOT / "expectations"))
    assert "`discharge_before_triage` | The discharge date is before the triage date | row quarantined" in page
    assert "| `1011` | Heroin |" in page
    assert "source as `birth_year`" in page
    assert "nothing goes to the vault" in page


def test_a_page_tells_the_thresholds_of_its_tables_with_their_reasons() -> None:
    page = dictionary.feed_page(load_contract("treatment", ROOT / "expectations"), load_suite("treatment", ROOT / "expectations"))
    (line,) = [line for line in page.splitlines() if line.startswith("| `row_count_change` |")]
    assert "| 50% | delivery refused | A full refresh" in line


def test_a_page_says_which_dates_may_lie_ahead() -> None:
    page = dictionary.feed_page(load_contract("treatment", ROOT / "expectations"), load_suite("treatment", ROOT / "expectations"))
    assert [line.split("`")[1] for line in page.splitlines() if "a date that may lie after the night" in line] == ["FAOMODDT"]


def test_index_lists_every_feed() -> None:
    page = dictionary.index_page(all_contracts(ROOT / "expectations"), with_marts=False)
    assert all(f"[{feed}]({feed}.md)" in page for feed in feeds(ROOT / "expectations"))
    assert "marts.md" not in page


def test_marts_page_comes_from_the_models_yaml(tmp_path: Path) -> None:
    assert marts_pages.marts_page(tmp_path) is None
    folder = tmp_path / "marts"
    folder.mkdir()
    sizes = [{"type": "not_null"}, {"type": "check", "expression": "size in ('S', 'L')"}]
    model = {
        "name": "fct_things",
        "description": "Things seen",
        "config": {"meta": {"grain": "one row per thing"}},
        "columns": [{"name": "size", "data_type": "text", "description": "How big | small", "constraints": sizes}],
    }
    (folder / "_marts__models.yml").write_text(yaml.safe_dump({"models": [model]}), encoding="utf-8")
    page = marts_pages.marts_page(tmp_path)
    assert page is not None
    assert "### marts.fct_things" in page
    assert "Grain: one row per thing." in page
    assert "| `size` | text | How big \\| small | S, L |" in page


def _tables(contract: Contract) -> list[dict]:
    return list(yaml.safe_load(dbt_sources.render(contract))["sources"][0]["tables"])


def test_the_definitions_are_a_page_of_their_own(tmp_path: Path) -> None:
    assert marts_pages.indicators_page(tmp_path) is None
    seed = tmp_path / marts_pages.DEFINITIONS
    seed.parent.mkdir(parents=True)
    seed.write_text(
        "indicator,title,version,window_length,window_unit,wait_months,feeds,definition,source,certainty,measure,per,polarity,period\n"
        'reoffending,Reoffending,2,12,month,6,treatment;police,"Found guilty, later",Ministry,recalled,rate,100,lower,quarter\n'
        "rule,A rule,1,21,day,0,treatment,Counts,NI 040,stated,,,,\n",
        encoding="utf-8",
    )
    page = marts_pages.indicators_page(tmp_path) or ""
    reported, others = page.split("## Outcomes and rules")
    assert "| [Reoffending](#reoffending) | rate per 100 | lower | quarter |" in reported
    assert "| window | 12 months, and 6 months' wait |" in reported and "| feeds it needs | treatment, police |" in reported
    assert "### rule" in others and "| window | 21 days |" in others
