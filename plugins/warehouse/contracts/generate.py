"""Everything that is written from the contracts and committed with them: dictionary pages, dbt sources, built suites.

Run `python -m warehouse.contracts.generate` to write what is missing or out of date, and with `--check` to list it instead
and end with exit code 1 if there is any. `warehouse contracts build` and `check` do the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from warehouse.contracts import dbt_sources, dictionary, marts_pages, thresholds
from warehouse.contracts.load import ContractError, all_contracts, load_suite
from warehouse.contracts.suite import as_document
from warehouse.settings import settings

MARK = "do not edit; run `warehouse contracts build`"
NOTICE = f"from the contract and suite beside this folder: {MARK}"


def documents(root: Path) -> dict[Path, str]:
    """The text of every generated file, by its path relative to the project's root.

    Raises:
        ContractError: a contract, a suite or the thresholds are not valid.
    """
    expectations, models = root / "expectations", root / "dbt_project" / "models"
    contracts = all_contracts(expectations)
    thresholds.validate(contracts, expectations)
    limits = thresholds.load(expectations)
    written_for_analysts = {"marts": marts_pages.marts_page(models), "indicators": marts_pages.indicators_page(root / "dbt_project")}
    pages = {name: text for name, text in written_for_analysts.items() if text}
    pages["index"] = dictionary.index_page(contracts, with_marts="marts" in pages)
    pages |= {contract.feed: dictionary.feed_page(contract, load_suite(contract.feed, expectations), limits) for contract in contracts}
    written = {Path("docs/dictionary") / f"{name}.md": text for name, text in pages.items()}
    for contract in contracts:
        agency = next(expectations.glob(f"*/{contract.feed}.yaml")).parent.name
        written[Path("dbt_project/models/staging") / f"_{contract.feed}__sources.yml"] = dbt_sources.render(contract)
        suite = {"generated": NOTICE} | as_document(contract, load_suite(contract.feed, expectations))
        written[Path("expectations") / agency / "generated" / f"{contract.feed}.suite.json"] = json.dumps(suite, indent=2, ensure_ascii=False) + "\n"
    return written


def drift(root: Path) -> list[str]:
    """The generated files that are missing, out of date, or left over from a feed that is gone; paths relative to the root."""
    wanted = documents(root)
    return [str(path) for path in [p for p, text in wanted.items() if _differs(root / p, text)] + _left_over(root, set(wanted))]


def write_all(root: Path) -> list[Path]:
    """Bring the generated files up to date.

    Returns:
        The files written or removed, relative to the root; none when nothing had drifted.
    """
    wanted = documents(root)
    changed = [path for path, text in wanted.items() if _differs(root / path, text)]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path], encoding="utf-8")
    left_over = _left_over(root, set(wanted))
    for path in left_over:
        (root / path).unlink()
    return changed + left_over


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


def _left_over(root: Path, wanted: set[Path]) -> list[Path]:
    patterns = ("docs/dictionary/*.md", "dbt_project/models/staging/_*__sources.yml", "expectations/*/generated/*.suite.json")
    found = (path.relative_to(root) for pattern in patterns for path in root.glob(pattern))
    # What people wrote by hand may lie in the same folders: only files that say they are generated are ours to remove.
    return sorted(path for path in found if path not in wanted and MARK in (root / path).read_text(encoding="utf-8"))


def main(arguments: list[str]) -> int:
    """The command: write, or with `--check` list what has drifted. Returns the exit code."""
    root = settings().project_root
    try:
        if "--check" in arguments:
            stale = drift(root)
            sys.stdout.writelines(f"out of date: {path}\n" for path in stale)
            return 1 if stale else 0
        sys.stdout.writelines(f"wrote {path}\n" for path in write_all(root))
    except ContractError as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
