"""Candidate pairs: how many the blocking rules make of whole tables, and which they make of what has changed.

They are counted from how often each value occurs, without making them. A pair that several rules make counts for each of
them, and one that has several values of a list in common for each value: the counts are what is compared at most. Conditions of
a rule beyond equalities are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from warehouse.link.blocking import LISTS
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

# How many pairs of rows each blocking rule makes: one row per scoring and rule.
CANDIDATE_VOLUME = "create table if not exists candidate_volume (scoring varchar, rule_no int, rule varchar, pairs bigint)"
EQUALITY = re.compile(r"\bl\.(\w+) = r\.(\w+)")

WITHIN = """
with row_key as (select {keys} from {table}),
block as (select columns('key_.*'), count(*) as n from row_key where {complete} group by all)
select coalesce(sum(n * (n - 1)), 0) // 2 from block
"""
BETWEEN = """
with few as (select {few_keys} from {few}), many as (select {many_keys} from {many}),
block as (select columns('key_.*'), count(*) as n from few group by all)
select coalesce(sum(b.n), 0) from many as m inner join block as b on {equal}
"""


def pairs_within(session: duckdb.DuckDBPyConnection, rule: str, table: str) -> int:
    """Pairs of rows of a table that a rule makes, those of the same record among them."""
    columns = EQUALITY.findall(rule)
    if any(left != right for left, right in columns):
        # The rule holds both ways round, so each pair is met twice.
        return pairs_between(session, rule, table, table) // 2
    complete = " and ".join(f"key_{n} is not null" for n in range(len(columns)))
    (pairs,) = one_row(session, WITHIN.format(keys=_keys([left for left, _ in columns]), table=table, complete=complete))
    return int(pairs)


def pairs_between(session: duckdb.DuckDBPyConnection, rule: str, left: str, right: str) -> int:
    """Pairs of a row of `left` and a row of `right` that a rule makes."""
    columns = EQUALITY.findall(rule)
    sides = [(table, _keys([pair[side] for pair in columns])) for side, table in enumerate((left, right))]
    (few, few_keys), (many, many_keys) = sorted(sides, key=lambda side: one_row(session, f"select count(*) from {side[0]}")[0])
    equal = " and ".join(f"m.key_{n} = b.key_{n}" for n in range(len(columns)))
    (pairs,) = one_row(session, BETWEEN.format(few=few, few_keys=few_keys, many=many, many_keys=many_keys, equal=equal))
    return int(pairs)


def _keys(columns: Sequence[str]) -> str:
    """Columns as numbered keys of a select list, lists taken apart."""
    return ", ".join(f"{f'unnest({column})' if column in LISTS else column} as key_{n}" for n, column in enumerate(columns))


# No more than `most` are made, so that a value that too many rows share does no harm.
MADE = "create or replace table made_pair as select * from ({pairs}) limit {most}"
# A pair goes by the first rule that makes it.
DISTINCT_PAIRS = """
create or replace table {into} as
select min(match_key) as match_key, join_key_l, join_key_r from made_pair group by join_key_l, join_key_r
"""
MADE_BY_RULE = """
select '{rule_no}' as match_key, l.row_id as join_key_l, r.row_id as join_key_r
from (select {columns} from {left}) as l inner join (select {columns} from {right}) as r on {rule}
"""


def make_pairs(session: duckdb.DuckDBPyConnection, rules: Sequence[str], compared: Sequence[tuple[str, ...]], most: int, into: str) -> list[int]:
    """Make table `into` (match_key, join_key_l, join_key_r) of the pairs of rows that the rules make of the tables compared.

    The columns are those Splink expects of pairs made for it. When the numbers returned come to `most`, some may be missing.

    Args:
        compared: tables to compare: one, each of its rows with each other, or two, each row of the one with each of the other.
        most: how many pairs to make at most, counting one for every rule that makes it.

    Returns:
        How many pairs each rule made.
    """
    made = [_made_by(number, rule, tables) for tables in compared for number, rule in enumerate(rules)]
    session.execute(MADE.format(pairs=" union all ".join(made), most=most)).fetchall()
    by_rule = dict(session.execute("select match_key::int, count(*) from made_pair group by 1").fetchall())
    session.execute(DISTINCT_PAIRS.format(into=into)).fetchall()
    session.execute("drop table made_pair").fetchall()
    return [by_rule.get(number, 0) for number in range(len(rules))]


def _made_by(number: int, rule: str, tables: tuple[str, ...]) -> str:
    within = " and l.row_id < r.row_id" if len(tables) == 1 else ""
    lists = ", ".join(f"unnest({column}) as {column}" for column in LISTS if f"l.{column} " in rule)
    columns = f"* replace ({lists})" if lists else "*"
    return MADE_BY_RULE.format(rule_no=number, columns=columns, left=tables[0], right=tables[-1], rule=f"{rule}{within}")
