"""Read the facts of a night from `ops`, as the analyst's login: what the report tells, any analyst may look up."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from psycopg import Connection, sql

from warehouse.contracts.load import feeds
from warehouse.publish.catalogue import relations
from warehouse.publish.facts import Coverage, FeedLoad, Linkage, OtherDelivery, Publication, Reason, StageTime, TableLoad
from warehouse.publish.slots import LAYERS

# A feed may deliver twice in a night, after a refusal for example: what counts is the delivery that came furthest.
DELIVERIES = """
select distinct on (feed) feed, delivery_id, status, message
from ops.delivery
where night = %s and status <> 'duplicate'
order by feed, status = 'admitted' desc, status in ('superseded', 'rejected'), delivery_id desc
"""

# What ended between the publication of the night before and that of this one belongs to this night's story.
SINCE = """
since as (
    select coalesce((select max(published_at) from ops.publication where night < %(night)s), '-infinity') as began,
           coalesce((select max(published_at) from ops.publication where night = %(night)s),
                    (select min(published_at) from ops.publication where night > %(night)s), 'infinity') as ended
)
"""

OTHERS = f"""
with {SINCE}
select d.feed, d.delivery_id, d.night, d.status, d.message, coalesce(sum(f.rows_received), 0)::bigint
from ops.delivery d
cross join since
left join ops.delivery_file f using (delivery_id)
where not d.delivery_id = any(%(counted)s)
  and (d.night = %(night)s or (d.night < %(night)s and d.status <> 'duplicate' and d.finished_at > since.began and d.finished_at <= since.ended))
group by d.feed, d.delivery_id, d.night, d.status, d.message
order by d.feed, d.night, d.delivery_id
"""

ERASED = f"""
with {SINCE}
select e.feed, count(*) from ops.erasure e cross join since
where e.finished_at > since.began and e.finished_at <= since.ended
group by e.feed
order by e.feed
"""

COVERAGE = "select feed, least(coverage_end, %(night)s), last_night from ops.feed_coverage_as_at(%(night)s)"

TABLE_LOADS = """
select delivery_id, table_name, sum(coalesce(rows_received, 0))::bigint, sum(coalesce(rows_admitted, 0))::bigint,
       sum(coalesce(rows_quarantined, 0))::bigint, sum(coalesce(rows_unchanged, 0))::bigint, sum(coalesce(rows_erased, 0))::bigint
from ops.delivery_file
where delivery_id = any(%s)
group by delivery_id, table_name
order by delivery_id, table_name
"""

REASONS = """
select delivery_id, table_name, rule, severity, message, failed_rows, checked_rows
from ops.check_result
where delivery_id = any(%s) and failed_rows > 0
order by delivery_id, array_position(array['refuse', 'quarantine', 'warn'], severity), failed_rows desc, table_name, rule
"""

STAGE_TIMES = """
select stage, feed, status, started_at, extract(epoch from ended_at - started_at)::float8
from (select distinct on (stage, feed) * from ops.stage_run where night = %s order by stage, feed, stage_run_id desc) latest
order by started_at, stage_run_id
"""


def feed_loads(connection: Connection[Any], night: date) -> tuple[FeedLoad, ...]:
    """What each feed delivered for a night and what became of it, in the contracts' order; a feed that sent nothing is there too."""
    deliveries = {feed: rest for feed, *rest in connection.execute(DELIVERIES, [night])}
    ids = [delivery_id for delivery_id, _, _ in deliveries.values()]
    tables: dict[int, list[TableLoad]] = defaultdict(list)
    for delivery_id, *load in connection.execute(TABLE_LOADS, [ids]):
        tables[delivery_id].append(TableLoad(*load))
    reasons: dict[int, list[Reason]] = defaultdict(list)
    for delivery_id, *reason in connection.execute(REASONS, [ids]):
        reasons[delivery_id].append(Reason(*reason))
    others: dict[str, list[OtherDelivery]] = defaultdict(list)
    for feed, *other in connection.execute(OTHERS, {"night": night, "counted": ids}):
        others[feed].append(OtherDelivery(*other))
    loads = []
    for feed in dict.fromkeys([*feeds(), *sorted(deliveries)]):
        delivery_id, status, message = deliveries.get(feed, (-1, "no delivery", None))
        loads.append(FeedLoad(feed, status, message, tuple(tables[delivery_id]), tuple(reasons[delivery_id]), tuple(others[feed])))
    return tuple(loads)


def coverage(connection: Connection[Any], night: date) -> tuple[Coverage, ...]:
    """How far each feed's events are known on a night, and which feeds linkage noted as late; before linkage none is."""
    known = {feed: rest for feed, *rest in connection.execute(COVERAGE, {"night": night})}
    noted = {feed: rest for feed, *rest in connection.execute("select feed, due_on, is_stale, reason from ops.night_feed where night = %s", [night])}
    names = dict.fromkeys([*feeds(), *sorted(known)])
    return tuple(Coverage(feed, *known.get(feed, (None, None)), *noted.get(feed, (None, False, ""))) for feed in names)


def erased(connection: Connection[Any], night: date) -> dict[str, int]:
    """Records erased by feed since the night before."""
    return dict(connection.execute(ERASED, {"night": night}).fetchall())


def stage_times(connection: Connection[Any], night: date) -> tuple[StageTime, ...]:
    """The last run of every stage of a night, in the order they started."""
    return tuple(StageTime(*row) for row in connection.execute(STAGE_TIMES, [night]))


def linkage(connection: Connection[Any], night: date) -> Linkage:
    """The measures linkage recorded for a night; none when it did not run."""
    rows = connection.execute("select metric, feed_a, feed_b, value from ops.linkage_metric where night = %s order by metric, feed_a, feed_b", [night])
    return Linkage({(metric, feed_a, feed_b): value for metric, feed_a, feed_b, value in rows})


def publication(connection: Connection[Any]) -> Publication | None:
    """The publication that is live; None before the first."""
    row = connection.execute("select night, slot, published_at from ops.publication where is_live").fetchone()
    return None if row is None else Publication(*row)


def mart_rows(connection: Connection[Any]) -> dict[str, int]:
    """Rows of every published table, as `layer.table`."""
    names = [(layer, name) for layer in LAYERS for name in relations(connection, layer)]
    if not names:
        return {}
    counts = sql.SQL(", ").join(sql.SQL("(select count(*) from {})").format(sql.Identifier(*name)) for name in names)
    row = connection.execute(sql.SQL("select {}").format(counts)).fetchone()
    return dict(zip((".".join(name) for name in names), row or (), strict=True))
