"""The parsed dbt project is kept from build to build, and parsed again only when something it is made of has changed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from warehouse.model import parsed
from warehouse.settings import settings


@pytest.fixture
def parses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """A small project; the variables of every time it was parsed."""
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "models" / "one.sql").write_text("select 1", encoding="utf-8")
    for name in parsed.FILES:
        (project / name).write_text("name: small", encoding="utf-8")
    monkeypatch.setattr(settings(), "home", tmp_path / "home")
    monkeypatch.setattr(type(settings()), "dbt_project_dir", property(lambda _: project))
    monkeypatch.setattr(parsed, "_read", lambda path: path.read_bytes())
    return []


def ask(parses: list[dict[str, str]], **variables: str) -> Any:
    def parse(told: dict[str, str]) -> Any:
        parses.append(told)
        return SimpleNamespace(result=SimpleNamespace(to_msgpack=lambda _: f"parse {len(parses)}".encode()))

    return parsed.manifest(variables, parse)


def test_a_project_is_parsed_once_for_each_slot(parses: list[dict[str, str]]) -> None:
    assert [ask(parses, slot="blue"), ask(parses, slot="blue"), ask(parses, slot="green"), ask(parses, slot="blue")] == [
        b"parse 1",
        b"parse 1",
        b"parse 2",
        b"parse 1",
    ]
    assert parses == [{"slot": "blue"}, {"slot": "green"}]


@pytest.mark.parametrize("changed", ["models/one.sql", "models/two.yml", "macros/three.sql", "tests/four.sql", "seeds/five.csv", "dbt_project.yml"])
def test_a_changed_file_is_seen(parses: list[dict[str, str]], changed: str) -> None:
    ask(parses, slot="blue")
    path = settings().dbt_project_dir / changed
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed", encoding="utf-8")
    assert ask(parses, slot="blue") == b"parse 2"


def test_old_versions_are_not_kept(parses: list[dict[str, str]]) -> None:
    for version in range(parsed.KEPT + 3):
        (settings().dbt_project_dir / "models" / "one.sql").write_text(f"select {version}", encoding="utf-8")
        ask(parses, slot="blue")
    assert len(list((settings().home / "cache" / "dbt").iterdir())) == parsed.KEPT


def test_a_project_that_does_not_parse_leaves_nothing(parses: list[dict[str, str]]) -> None:
    nothing: Any = SimpleNamespace(result=None)
    assert parsed.manifest({"slot": "blue"}, lambda _: nothing) is None
    assert not (settings().home / "cache").exists()
