"""Disclosure control: what is withheld cannot be worked out, and does not depend on the order in which rows come."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import yaml

from warehouse.settings import settings

PROJECT = Path(settings().dbt_project_dir)
SUPPRESS_BELOW = 5
ALL = "all"
Cell = tuple[str, str]
Table = dict[Cell, int]


@pytest.fixture(scope="module")
def decide() -> Callable[[str], str]:
    """The macro that decides, rendered without dbt."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["var"] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"].get
    text = (PROJECT / "macros" / "disclosure_control.sql").read_text(encoding="utf-8")
    module: Any = environment.from_string(text).module
    rendered: Callable[[str], str] = module.decide_withheld
    return rendered


def table_of(seed: int) -> Table:
    """Counts by area and drug group, with the sums of both: small ones and many equal ones among them."""
    draw = random.Random(seed)
    areas, groups = [f"area {k}" for k in range(draw.randint(2, 6))], [f"group {k}" for k in range(draw.randint(2, 4))]
    cells = {(area, group): draw.choice([0, 1, 3, 4, 5, 5, 5, 12, 12, 40]) for area in areas for group in groups}
    sums: defaultdict[Cell, int] = defaultdict(int)
    for (area, group), count in cells.items():
        for total in ((ALL, group), (area, ALL), (ALL, ALL)):
            sums[total] += count
    return cells | sums


def lines_of(cell: Cell) -> list[str]:
    """The lines of a cell: over the groups of its area and over the areas of its group."""
    area, group = cell
    return [f"{area} over groups", f"{group} over areas"]


def withheld(decide: Callable[[str], str], cells: Iterable[tuple[int, Cell, int]]) -> set[Cell]:
    """What the macro withholds of numbered cells, given in this order."""
    named = {number: cell for number, cell, _ in cells}
    rows = ", ".join(
        f"({number}, 'block', {count}, {str(ALL in cell).lower()}, {str(count < SUPPRESS_BELOW).lower()}, {lines_of(cell)})" for number, cell, count in cells
    )
    query = (
        f"with cells as (select * from (values {rows}) as t (cell_id, block, count, is_total, is_small, lines)), "
        f"{decide('cells')} select cell_id from decided_cells where is_withheld"
    )
    return {named[number] for (number,) in duckdb.sql(query).fetchall()}


@pytest.mark.parametrize("seed", range(12))
def test_no_withheld_count_follows_from_the_others(decide: Callable[[str], str], seed: int) -> None:
    table = table_of(seed)
    hidden = withheld(decide, [(number, cell, table[cell]) for number, cell in enumerate(sorted(table))])
    assert {cell for cell, count in table.items() if count < SUPPRESS_BELOW} <= hidden
    lines: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in table:
        for line in lines_of(cell):
            lines[line].append(cell)
    for cells in lines.values():
        of = [cell for cell in cells if cell in hidden]
        assert not of or len(of) == len(cells) or (len(of) > 1 and sum(table[cell] for cell in of) >= SUPPRESS_BELOW)


@pytest.mark.parametrize("seed", range(6))
def test_of_equal_counts_the_same_one_is_withheld_in_whatever_order_rows_come(decide: Callable[[str], str], seed: int) -> None:
    table = table_of(seed)
    numbered = [(number, cell, table[cell]) for number, cell in enumerate(sorted(table))]
    shuffled = random.Random(seed).sample(numbered, len(numbered))
    assert withheld(decide, shuffled) == withheld(decide, numbered)


@pytest.mark.parametrize("model", sorted((PROJECT / "models" / "published").glob("*.sql")), ids=lambda model: model.stem)
def test_cells_are_numbered_by_the_key_of_their_table(model: Path) -> None:
    """An unordered number would leave it to the plan which of two equal counts is withheld."""
    assert not re.search(r"row_number\(\)\s+over\s+\(\s*\)", model.read_text(encoding="utf-8"))
