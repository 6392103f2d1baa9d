"""Find and read the contracts and suites under `expectations/`."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from warehouse.contracts.model import Contract, Suite
from warehouse.settings import settings

# The arguments by which expectations name columns: Great Expectations' own, and those of ours (contracts/compile.py).
COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set", "within", "start", "end", "columns")


BOOLEAN_TAG = "tag:yaml.org,2002:bool"
Parsed = TypeVar("Parsed", Contract, Suite)


class ContractError(ValueError):
    """A contract or suite cannot be used. The message names the file, the place in it and what is wrong."""


class _ContractLoader(yaml.SafeLoader):
    """The safe YAML loader with two changes: a key given twice is an error rather than the later one winning, and only
    true and false are booleans (YAML 1.1 also reads the codes NO, ON, OFF and YES so)."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = sorted({str(key) for key in keys if keys.count(key) > 1})
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"key given twice: {', '.join(twice)}", node.start_mark)
    return loader.construct_mapping(node, deep=True)


_ContractLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOLEAN_TAG] for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_ContractLoader.add_implicit_resolver(BOOLEAN_TAG, re.compile("^(true|false)$"), ["t", "f"])
_ContractLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def feeds(folder: Path | None = None) -> list[str]:
    """Names of all feeds, in alphabetical order: every `<agency>/<feed>.yaml` that is not a suite.

    Args:
        folder: the expectations folder, when not the project's own.
    """
    return sorted(_contract_files(folder or settings().expectations_dir))


def load_contract(feed: str, folder: Path | None = None) -> Contract:
    """The contract of a feed.

    Raises:
        ContractError: there is no such feed, or its contract is not valid.
    """
    path = _file_of(feed, folder)
    return _contract(path, path.stat().st_mtime_ns)


def load_contract_file(path: Path) -> Contract:
    """The contract in a file that lies anywhere, such as one that an agency was sent.

    Raises:
        ContractError: the contract is not valid.
    """
    return _contract(path, path.stat().st_mtime_ns)


def load_suite(feed: str, folder: Path | None = None) -> Suite:
    """The cross-column rules of a feed; an empty suite where the feed has none.

    Raises:
        ContractError: the suite is not valid, or names tables or columns that the contract does not have.
    """
    contract_file = _file_of(feed, folder)
    path = contract_file.with_name(f"{feed}.suite.yaml")
    if not path.exists():
        return Suite(tables=[])
    return _suite(path, path.stat().st_mtime_ns, contract_file, contract_file.stat().st_mtime_ns)


def all_contracts(folder: Path | None = None) -> list[Contract]:
    """Every feed's contract, in alphabetical order of the feeds.

    Raises:
        ContractError: one of the contracts is not valid.
    """
    return [load_contract(feed, folder) for feed in feeds(folder)]


def _contract_files(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*/*.yaml")):
        if path.name.endswith(".suite.yaml"):
            continue
        if path.stem in files:
            raise ContractError(f"Two contracts for the feed '{path.stem}': {files[path.stem].parent.name} and {path.parent.name}")
        files[path.stem] = path
    return files


def _file_of(feed: str, folder: Path | None) -> Path:
    files = _contract_files(folder or settings().expectations_dir)
    if feed not in files:
        raise ContractError(f"There is no feed called '{feed}'. Feeds: {', '.join(sorted(files)) or 'none'}")
    return files[feed]


@lru_cache(maxsize=32)
def _contract(path: Path, changed_ns: int) -> Contract:
    """The contract in a file; `changed_ns` makes a changed file a new entry of the cache."""
    contract = _validated(path, Contract, _read(path))
    if contract.feed != path.stem:
        raise ContractError(f"{_label(path)}: feed is '{contract.feed}', but the file is named '{path.stem}'")
    return contract


@lru_cache(maxsize=32)
def _suite(path: Path, changed_ns: int, contract_file: Path, contract_changed_ns: int) -> Suite:
    """The suite in a file, checked against its contract; the times make a changed file a new entry of the cache."""
    suite = _validated(path, Suite, {"tables": _read(path)})
    _check_suite(path, suite, _contract(contract_file, contract_changed_ns))
    return suite


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _read(path: Path) -> Any:
    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=_ContractLoader)  # a SafeLoader: no object is built from a tag
    except yaml.YAMLError as error:
        raise ContractError(f"{_label(path)} is not readable YAML: {error}") from None


def _validated(path: Path, model: type[Parsed], values: Any) -> Parsed:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = "\n".join(f"  {_place(fault['loc'], values)}: {_reason(fault)}" for fault in error.errors(include_url=False))
        raise ContractError(f"{_label(path)} is not a valid {model.__name__.lower()}:\n{faults}") from None


def _place(location: tuple[int | str, ...], values: Any) -> str:
    """Where a fault lies, as `tables.nominals.columns.PNC_ID.patern`: columns and rules by name rather than by position."""
    parts: list[str] = []
    for part in location:
        values = _inside(values, part)
        name = (values.get("name") or values.get("rule") or values.get("table")) if isinstance(part, int) and isinstance(values, dict) else None
        parts.append(str(name or part))
    return ".".join(parts) or "the file"


def _inside(values: Any, part: int | str) -> Any:
    if isinstance(values, dict):
        return values.get(part)
    if isinstance(values, list) and isinstance(part, int) and part < len(values):
        return values[part]
    return None


def _reason(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key" + ("; text that holds a comma needs quotes" if fault["input"] is None else "")
    if fault["type"] == "string_type" and not isinstance(fault["input"], str):
        return f"must be text; put quotes round {fault['input']!r}"
    return str(fault["msg"]).removeprefix("Value error, ")


def _check_suite(path: Path, suite: Suite, contract: Contract) -> None:
    """Raise for rules about tables or columns that the contract does not have, and for rules named twice."""
    for part in suite.tables:
        table = contract.tables.get(part.table)
        if table is None:
            raise ContractError(f"{_label(path)}: there is no table called '{part.table}' in {contract.feed}.yaml")
        fields = {column.field for column in table.columns}
        for rule in part.expectations:
            missing = sorted(_named_columns(rule.kwargs) - fields)
            if missing:
                raise ContractError(f"{_label(path)}: {part.table}.{rule.rule} names columns that are not in the contract: {', '.join(missing)}")
        names = [rule.rule for rule in suite.rules(part.table)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ContractError(f"{_label(path)}: {part.table} has rules of the same name: {', '.join(twice)}")


def _named_columns(kwargs: dict[str, Any]) -> set[str]:
    named: set[str] = set()
    for argument in COLUMN_ARGUMENTS:
        value = kwargs.get(argument, [])
        named |= {value} if isinstance(value, str) else set(value)
    return named
