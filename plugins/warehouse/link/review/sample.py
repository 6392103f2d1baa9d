"""Draw the pairs of records that stewards judge: a stratified random sample, the same for the same night and links.

Strata are bands of score within each frame (see `frames`), certainty and kind of pair. Every stratum gets some pairs, since what
nobody looked at cannot be estimated; the rest are shared out by a stratum's size to the power of two thirds and by how doubtful its
pairs are. After n verdicts without a surprise up to about 3 / n of a stratum's N pairs may still be wrong, and that power makes the sum of
the squares of N / n least.
"""

from __future__ import annotations

from datetime import date
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from warehouse.contracts.load import all_contracts
from warehouse.database import clean_errors, connect
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import policy
from warehouse.link.review.frames import lay_out
from warehouse.link.review.load import last_linked, load_evidence
from warehouse.link.roles import link_tables
from warehouse.link.transfer import copy_in
from warehouse.link.workspace import duckdb_session, private_folder, quoted

if TYPE_CHECKING:
    import duckdb
    import psycopg

# Where bands of score begin, in bits. Edges have a certainty as well, so thresholds of the policy always part strata.
BAND_STARTS = (-5, -2, 0, 2, 4, 6, 8, 10, 14, 20)
LEAST_DRAWN = 5

STRATA = f"""
create or replace table stratum_pair as
with banded as (
    select
        *,
        (select max(s) from unnest({list(BAND_STARTS)}) as b (s) where s <= p.score)::double as low,
        (select min(s) from unnest({list(BAND_STARTS)}) as b (s) where s > p.score)::double  as high
    from frame_pair as p
)
select
    * exclude (detail),
    concat_ws(', ',
        kind, frame, case level when 1 then 'strict' when 2 then 'balanced' when 3 then 'inclusive' end, detail,
        case
            when coalesce(low, high) is not null then coalesce(low::int::varchar, 'under') || ' to ' || coalesce(high::int::varchar, 'more') || ' bits'
        end
    ) as stratum
from banded
"""
COUNTED = """
select
    stratum, kind, frame, level, low, high, count(*) as counted_pairs, any_value(counted_share) as counted_share,
    coalesce(avg(1 / (1 + pow(2, -score))), 0.5) as expected
from stratum_pair group by stratum, kind, frame, level, low, high order by stratum
"""
# The hash of the keys decides who is drawn and in what order pairs are shown: random, and the same again.
DRAWN = """
create or replace table drawn as
with ranked as (
    select
        p.*, l.record_key as record_key_l, r.record_key as record_key_r, hash(l.record_key, r.record_key, ?) as lot,
        row_number() over (partition by p.stratum order by hash(l.record_key, r.record_key, ?)) as rank
    from stratum_pair as p
    inner join record as l on l.record_no = p.record_l
    inner join record as r on r.record_no = p.record_r
)
select r.*, (row_number() over (order by hash(lot)))::int as place
from ranked as r inner join allotted as a using (stratum)
where r.rank <= a.pairs
"""
# A client or person is judged by all its records; of two clients, or two records with names, each by itself.
SHOWN = """
create or replace table shown as
with members as (
    select u.unit_no, list(r.record_key order by r.record_key) as record_keys from unit as u inner join record as r using (record_no) group by u.unit_no
),
side as (select u.record_no, u.is_named, m.record_keys from unit as u inner join members as m using (unit_no))
select
    d.record_key_l, d.record_key_r, d.stratum, d.place,
    case when d.kind = 'minimal' and l.is_named <> r.is_named then l.record_keys else [d.record_key_l] end as records_l,
    case when d.kind = 'minimal' and l.is_named <> r.is_named then r.record_keys else [d.record_key_r] end as records_r
from drawn as d
left join side as l on l.record_no = d.record_l
left join side as r on r.record_no = d.record_r
"""
KEY_LIST = "'{{' || array_to_string({}, ',') || '}}'"
EXPORT = (
    "select record_key_l, record_key_r, stratum, place, "
    f"{KEY_LIST.format('records_l')} as records_l, {KEY_LIST.format('records_r')} as records_r from shown order by place"
)
INSERT_PAIRS = """
insert into linkage.review_pair (night, record_key_l, record_key_r, stratum, place, records_l, records_r)
select %s, record_key_l, record_key_r, stratum, place, records_l, records_r from drawn_pair
"""


