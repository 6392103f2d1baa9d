"""The dbt project, parsed once: a night's builds differ in their variables, and dbt parses everything anew whenever one changes.

Parsing needs no night and no row, only the project's files and the variables that say which schemas a build writes to. What it
gives is kept under a hash of those, and handed to dbt instead (its documented way to reuse a manifest).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.settings import settings

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

# What dbt reads of the project when it parses it.
PARTS = ("models", "macros", "seeds", "tests")
FILES = ("dbt_project.yml", "profiles.yml")
# Two slots and a past night, of this version of the project and of the one before an upgrade.
KEPT = 6


def manifest(variables: dict[str, str], parse: Callable[[dict[str, str]], dbtRunnerResult]) -> Manifest | None:
    """The parsed project for builds with these variables, from the cache or by `parse`.

    Args:
        variables: those that models use when they are parsed; every other is read when they run.
        parse: runs `dbt parse` with them.

    Returns:
        None where the project does not parse: the build itself will say so.
    """
    kept = _folder() / f"{_key(variables)}.msgpack"
    if not kept.exists():
        result = parse(variables).result
        if not hasattr(result, "to_msgpack"):
            return None
        _write(kept, result)
    return _read(kept)


def project_files(folder: Path, *parts: str) -> list[Path]:
    """The files under some folders of the project, sorted."""
    return sorted(path for part in parts for path in (folder / part).rglob("*") if path.is_file())


def hash_of(folder: Path, paths: Sequence[Path]) -> str:
    """A hash of files, of their names within the folder and what is in them."""
    digest = sha256()
    for path in paths:
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _folder() -> Path:
    return settings().home / "cache" / "dbt"


def _key(variables: dict[str, str]) -> str:
    folder = settings().dbt_project_dir
    files = hash_of(folder, [*(folder / name for name in FILES), *project_files(folder, *PARTS)])
    told = [version("dbt-core"), version("dbt-postgres"), str(folder.resolve()), files, *(f"{name}={variables[name]}" for name in sorted(variables))]
    return sha256("\0".join(told).encode()).hexdigest()[:32]


def _write(path: Path, parsed: Any) -> None:
    from dbt.parser.manifest import extended_mashumaro_encoder

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(parsed.to_msgpack(extended_mashumaro_encoder))
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    for old in sorted(path.parent.glob("*.msgpack"), key=_age)[:-KEPT]:
        old.unlink(missing_ok=True)


def _age(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def _read(path: Path) -> Manifest:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    parsed: Manifest = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    # Not part of what is kept; macros read the graph through it.
    parsed.build_flat_graph()
    return parsed
