"""The documentation holds together: links lead somewhere, examples name what exists, tables are complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUNBOOKS = ("ingest", "link", "marts", "retention")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _anchor(heading: str) -> str:
    """The anchor that a Markdown host gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{_name(page)} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(_anchor, headings), f"{_name(page)} links to {target}"


@pytest.mark.parametrize("name", RUNBOOKS)
def test_a_runbook_says_what_an_engineer_on_call_needs(name: str) -> None:
    text = (ROOT / "docs/runbooks" / f"{name}.md").read_text(encoding="utf-8")
    for part in ("**Purpose.**", "**Class.** Data-interval", "**What depends on it.**", "## Triage", "| symptom | likely cause | action |", "## Change log"):
        assert part in text, part
    assert re.search(r"^- \d{4}-\d{2}-\d{2}: ", text, re.MULTILINE)


def test_readme_lists_every_make_target() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets
    assert [target for target in targets if target != "help" and f"`make {target}`" not in README] == []


def test_readme_says_what_every_dependency_is_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + [d for group in project["dependency-groups"].values() for d in group]
    names = [re.split(r"[\[<>=~! ]", requirement)[0] for requirement in wanted]
    table = README.split("## What each dependency is for")[1].split("\n## ")[0]
    listed = set(re.findall(r"[a-z][a-z0-9-]+", table))
    assert [name for name in names if name not in listed] == []


def test_examples_ask_marts_that_exist() -> None:
    models = {
        f"{layer}.{model['name']}": {column["name"] for column in model["columns"]}
        for layer in ("marts", "published")
        for path in (ROOT / "dbt_project/models" / layer).rglob("*.yml")
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
    }
    written = [page for page in PAGES if "dictionary" not in page.parts and "adr" not in page.parts]
    named = {name for page in written for name in re.findall(r"\b((?:marts|published)\.(?!md)[a-z_]+)\b", page.read_text(encoding="utf-8"))}
    assert named <= set(models), named - set(models)
    outcomes = models["marts.outcome_recovery"]
    assert {"end_financial_year", "drug_group", "re_presentation_6m", "proven_reoffence_12m", "is_linked_to_police", "start_date"} <= outcomes


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/adr/index.md").read_text(encoding="utf-8")
    records = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert f"]({path.name})" in index
        for part in ("**Context.**", "**Decision.**", "**Why.**", "**Consequences.**", "**What would change our minds.**"):
            assert part in text, f"{path.name}: {part}"


def test_the_drawing_is_whole_and_asks_for_nothing() -> None:
    path = ROOT / "docs/architecture/data-flow.svg"
    drawing = ElementTree.parse(path).getroot()
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert drawing.find("{http://www.w3.org/2000/svg}title") is not None
    assert re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)[^\s\"')]+", path.read_text(encoding="utf-8")) == []


def test_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in text
    assert "### Behaviour changes" in text
