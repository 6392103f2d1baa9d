"""What weights are measured against: how common each term is, and how many there are to be found among.

A weight must mean the same from night to night, or edges scored on different nights could not stand beside each other. So
both are counted on a full night and kept until the next one.

| table | grain | columns |
|---|---|---|
| `population` | scoring | scoring, members: records, clients or persons that the prior is spread over |
| `term` | scoring, column and value | scoring, term_column, value, rows |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

COUNT_TERMS = """
insert into term
select '{scoring}', '{column}', {column}, count(*) from ({rows}) where {column} is not null group by {column}
"""

# A term that nobody had on the last full night is as rare as can be.
FREQUENCIES = """
create or replace temp table {into} as
with known as (select value, rows from term where scoring = '{scoring}' and term_column = '{column}'),
total as (select sum(rows) as rows from known),
present as (select distinct {column} as value from ({rows}) where {column} is not null)
select p.value as {column}, coalesce(k.rows, 1) / t.rows as tf_{column}
from present as p left join known as k using (value) cross join total as t
"""


def members(session: duckdb.DuckDBPyConnection, scoring: str, now: int) -> int:
    """The size of the population that a scoring's prior is spread over, as the last full night counted it; `now` where none did."""
    counted = session.execute("select members from population where scoring = ?", [scoring]).fetchall()
    if counted:
        return int(counted[0][0])
    if now:
        session.execute("insert into population values (?, ?)", [scoring, now]).fetchall()
    return now


def is_counted(session: duckdb.DuckDBPyConnection, scoring: str) -> bool:
    """Whether an earlier night counted the terms of a scoring, so that tonight's need not be."""
    return one_row(session, f"select exists (select 1 from term where scoring = '{scoring}')") == (True,)


def term_columns(model: dict[str, Any]) -> list[str]:
    """The columns whose agreements a model weighs by how common the value is."""
    columns = {level.get("tf_adjustment_column") for comparison in model["comparisons"] for level in comparison["comparison_levels"]}
    return sorted(column for column in columns if column)


def term_frequencies(session: duckdb.DuckDBPyConnection, scoring: str, column: str, tables: Sequence[str]) -> str:
    """Make the table of a column's term frequencies over the rows of `tables`, counted now unless a full night has counted them.

    Returns:
        The table's name; its columns are the column and its share among filled values, `tf_<column>`.
    """
    rows = " union all ".join(f"select {column} from {table}" for table in tables)
    (counted,) = one_row(session, f"select exists (select 1 from term where scoring = '{scoring}' and term_column = '{column}')")
    if not counted:
        session.execute(COUNT_TERMS.format(scoring=scoring, column=column, rows=rows)).fetchall()
    into = f"tf_{scoring}_{column}"
    session.execute(FREQUENCIES.format(into=into, scoring=scoring, column=column, rows=rows)).fetchall()
    return into
