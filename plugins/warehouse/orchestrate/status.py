"""What `warehouse status` tells: what came, what is late, what is wrong and what to do about it, what ran, what is live."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.contracts import thresholds
from warehouse.contracts.load import load_contract
from warehouse.database import clean_errors, connect
from warehouse.orchestrate import judgement
from warehouse.orchestrate.judgement import FeedState, Newest, Problem, StageState
from warehouse.receive.staleness import NightFeed, feeds_on
from warehouse.settings import settings

Rows = list[dict[str, Any]]

LIVE = "select night, slot, published_at from ops.publication where is_live"
STALE_LIVE = "select f.feed from ops.night_feed f join ops.publication p on p.is_live and p.night = f.night where f.is_stale order by f.feed"
# A delivery done again by hand, or the retention, is no night that ran.
NIGHTS = """
select max(night) filter (where stage in ('receive', 'link.score')), (select min(night) from ops.delivery), (select max(night) from ops.retention_run)
from ops.stage_run
"""
# Repetitions and what was replaced say nothing about how the feed stands.
NEWEST = """
select d.feed, d.delivery_id, d.night, d.status, d.message, d.received_at,
       sum(f.rows_received)::bigint as rows_received, sum(f.rows_admitted)::bigint as rows_admitted,
       sum(f.rows_quarantined)::bigint as rows_quarantined, sum(f.rows_unchanged)::bigint as rows_unchanged, sum(f.rows_erased)::bigint as rows_erased
from (select distinct on (feed) * from ops.delivery where status not in ('duplicate', 'superseded')
      order by feed, night desc, delivery_id desc) d
left join ops.delivery_file f using (delivery_id)
group by d.feed, d.delivery_id, d.night, d.status, d.message, d.received_at
"""
STAGES = """
select distinct on (stage, feed) stage, feed, night, status, started_at,
       round(extract(epoch from ended_at - started_at)::numeric, 1)::float as seconds,
       extract(epoch from now() - started_at)::float / 3600 as hours_ago, counts, error
from ops.stage_run order by stage, feed, stage_run_id desc
"""
ERASURES = "select erasure_id, feed, reason, requested_on, registered_at from ops.erasure where finished_at is null order by 1"
ALERTS = "select alert_id, at, night, source, message from ops.alert where not sent and at > now() - interval '7 days' order by 1"
# What stopped a feed from arriving on the last night: told once, as it was told last.
NOT_ARRIVED = """
select distinct on (source) regexp_replace(source, '^ingest_(.*)\\.receive$', '\\1') as feed, message
from ops.alert a
where a.night = %(night)s and source ~ '^ingest_.*\\.receive$'
  and not exists (select from ops.delivery d where 'ingest_' || d.feed || '.receive' = a.source and d.night = a.night and d.status in ('admitted', 'refused'))
order by source, alert_id desc
"""


def collect(as_of: date | None = None, today: date | None = None) -> dict[str, Rows]:
    """The state of the warehouse as plain rows: `night`, `problems`, `feeds`, `erasures`, `alerts`, `stages`, `live`.

    Args:
        as_of: the night to judge lateness on; by default the last night that ran, so that an Airflow that stands still is told
            once and not as every agency being late.
        today: the calendar date; by default London's.

    Raises:
        server.ServerError: no warehouse is configured or running.
        DatabaseFault: the database could not be asked.
        ContractError: a contract is not valid.
    """
    today = today or datetime.now(ZoneInfo("Europe/London")).date()
    with clean_errors("read the warehouse's status"), connect("engineer") as connection:
        cursor = connection.cursor(row_factory=dict_row)
        last_run, first_night, last_retention = connection.execute(NIGHTS).fetchone() or (None, None, None)
        as_of = as_of or last_run or today
        stages = cursor.execute(STAGES).fetchall()
        live = cursor.execute(LIVE).fetchall()
        standings = feeds_on(connection, as_of)
        newest = {row["feed"]: row for row in cursor.execute(NEWEST).fetchall()}
        erasures, alerts = cursor.execute(ERASURES).fetchall(), cursor.execute(ALERTS).fetchall()
        stale = [feed for (feed,) in connection.execute(STALE_LIVE)]
        not_arrived = connection.execute(NOT_ARRIVED, {"night": last_run}).fetchall()
    busy = [row for row in stages if row["status"] == "running" and row["hours_ago"] <= judgement.LONGEST_STAGE_HOURS]
    problems: list[Problem] = []
    for standing in standings:
        problems += judgement.of_feed(_feed_state(standing, newest.get(standing.feed), {row["feed"] for row in busy}))
    problems += [judgement.of_arrival(feed, message) for feed, message in not_arrived]
    problems += [problem for row in stages if (problem := judgement.of_stage(_stage_state(row)))]
    problems += judgement.of_night(live[0]["night"] if live else None, last_run, today, stale, bool(busy))
    problems += judgement.of_operations(len(erasures), len(alerts), first_night, last_retention, as_of)
    return {
        "night": [{"as_of": as_of, "last_run": last_run, "last_retention": last_retention}],
        "problems": [asdict(problem) for problem in judgement.ordered(problems)],
        "feeds": [_feed_row(standing, newest.get(standing.feed, {})) for standing in standings],
        "erasures": erasures,
        "alerts": alerts,
        "stages": stages,
        "live": live,
    }


def live_night() -> date | None:
    """The night whose marts are live; None before the first publication."""
    with clean_errors("read which night is live"), connect("engineer") as connection:
        return _night_of(connection)


def _night_of(connection: Connection[Any]) -> date | None:
    row = connection.execute(LIVE).fetchone()
    night: date | None = row[0] if row else None
    return night


def _feed_state(standing: NightFeed, newest: dict[str, Any] | None, busy: set[str | None]) -> FeedState:
    feed = standing.feed
    inbox = (settings().spool_dir if feed in settings().collected_feeds else settings().inbox_dir) / feed
    delivery = None
    if newest is not None:
        counts = newest["rows_received"] or 0, newest["rows_quarantined"] or 0
        delivery = Newest(newest["delivery_id"], newest["night"], newest["status"], newest["message"], *counts)
    told_share, told_rows = thresholds.number("quarantined_told", feed), int(thresholds.number("failing_floor", feed))
    return FeedState(standing, load_contract(feed).owner, str(inbox), delivery, feed in busy, told_share, told_rows)


def _stage_state(row: dict[str, Any]) -> StageState:
    return StageState(row["stage"], row["feed"], row["night"], row["status"], row["hours_ago"], row["error"])


def _feed_row(standing: NightFeed, newest: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a feed: its newest delivery, how far it reaches, and when the next delivery is due."""
    delivery = load_contract(standing.feed).delivery
    counted = ("received", "admitted", "quarantined", "unchanged", "erased")
    return {
        "feed": standing.feed,
        "delivery_id": newest.get("delivery_id"),
        "last_night": newest.get("night"),
        "status": newest.get("status") or "never delivered",
        "message": newest.get("message"),
        **{f"rows_{count}": newest.get(f"rows_{count}") for count in counted},
        "admitted_night": standing.last_night,
        "coverage_end": standing.coverage_end,
        "cadence": delivery.cadence,
        "due_on": standing.due_on,
        "is_late": standing.is_stale,
        "reason": standing.reason,
    }
