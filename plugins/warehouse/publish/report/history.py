"""What the last nights looked like, to judge this one by: rows by feed, measures of linkage, total time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from psycopg import Connection

NIGHTS = 14

LOADS = """
select d.night, d.feed, sum(f.rows_received)::bigint, coalesce(sum(f.rows_quarantined), 0)::bigint
from (select distinct on (night, feed) night, feed, delivery_id
      from ops.delivery
      where night <= %(night)s and night > %(night)s - %(nights)s::int and status <> 'duplicate'
      order by night, feed, status = 'admitted' desc, delivery_id desc) d
join ops.delivery_file f using (delivery_id)
group by d.night, d.feed
having sum(f.rows_received) is not null
order by d.feed, d.night
"""

RULES = """
select d.night, sum(c.failed_rows) filter (where c.severity = 'quarantine')::bigint, sum(c.failed_rows) filter (where c.severity = 'warn')::bigint
from ops.delivery d
join ops.check_result c using (delivery_id)
where d.night <= %(night)s and d.night > %(night)s - %(nights)s::int and d.status = 'admitted'
group by d.night
order by d.night
"""

METRICS = """
select night, metric, value
from ops.linkage_metric
where night <= %(night)s and night > %(night)s - %(nights)s::int and feed_a = '' and feed_b = ''
order by metric, night
"""

# A rerun of a stage is its last run; what a night cost is the sum of those.
SECONDS = """
select night, sum(extract(epoch from ended_at - started_at))::float8
from (select distinct on (night, stage, feed) * from ops.stage_run
      where night <= %(night)s and night > %(night)s - %(nights)s::int and status = 'ok'
      order by night, stage, feed, stage_run_id desc) latest
group by night
order by night
"""


@dataclass(frozen=True)
class NightLoad:
    """Rows a feed delivered on a night and how many of them were quarantined."""

    night: date
    feed: str
    received: int
    quarantined: int


@dataclass(frozen=True)
class NightRules:
    """Rows that failed a rule on a night, over all feeds; a row is counted once for each rule it broke."""

    night: date
    quarantine: int
    warn: int


@dataclass(frozen=True)
class History:
    """The last nights up to and including the one reported on."""

    loads: tuple[NightLoad, ...] = ()
    rules: tuple[NightRules, ...] = ()
    metrics: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    seconds: Mapping[date, float] = field(default_factory=dict)


def history(connection: Connection[Any], night: date) -> History:
    """The last fourteen nights up to `night`."""
    asked = {"night": night, "nights": NIGHTS}
    metrics: dict[str, dict[date, float]] = {}
    for on, metric, value in connection.execute(METRICS, asked):
        metrics.setdefault(metric, {})[on] = value
    return History(
        loads=tuple(NightLoad(*row) for row in connection.execute(LOADS, asked)),
        rules=tuple(NightRules(on, quarantine or 0, warn or 0) for on, quarantine, warn in connection.execute(RULES, asked)),
        metrics=metrics,
        seconds=dict(connection.execute(SECONDS, asked).fetchall()),
    )
