"""Link records that carry initials alone: first to each other, then, pooled, to persons.

The same client may be with several providers, so clients' records are joined first, on strong evidence, and what they
were recorded with is pooled. A pooled client is compared with the whole history of each person. The weights of all its
candidates, and of none, give the probability that the best one is right; it must also lead the second by a margin.

On a night that knows what the one before weighed (`incremental`), only pairs with a changed client, or with a person who has
changed, are weighed anew; candidates are then judged all together, as on any night.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from warehouse.link import regroup
from warehouse.link.blocking import MINIMAL_RULES
from warehouse.link.candidates import near_rows
from warehouse.link.cluster import clusters
from warehouse.link.conflicts import find_conflicts
from warehouse.link.form import CLEAR, Form
from warehouse.link.models import Policy, load_model
from warehouse.link.population import is_counted, members
from warehouse.link.splinking import PAIRS, Round, rounds, scorer
from warehouse.link.workspace import one_row, run_script

if TYPE_CHECKING:
    import duckdb

OTHER_UNIT = "l.unit_no <> r.unit_no"
# Candidates of fewer bits than this weigh nothing beside one that could be linked.
WEAKEST_CANDIDATE = -10.0

# A unit's rows are its alternative names and dates of birth. The odds are averaged over the pairs of rows: one of them is
# the right one, and a unit with more of them has more chances to agree by accident.
POOLED_WEIGHT = """
create or replace table {into} as
select
    l.unit_no as unit_a, r.unit_no as unit_b,
    log2(sum(pow(2, p.match_weight)) / any_value(l.rows_of_unit * r.rows_of_unit)) as match_weight,
    min(p.match_key) as match_key
from {pairs} as p
inner join {left} as l on l.row_id = p.row_id_l
inner join {right} as r on r.row_id = p.row_id_r
group by l.unit_no, r.unit_no
union all
from earlier_{into}
"""

CLIENT_EDGES = """
create or replace table client_edge as
select
    least(unit_a, unit_b) as record_l, greatest(unit_a, unit_b) as record_r,
    match_weight, 1 / (1 + pow(2, -match_weight)) as match_probability, match_key
from client_weight
where match_weight >= {threshold}
"""

NO_CLIENT_CLUSTERS = "create or replace table client_cluster (record_no int, cluster_no int)"

# Each client by itself; all are laid out.
SINGLE_CLIENTS = """
create or replace temp view unit_to_lay_out as select record_no, record_no as unit_no, 'client' as side, is_changed from record where not is_named;
create or replace temp view unit_row_kept as select * from earlier_unit_row where false
"""

UNITS = """
create or replace table unit as
select
    r.record_no, coalesce(c.cluster_no, p.cluster_no, r.record_no) as unit_no, case when r.is_named then 'person' else 'client' end as side
from record as r
left join client_cluster as c on c.record_no = r.record_no
left join named_cluster as p on p.record_no = r.record_no;
create or replace temp view unit_to_lay_out as select *, true as is_changed from unit;
create or replace temp view unit_row_kept as select * from earlier_unit_row where false
"""

# On a night that goes on from an earlier one. Units may have changed among the clients and, among persons, where the records are that
# `regroup` looked at. A unit has changed unless it is made of the same records as before and none of them has changed: if a record has
# come to it or left it, or was changed. `earlier_unit` has the records that have not, with what their unit was called.
CHANGED_UNITS = """
create or replace temp table regrouped as
select
    r.record_no, coalesce(c.cluster_no, p.cluster_no, r.record_no) as unit_no, case when r.is_named then 'person' else 'client' end as side, r.is_changed
from record as r
left join client_cluster as c on c.record_no = r.record_no
left join touched_cluster as p on p.record_no = r.record_no
where not r.is_named or r.record_no in (from touched);
create or replace temp table moved as
select g.record_no, g.unit_no, e.unit_no as unit_before
from regrouped as g left join earlier_unit as e using (record_no)
where g.is_changed or e.unit_no is distinct from g.unit_no;
create or replace table changed_unit as
select unit_no from moved
union select unit_before from moved where unit_before is not null
union select unit_no from earlier.unit semi join replaced using (record_no);

