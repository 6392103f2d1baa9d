"""The recipe for a new feed holds: what it quotes is what the repository has, and no Python knows a feed by name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from typer.main import get_command

from warehouse.cli import app
from warehouse.contracts.load import feeds

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/add-a-feed.md").read_text(encoding="utf-8")
# The generator writes what the agencies would deliver: it alone knows them.
KNOWS_FEEDS = ROOT / "plugins/warehouse/synth"
MODULES = [path for folder in ("plugins", "dags") for path in sorted((ROOT / folder).rglob("*.py")) if KNOWS_FEEDS not in path.parents]
TEXTS = [path for path in sorted((ROOT / "plugins").rglob("*")) if path.suffix in (".sql", ".j2") and KNOWS_FEEDS not in path.parents]


def blocks(language: str) -> list[str]:
    """The page's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def files_of_deaths() -> list[Path]:
    """The files that the page's table names, with what lies in the folders it names."""
    named = [ROOT / name for name in re.findall(r"^\| `([^`]+)`(?:, `[^`]+`)? \|", PAGE, re.MULTILINE) if "/" in name or name.endswith(".yml")]
    assert len(named) > 10
    return [path for name in named for path in (sorted(name.rglob("*.*")) if name.is_dir() else [name])]


def test_the_files_it_names_are_there() -> None:
    assert [str(path.relative_to(ROOT)) for path in files_of_deaths() if not path.exists()] == []


@pytest.mark.parametrize("language", ["yaml", "sql"])
def test_what_it_quotes_is_what_the_files_hold(language: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in files_of_deaths()]
    quoted = blocks(language)
    assert quoted
    assert [block for block in quoted if not any(block in text for text in texts)] == []


def test_the_commands_it_gives_exist() -> None:
    context = get_command(app)
    commands: dict[str, object] = getattr(context, "commands", {})
    given = {line.split()[1] for block in blocks("sh") for line in block.splitlines() if line.startswith("warehouse ")}
    assert given and given <= set(commands), given - set(commands)
    tests = re.findall(r"pytest (tests/\S+)", PAGE)
    assert tests and all((ROOT / path).exists() for path in tests)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_python_names_a_feed(path: Path) -> None:
    names = feeds()
    texts = [node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text for text in texts if text in names or any(re.search(rf"\b{name}__[a-z]", text) for name in names)] == []


def test_no_sql_or_template_of_the_stages_names_a_feed() -> None:
    found = [f"{path.name}: {name}" for path in TEXTS for name in feeds() if re.search(rf"'{name}'|\b{name}__[a-z]", path.read_text(encoding="utf-8"))]
    assert found == []
