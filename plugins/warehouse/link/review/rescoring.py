"""Score one pair of records again, keeping what every comparison adds to the weight.

Works in a session with the tables of `evidence` for the whole night: how telling an agreement is depends on everybody else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING, Any

from warehouse.link import minimal, named
from warehouse.link.blocking import LISTS, MINIMAL_RULES, NAMED_RULES
from warehouse.link.form import CLEAR
from warehouse.link.models import Pass, Policy, load_model, named_passes
from warehouse.link.population import members
from warehouse.link.quality import rule_name
from warehouse.link.splinking import PAIRS, quiet, scorer
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

OTHER_RECORD = "l.record_no <> r.record_no"
# Persons and clients as they stand after the night: `night_link` has the person of every record. Two clients are compared
# before they are pooled, so then each record is a client of its own.
UNITS = """
create or replace table unit as
select
    l.record_no, case when r.is_named then 'person' else 'client' end as side, true as is_changed,
    case when {clients_apart} and not r.is_named then l.record_no else min(l.record_no) over (partition by l.person_no, r.is_named) end as unit_no
from night_link as l inner join record as r using (record_no);
create or replace temp view unit_to_lay_out as select * from unit;
create or replace temp view unit_row_kept as select * from earlier_unit_row where false
"""

NAMED_PAIRS = """
create or replace table named_pair as
select row_id_l, row_id_r, match_weight, match_probability, 0 as match_key, '{model}' as model from scored_pair
"""
POOLED = """
select log2(sum(pow(2, match_weight)) / ((select count(*) from one_client) * (select count(*) from other_unit))) from scored_pair
"""


@dataclass(frozen=True)
class Step:
    """What one comparison adds to the weight, in bits: for the level of agreement, and for how common the value is."""

    comparison: str
    level: str
    bits: float
    rarity_bits: float


@dataclass(frozen=True)
class Candidates:
    """A client's candidates: their weights in bits, heaviest first; `place` is the explained one's, from 1, or None when it is none.

    `posterior` is the probability, among all candidates and none, that the explained one is right.
    """

    weights: tuple[float, ...]
    place: int | None
    posterior: float


@dataclass(frozen=True)
class Scored:
    """A pair's weight and how it came about, in bits. `rules` are the blocking rules that nominate the pair."""

    model: str
    prior_bits: float
    steps: tuple[Step, ...]
    weight: float
    rules: tuple[str, ...]
    is_guarded: bool = False
    candidates: Candidates | None = None


def score_named(session: duckdb.DuckDBPyConnection, rules: Policy, left: int, right: int) -> Scored:
    """Score two records with names, by their numbers, as the pass they belong to did."""
    feeds = [str(one_row(session, f"select feed from record where record_no = {number}")[0]) for number in (left, right)]
    one = _pass_of(rules, feeds)
    scoring = f"named_{one.feed}" if one.feed else "named"
    session.execute(f"create or replace temp view pass_row as select * from name_row where {one.feed is None} or feed = '{one.feed}'").fetchall()
    session.execute(f"create or replace table pair_row as select * from name_row where record_no in ({left}, {right})").fetchall()
    (records,) = one_row(session, "select count(distinct record_no) from pass_row")
    prior = min(one.matches_per_record / max(members(session, scoring, records), 1), 0.5)
    model = load_model(one.model)
    best = _score(session, scoring, model, OTHER_RECORD, ("pair_row",), ("pass_row",), prior)
    session.execute(NAMED_PAIRS.format(model=one.model)).fetchall()
    named.find_edges(session, rules)
    weight, is_guarded = one_row(session, "select match_weight, is_guarded from named_edge")
    row = min(best, key=lambda scored: abs(float(scored["match_weight"]) - weight))
    nominating = _nominating(session, NAMED_RULES, "pair_row", "pair_row")
    return Scored(one.model, log2(prior / (1 - prior)), steps(model, row), float(weight), nominating, bool(is_guarded))


def _pass_of(rules: Policy, feeds: list[str]) -> Pass:
    """The pass that scores records of two feeds."""
    passes = named_passes(rules.named, feeds)
    return next((one for one in passes if one.feed and feeds == [one.feed, one.feed]), passes[-1])