create or replace temp view unit as
select record_no, unit_no, side from earlier_unit where record_no not in (select record_no from regrouped)
union all
select record_no, unit_no, side from regrouped;
create or replace temp view unit_to_lay_out as
select record_no, unit_no, side, true as is_changed from regrouped where unit_no in (from changed_unit);
create or replace temp view unit_row_kept as select * from earlier_unit_row where unit_no not in (from changed_unit);
create or replace view earlier_person_weight as
select * from earlier.person_weight where unit_a not in (from changed_unit) and unit_b not in (from changed_unit)
"""

# `none` is the odds that the client is with no other agency at all. The leader is decided by weight, then by the
# smaller record number, so that equal candidates are always taken in the same order (and then fail the margin).
PERSON_EDGES = """
create or replace table person_edge as
with candidate as (
    select unit_a as client, unit_b as person, match_weight, match_key, pow(2, match_weight) as odds from person_weight
),
judged as (
    select
        client, person, match_weight, match_key,
        odds / ({none} + sum(odds) over (partition by client)) as posterior,
        match_weight - coalesce(lead(match_weight) over of_client, -1000) as lead_bits,
        row_number() over of_client as place
    from candidate
    window of_client as (partition by client order by match_weight desc, person)
)
select least(client, person) as record_l, greatest(client, person) as record_r, match_weight, posterior as match_probability, match_key
from judged
where place = 1 and posterior >= {inclusive} and lead_bits >= {margin}
"""


def score(session: duckdb.DuckDBPyConnection, policy: Policy, form: Form = CLEAR) -> dict[str, float]:
    """Score records with initials alone, given `named_cluster` (record_no, cluster_no of the named records).

    Makes `client_edge` and `person_edge`: record_l, record_r, match_weight, match_probability, match_key. A pooled client or
    a person stands in an edge by its smallest record number.

    Returns:
        Counts for the metrics: candidate pairs and edges.

    Raises:
        PairBudgetExceeded: the blocking rules make too many pairs.
    """
    rules = policy.minimal
    model, blocking = form.model(load_model(rules.model)), form.rules(MINIMAL_RULES)
    session.execute(SINGLE_CLIENTS).fetchall()
    lay_out_units(session, form)
    pairs = _weigh_clients(session, model, policy, blocking)
    session.execute(CLIENT_EDGES.format(threshold=rules.client_weight)).fetchall()
    find_conflicts(session, "client_edge", policy.largest_component, form)
    clusters(session, "client_edge", "conflict", "client_cluster")

    is_partial = regroup.is_partial(session)
    session.execute(CHANGED_UNITS if is_partial else UNITS).fetchall()
    lay_out_units(session, form)
    persons = "person_row"
    if is_partial and is_counted(session, "person"):
        persons = "near_person_row"
        near_rows(session, blocking, "client_row", "person_row", "earlier.person_key", persons)
    pairs += _weigh_persons(session, model, policy, blocking, persons)
    session.execute(PERSON_EDGES.format(none=1 - rules.share_known, inclusive=rules.posterior["inclusive"], margin=rules.leader_margin)).fetchall()
    (edges,) = one_row(session, "select (select count(*) from client_edge) + (select count(*) from person_edge)")
    return {"candidate_pairs": pairs, "edges": edges}


def lay_out(session: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Make `client_row` and `person_row` of all records from `client_cluster` and `named_cluster`, and count clients and persons."""
    session.execute(UNITS).fetchall()
    lay_out_units(session, CLEAR)
    count = "select count(distinct unit_no) from"
    clients, persons = one_row(session, f"select ({count} client_row), ({count} person_row)")
    return int(clients), int(persons)


def lay_out_units(session: duckdb.DuckDBPyConnection, form: Form) -> None:
    """Make `client_row` and `person_row` from `unit_to_lay_out` and `unit_row_kept`."""
    form.run(session, "unit_person.sql")
    run_script(session, "units.sql")


def _weigh_clients(session: duckdb.DuckDBPyConnection, model: dict[str, Any], policy: Policy, rules: Sequence[str]) -> int:
    """Make `client_weight`: the pooled weight of every candidate pair of clients. Returns the candidate pairs of rows."""
    (clients,) = one_row(session, "select count(distinct unit_no) from client_row")
    prior = min(policy.minimal.share_repeated / max(members(session, "client", clients), 1), 0.5)
    own = [f"{rule} and {OTHER_UNIT}" for rule in rules]
    pairs = _weigh(session, "client", model, policy, own, rounds(session, "client_row"), ["client_row"], prior, policy.minimal.client_weight)
    session.execute(POOLED_WEIGHT.format(into="client_weight", pairs="client_pair", left="client_row", right="client_row")).fetchall()
    return pairs


def _weigh_persons(session: duckdb.DuckDBPyConnection, model: dict[str, Any], policy: Policy, rules: Sequence[str], persons: str) -> int:
    """Make `person_weight`: the pooled weight of every candidate pair of client and person. Returns the candidate pairs of rows.

    Args:
        persons: table of the persons' rows that pairs with something new in them are among.
    """
    (count,) = one_row(session, f"select count(distinct unit_no) from {persons}")
    prior = min(policy.minimal.share_known / max(members(session, "person", count), 1), 0.5)
    compared = rounds(session, "client_row", persons)
    pairs = _weigh(session, "person", model, policy, rules, compared, ["client_row", persons], prior, WEAKEST_CANDIDATE)
    session.execute(POOLED_WEIGHT.format(into="person_weight", pairs="person_pair", left="client_row", right=persons)).fetchall()
    return pairs


def _weigh(
    session: duckdb.DuckDBPyConnection,
    scoring: str,
    model: dict[str, Any],
    policy: Policy,
    rules: Sequence[str],
    compared: Sequence[Round],
    tables: Sequence[str],
    prior: float,
    floor: float,
) -> int:
    """Make `<scoring>_pair`: the weights of pairs of rows of at least `floor` bits. Returns the candidate pairs."""
    session.execute(PAIRS.format(into=f"{scoring}_pair")).fetchall()
    if not compared:
        return 0
    scoring_of_rows = scorer(session, scoring, model, rules, compared, tables, prior)
    pairs = scoring_of_rows.check_budget(policy.pair_budget_per_record, policy.pair_budget_floor)
    scoring_of_rows.predict(floor, f"{scoring}_pair")
    return pairs
