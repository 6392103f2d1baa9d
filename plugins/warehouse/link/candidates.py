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


# A row's keys: for each rule, the hash of the values that the rule asks to agree, and the rule's number in the last digits. Two rows share
# a key where a rule nominates them (or, once in 10^17 times, where two hashes are the same), so that one join looks for the pairs of all rules.
KEY_PLACES = 64
# No more than `most` are made, so that a value that too many rows share does no harm.
MADE = "create or replace table made_pair as select * from ({pairs}) limit {most}"
# A pair goes by the first rule that makes it.
DISTINCT_PAIRS = """
create or replace table {into} as
select min(match_key) as match_key, join_key_l, join_key_r from made_pair group by join_key_l, join_key_r
"""
MADE_OF = f"""
select (k.key % {KEY_PLACES})::varchar as match_key, k.row_l as join_key_l, k.row_r as join_key_r
from (
    select a.key, a.row_id as row_l, b.row_id as row_r
    from (select row_id, unnest({{left_keys}}) as key from {{left}}) as a
    inner join (select row_id, unnest({{right_keys}}) as key from {{right}}) as b using (key)
    where {{within}}
) as k
inner join {{left}} as l on l.row_id = k.row_l
inner join {{right}} as r on r.row_id = k.row_r
where {{further}}
"""
# The keys of rows as a state keeps them: half of each is enough, since one row in some thousands is then looked at in vain.
KEPT_KEYS = "select row_id, (key >> 32)::uinteger as key from (select row_id, unnest({keys}) as key from {rows}) where key is not null"
NEAR = """
create or replace temp table near_key as
select distinct (key >> 32)::uinteger as key from (select unnest({keys}) as key from {near_to} where is_changed) where key is not null;
create or replace table {into} as
select * from {rows} where is_changed
union all by name
select * from {rows} where not is_changed and row_id in (select row_id from {kept_keys} semi join near_key using (key))
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
    keys = {"left_keys": row_keys(rules, 0), "right_keys": row_keys(rules, 1), "further": _further(rules)}
    made = [MADE_OF.format(left=one[0], right=one[-1], within="a.row_id < b.row_id" if len(one) == 1 else "true", **keys) for one in compared]
    session.execute(MADE.format(pairs=" union all ".join(made), most=most)).fetchall()
    by_rule = dict(session.execute("select match_key::int, count(*) from made_pair group by 1").fetchall())
    session.execute(DISTINCT_PAIRS.format(into=into)).fetchall()
    session.execute("drop table made_pair").fetchall()
    return [by_rule.get(number, 0) for number in range(len(rules))]


def near_rows(session: duckdb.DuckDBPyConnection, rules: Sequence[str], near_to: str, rows: str, kept_keys: str, into: str) -> None:
    """Make table `into` of the rows that a night has to look at: those that have changed, and those that a rule nominates with a changed row.

    Args:
        rules: they hold both ways round.
        near_to: table whose changed rows are meant.
        rows: table to choose from, which may be the same.
        kept_keys: the keys of those of its rows that have not changed, as `kept_keys_of` gives them.
    """
    for statement in NEAR.format(near_to=near_to, rows=rows, kept_keys=kept_keys, into=into, keys=row_keys(rules, 1)).split(";\n"):
        session.execute(statement).fetchall()


def kept_keys_of(rules: Sequence[str], rows: str) -> str:
    """SQL for the keys of a table's rows, for `near_rows` on a later night: row_id, key."""
    return KEPT_KEYS.format(keys=row_keys(rules, 0), rows=rows)


def row_keys(rules: Sequence[str], side: int) -> str:
    """SQL for the list of a row's keys when it stands on one side (0 left, 1 right) of the rules; a rule that lacks a value has a null.

    Raises:
        ValueError: a rule asks for two lists, or there are too many rules.
    """
    if len(rules) > KEY_PLACES:
        raise ValueError(f"There are more than {KEY_PLACES} blocking rules")
    single, several = [], []
    for number, rule in enumerate(rules):
        columns = [pair[side] for pair in EQUALITY.findall(rule)]
        lists = [column for column in columns if column in LISTS]
        plain = [column for column in columns if column not in LISTS]
        if len(lists) > 1:
            raise ValueError(f"A blocking rule asks for more than one list: {rule}")
        filled = " and ".join([f"{column} is not null" for column in plain] or ["true"])
        key = f"hash({', '.join([*plain, *(['value'] if lists else [])])}) // {KEY_PLACES} * {KEY_PLACES} + {number}"
        if lists:
            several.append(f"case when {filled} then list_transform({lists[0]}, lambda value: {key}) end")
        else:
            single.append(f"case when {filled} then {key} end")
    return " || ".join([f"[{', '.join(single)}]::ubigint[]", *(f"coalesce({keys}, [])" for keys in several)])


def _further(rules: Sequence[str]) -> str:
    """SQL for what the rules ask beyond equalities, of a pair of rows l and r made by key k."""
    by_condition: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        conditions = [condition for condition in rule.split(" and ") if not EQUALITY.fullmatch(condition)]
        by_condition.setdefault(" and ".join(conditions) or "true", []).append(number)
    if len(by_condition) == 1:
        return next(iter(by_condition))
    return " or ".join(f"k.key % {KEY_PLACES} in ({', '.join(map(str, numbers))}) and ({condition})" for condition, numbers in by_condition.items())