class Stratum(NamedTuple):
    """A row of `linkage.review_stratum`, without its night; columns are described there."""

    name: str
    kind: str
    frame: str
    level: int | None
    low: float | None
    high: float | None
    counted_pairs: int
    counted_share: float
    drawn: int


def draw(size: int) -> tuple[date, int]:
    """Draw about `size` pairs of the night that was linked last, in place of those drawn for it before.

    Returns:
        The night, and the pairs drawn: fewer when the night has not so many, a few more when it has many small strata.

    Raises:
        LinkageFault: no night has been linked, or pairs of the last one have been judged already.
        DatabaseFault: the database could not be read or written.
    """
    night = last_linked()
    with private_folder("review") as folder, duckdb_session(folder / "spill") as session:
        load_evidence(session, night, folder)
        lay_out(session, policy(), night, folder)
        with clean_duckdb_errors("draw pairs for review"):
            strata = _draw(session, size, night.toordinal())
            pairs = folder / "pair.csv"
            session.execute(f"copy ({EXPORT}) to {quoted(pairs)} (format csv, header true)").fetchall()
        with clean_errors("keep the pairs for review"), connect("linker") as connection:
            _keep(connection, night, strata, pairs)
    return night, sum(stratum.drawn for stratum in strata)


def allot(sizes: dict[str, int], shares: dict[str, float], total: int) -> dict[str, int]:
    """Share out `total` pairs over strata.

    Args:
        sizes: pairs counted in each stratum.
        shares: expected share of the same person in each, between 0 and 1.

    Returns:
        Pairs to draw from each: at least LEAST_DRAWN or all there are, never more than there are.
    """
    least = {name: min(size, LEAST_DRAWN) for name, size in sizes.items()}
    need = {name: size ** (2 / 3) * _doubt(shares[name]) for name, size in sizes.items()}
    rest, whole = max(total - sum(least.values()), 0), sum(need.values())
    return {name: min(size, least[name] + round(rest * need[name] / whole)) for name, size in sizes.items()}


def _doubt(share: float) -> float:
    """The spread of a verdict. No stratum counts as safer than one in twenty: the expected shares are what the review is to check."""
    bounded = min(max(share, 0.05), 0.95)
    return sqrt(bounded * (1 - bounded))


def _draw(session: duckdb.DuckDBPyConnection, size: int, seed: int) -> list[Stratum]:
    """Make table `shown`. Returns the strata with what was drawn from each."""
    import pyarrow as pa

    session.execute(STRATA).fetchall()
    counted = session.execute(COUNTED).fetchall()
    if not counted:
        raise LinkageFault("There is no pair to review: the night has no edge")
    allotted = allot({name: pairs for name, *_, pairs, _, _ in counted}, {name: expected for name, *_, expected in counted}, size)
    session.register("allotted", pa.table({"stratum": list(allotted), "pairs": list(allotted.values())}))
    session.execute(DRAWN, [seed, seed]).fetchall()
    session.unregister("allotted")
    session.execute(SHOWN).fetchall()
    return [Stratum._make((*row[:8], allotted[row[0]])) for row in counted]


def _keep(connection: psycopg.Connection, night: date, strata: list[Stratum], pairs: Path) -> None:
    connection.execute("lock table linkage.review_pair in share row exclusive mode")
    if connection.execute("select exists (select from linkage.review_decision where night = %s)", [night]).fetchone() == (True,):
        raise LinkageFault(f"Pairs of {night.isoformat()} have been judged already; go on with those")
    connection.execute("delete from linkage.review_pair where night = %s", [night])
    connection.execute("delete from linkage.review_stratum where night = %s", [night])
    connection.execute(
        "create temp table drawn_pair (record_key_l uuid, record_key_r uuid, stratum text, place int, records_l uuid[], records_r uuid[]) on commit drop"
    )
    copy_in(connection, None, "drawn_pair", pairs)
    connection.execute(INSERT_PAIRS, [night])
    connection.execute("truncate linkage.review_source")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into linkage.review_stratum (night, stratum, kind, frame, level, low, high, counted_pairs, counted_share, drawn_pairs)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(night, *row) for row in strata],
        )
        cursor.executemany(
            "insert into linkage.review_source (relation, role, column_name) values (%s, %s, %s)",
            [(table.relation, role, column) for table in link_tables(all_contracts()) for role, column in table.columns.items()],
        )
