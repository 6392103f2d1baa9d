"""Reports: which are recounted, and what may be published of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pandas as pd
from psycopg import sql
from tests.recount.death_rates import death_rates
from tests.recount.exits import exit_reasons
from tests.recount.held import Person
from tests.recount.outcomes import Coverage, Row

from warehouse.database import connect

WITHHELD_BELOW, ROUNDED_TO = 5, 5

# The reports that are recounted, and how.
REPORTS: dict[str, tuple[str, Callable[[Iterable[Person], Coverage], list[Row]]]] = {
    "exit reasons": ("rpt_exit_reasons", exit_reasons),
    "death rates": ("rpt_deaths", death_rates),
}


def recount_report(topic: str, people: dict[int, Person], covered: Coverage) -> pd.DataFrame:
    """The rows that a report should hold."""
    _, count = REPORTS[topic]
    return pd.DataFrame(count(people.values(), covered))


def read_report(topic: str, schema: str, columns: list[str]) -> pd.DataFrame:
    """The rows of a report, at the balanced certainty."""
    mart, _ = REPORTS[topic]
    query = sql.SQL("select {} from {} where certainty = 'balanced'")
    with connect("admin") as connection:
        rows = connection.execute(query.format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, mart))).fetchall()
    return pd.DataFrame(rows, columns=columns)


def given_away(exact: pd.DataFrame, published: pd.DataFrame, keys: list[str], parts: list[str], count: str) -> list[str]:
    """What is wrong with published counts beside the exact ones, in words and counts; empty when all is well.

    Checks that every cell is there once, that what is told is rounded and near, that nothing small is told, and that no withheld count can be
    had, closely enough to be small, from the others of its line and their total.

    Args:
        exact: rows of `keys` and `count`.
        published: the same, with null where withheld.
        keys: what tells a cell.
        parts: those of the keys whose values add up to their value `all`.
    """
    both = exact.merge(published, how="outer", on=keys, suffixes=("", "_told"), indicator="side")
    wrong = Counter(f"{side}" for side in both["side"] if side != "both")
    told = both[both[f"{count}_told"].notna()]
    wrong["not rounded"] = int((told[f"{count}_told"] % ROUNDED_TO != 0).sum())
    wrong["far from the count"] = int(((told[f"{count}_told"] - told[count]).abs() > ROUNDED_TO / 2).sum())
    wrong["small and told"] = int((told[count] < WITHHELD_BELOW).sum())
    hidden = both.assign(hidden=both[f"{count}_told"].isna())
    for part in parts:
        for _, line in hidden.groupby([key for key in keys if key != part]):
            withheld = line[line["hidden"]]
            is_telling = 0 < len(withheld) < len(line) and (len(withheld) == 1 or withheld[count].sum() < WITHHELD_BELOW)
            wrong[f"withheld and given away over {part}"] += int(is_telling)
    return [f"{problem}: {cells}" for problem, cells in wrong.items() if cells]
