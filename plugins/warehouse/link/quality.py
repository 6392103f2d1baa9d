"""How good a night's scoring looks from outside: what was compared, on which rules, and how heavy the edges came out.

`measure_quality` adds these rows to table `metric`, which becomes `ops.linkage_metric`:

| metric | feed_a | feed_b | value |
|---|---|---|---|
| candidates_by_rule | named or minimal | columns of the blocking rule | pairs of rows that the rule makes, as `candidates` counts them |
| edges_by_rule | named or minimal | columns of the blocking rule | edges whose first rule it was |
| edges_by_weight | model | lower end of a bin of BIN_BITS bits | edges |
| edges_by_level | model | strict, balanced or inclusive | edges that join from that certainty on |
| edges_of_feeds | feed | feed, the same or later in the alphabet | edges that join at the policy's certainty |

Candidates are those compared this night: on an incremental night, pairs with something new in them; a pair that several rules make
counts for each. Edges are all there are, each counted once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link.blocking import MINIMAL_RULES, NAMED_RULES
from warehouse.link.candidates import CANDIDATE_VOLUME, EQUALITY

if TYPE_CHECKING:
    import duckdb

BIN_BITS = 2
LOWEST_BIN, HIGHEST_BIN = -10, 40
LEVEL_NAMES = {1: "strict", 2: "balanced", 3: "inclusive"}
RULES = {"named": NAMED_RULES, "minimal": MINIMAL_RULES}

# All that is told of the edges, from one look at them. An edge carries the place of its first rule among the rules of its kind.
EDGE_COUNTS = f"""
create or replace temp table edge_count as
select
    e.model, e.level, e.match_key::int as rule_no, l.is_named and r.is_named as is_named,
    least(l.feed, r.feed) as feed_a, greatest(l.feed, r.feed) as feed_b,
    greatest({LOWEST_BIN}, least({HIGHEST_BIN}, {BIN_BITS} * floor(e.match_weight / {BIN_BITS})::int)) as bin,
    count(*) as edges
from edge as e inner join record as l on l.record_no = e.record_l inner join record as r on r.record_no = e.record_r
group by all
"""
EDGES_BY_WEIGHT = "insert into metric select 'edges_by_weight', model, bin::varchar, sum(edges) from edge_count group by all"
EDGES_BY_LEVEL = f"""
insert into metric
select 'edges_by_level', model, case level {" ".join(f"when {level} then '{name}'" for level, name in LEVEL_NAMES.items())} end, sum(edges)
from edge_count group by all
"""
EDGES_OF_FEEDS = "insert into metric select 'edges_of_feeds', feed_a, feed_b, sum(edges) from edge_count where level <= {level} group by all"
EDGES_BY_RULE = """
select case when is_named then 'named' else 'minimal' end as kind, rule_no, sum(edges) from edge_count group by all order by all
"""
CANDIDATES_BY_RULE = """
select case when starts_with(scoring, 'named') then 'named' else 'minimal' end as kind, rule_no, sum(pairs)
from candidate_volume group by all order by all
"""


def measure_quality(session: duckdb.DuckDBPyConnection, level: int) -> None:
    """Add the measures above to table `metric` (metric, feed_a, feed_b, value).

    Needs the tables that scoring makes: record, edge and, where anything was compared, candidate_volume.

    Args:
        level: the level of the policy's certainty.
    """
    for statement in (CANDIDATE_VOLUME, EDGE_COUNTS, EDGES_BY_WEIGHT, EDGES_BY_LEVEL, EDGES_OF_FEEDS.format(level=level)):
        session.execute(statement).fetchall()
    for metric, query in (("candidates_by_rule", CANDIDATES_BY_RULE), ("edges_by_rule", EDGES_BY_RULE)):
        rows = [[metric, kind, rule_name(RULES[kind][rule_no]), float(count)] for kind, rule_no, count in session.execute(query).fetchall()]
        if rows:
            session.executemany("insert into metric values (?, ?, ?, ?)", rows)


def rule_name(rule: str) -> str:
    """The columns that a blocking rule asks to agree, such as `surname_sound, dob`; `a = b` where they are two columns."""
    return ", ".join(left if left == right else f"{left} = {right}" for left, right in EQUALITY.findall(rule))
