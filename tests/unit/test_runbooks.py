"""The runbooks say what the software says: quoted messages are messages of the code, commands exist, settings exist."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

import pytest
from typer.main import get_command

from warehouse.cli import app
from warehouse.contracts.load import all_contracts
from warehouse.contracts.suite import build
from warehouse.settings import Settings

ROOT = Path(__file__).parents[2]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("*.md"))
# What varies in a quoted message is written as an ellipsis; shorter fragments between two would prove nothing.
VARIES, SHORTEST = "…", 8
SHOWN_BY_STATUS = re.compile(r"^(wrong|late|look) ")


def _blocks(path: Path, language: str) -> list[str]:
    """The lines of the fenced blocks of one kind on a page."""
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in found for line in block.splitlines() if line.strip()]


@lru_cache(maxsize=1)
def _said() -> str:
    """Every text of the code and of the suites, with a zero byte where a value is put in."""
    texts: list[str] = []
    for path in [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "dags").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    texts += [text for contract in all_contracts() for part in build(contract) for rule in part.rules for text in (rule.code, rule.message)]
    return "\n".join(texts)


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda path: path.stem)
def test_quoted_messages_are_those_of_the_code(page: Path) -> None:
    fragments = [part.strip() for line in _blocks(page, "text") for part in SHOWN_BY_STATUS.sub("", line).split(VARIES)]
    assert [fragment for fragment in fragments if len(fragment) >= SHORTEST and fragment not in _said()] == []


@pytest.mark.parametrize("page", [*RUNBOOKS, *HOW_TO], ids=lambda path: path.stem)
def test_commands_and_their_options_exist(page: Path) -> None:
    commands = get_command(app).commands
    for line in _blocks(page, "sh"):
        words = line.split("#")[0].split()
        if words[:1] != ["warehouse"]:
            continue
        command, rest = commands.get(words[1]), words[2:]
        assert command is not None, line
        if hasattr(command, "commands"):
            command, rest = command.commands.get(words[2]), words[3:]
            assert command is not None, line
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, line


@pytest.mark.parametrize("page", [*RUNBOOKS, *HOW_TO], ids=lambda path: path.stem)
def test_settings_exist(page: Path) -> None:
    named_elsewhere = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("docker-compose.yml", ".env.example"))
    known = {f"WAREHOUSE_{name.upper()}" for name in Settings.model_fields} | set(re.findall(r"\bWAREHOUSE_[A-Z_]+\b", named_elsewhere))
    # The token key is the agencies' own: the warehouse never has it.
    secrets = re.compile(r"WAREHOUSE_((PASSWORD|FEED_KEY)_|TOKEN_KEY$)")
    named = set(re.findall(r"\bWAREHOUSE_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    assert {name for name in named - known if not secrets.match(name)} == set()


def test_the_index_of_ingest_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "runbooks" / "ingest.md").read_text(encoding="utf-8")
    others = {path.name for path in RUNBOOKS} - {"ingest.md", "link.md", "marts.md", "train.md"}
    assert {name for name in others if f"({name}" not in index} == set()