def score_minimal(session: duckdb.DuckDBPyConnection, rules: Policy, left: int, right: int) -> Scored:
    """Score the client of one record against the person, or the other client, of the other. Needs `night_link`."""
    both_clients = one_row(session, f"select not bool_or(is_named) from record where record_no in ({left}, {right})") == (True,)
    for statement in UNITS.format(clients_apart=both_clients).split(";\n"):
        session.execute(statement).fetchall()
    minimal.lay_out_units(session, CLEAR)
    units = dict(session.execute(f"select record_no, unit_no from unit where record_no in ({left}, {right})").fetchall())
    client, other = sorted((left, right), key=lambda number: one_row(session, f"select is_named from record where record_no = {number}"))
    table = "client_row" if both_clients else "person_row"
    session.execute(f"create or replace temp table one_client as select * from client_row where unit_no = {units[client]}").fetchall()
    session.execute(f"create or replace temp table other_unit as select * from {table} where unit_no = {units[other]}").fetchall()

    scoring = "client" if both_clients else "person"
    (now,) = one_row(session, f"select count(distinct unit_no) from {table}")
    share = rules.minimal.share_repeated if both_clients else rules.minimal.share_known
    prior = min(share / max(members(session, scoring, now), 1), 0.5)
    model = load_model(rules.minimal.model)
    population = ("client_row",) if both_clients else ("client_row", "person_row")
    rows = _score(session, scoring, model, minimal.OTHER_UNIT, ("one_client", "other_unit"), population, prior)
    (weight,) = one_row(session, POOLED)
    candidates = None if both_clients else _candidates(session, rules, model, population, prior, units[other])
    row = max(rows, key=lambda scored: float(scored["match_weight"]))
    nominating = _nominating(session, MINIMAL_RULES, "one_client", "other_unit")
    return Scored(rules.minimal.model, log2(prior / (1 - prior)), steps(model, row), float(weight), nominating, candidates=candidates)


def _candidates(session: duckdb.DuckDBPyConnection, rules: Policy, model: dict[str, Any], population: Sequence[str], prior: float, person: int) -> Candidates:
    """Weigh `one_client` against every person that the blocking rules nominate."""
    session.execute(PAIRS.format(into="person_pair")).fetchall()
    scorer(session, "person", model, MINIMAL_RULES, [("one_client", "person_row")], population, prior).predict(minimal.WEAKEST_CANDIDATE, "person_pair")
    session.execute(minimal.POOLED_WEIGHT.format(into="person_weight", pairs="person_pair", left="one_client", right="person_row")).fetchall()
    found = session.execute("select unit_b, match_weight from person_weight order by match_weight desc, unit_b").fetchall()
    odds = {unit: 2.0**weight for unit, weight in found}
    whole = 1 - rules.minimal.share_known + sum(odds.values())
    place = next((n for n, (unit, _) in enumerate(found, start=1) if unit == person), None)
    return Candidates(tuple(weight for _, weight in found), place, odds.get(person, 0.0) / whole)


def _score(
    session: duckdb.DuckDBPyConnection, scoring: str, model: dict[str, Any], rule: str, compared: tuple[str, ...], population: Sequence[str], prior: float
) -> list[dict[str, Any]]:
    """Score every pair of rows that a rule allows, into table `scored_pair` with all that the weight is made of."""
    kept = model | {"retain_intermediate_calculation_columns": True, "retain_matching_columns": True}
    scoring_of_pair = scorer(session, scoring, kept, [rule], [compared], population, prior)
    inputs = [scoring_of_pair.inputs[table] for table in compared]
    inference = scoring_of_pair.linker.inference
    with quiet():
        scored = inference.predict(warning_mode="never") if len(inputs) == 1 else inference.predict_between(*inputs, warning_mode="never")
        session.execute(f"create or replace table scored_pair as select * from {scored.physical_name}").fetchall()
        scored.drop_table_from_database_and_remove_from_cache()
    result = session.execute("select * from scored_pair order by match_weight desc, row_id_l, row_id_r")
    columns = [column for column, *_ in result.description]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def steps(model: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[Step, ...]:
    """What each comparison of a model added to the weight of a scored pair of rows."""
    found = []
    for comparison in model["comparisons"]:
        name = comparison["output_column_name"]
        # Splink numbers levels downwards: the last one is 0, a missing value -1.
        levels = [level["label_for_charts"] for level in comparison["comparison_levels"] if not level.get("is_null_level")][::-1]
        level = row[f"gamma_{name}"]
        label = levels[level] if level >= 0 else "Missing"
        found.append(Step(name, label, float(row[f"mw_{name}"]), float(row.get(f"mw_tf_adj_{name}") or 0)))
    return tuple(found)


def _nominating(session: duckdb.DuckDBPyConnection, rules: Sequence[str], left: str, right: str) -> tuple[str, ...]:
    """The blocking rules that hold between a row of one table and a row of the other."""
    held = "select exists (select 1 from {left} as l inner join {right} as r on {rule})"
    return tuple(rule_name(rule) for rule in rules if one_row(session, held.format(left=left, right=right, rule=_plain(rule))) == (True,))


def _plain(rule: str) -> str:
    """A blocking rule as a plain condition: on lists, that they have a value in common."""
    return re.sub(rf"\bl\.({'|'.join(LISTS)}) = r\.\1\b", r"list_has_any(l.\1, r.\1)", rule)
