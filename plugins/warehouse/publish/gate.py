"""The checks a build must pass before it may go live.

A build is judged by the record the model stage left in `ops.stage_run` and by the tables themselves, never by the fact
that publication was asked for.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from psycopg import Connection, sql

from warehouse.publish.catalogue import Relation, relations
from warehouse.publish.errors import PublishRefused
from warehouse.publish.slots import LAYERS, other_slot, physical_schema
from warehouse.settings import settings

BUILD_STAGES = ("model.staging", "model.intermediate", "model.marts", "model.estimates", "model.published")
# The stages that build into a slot; the other two write schemas both slots share.
SLOT_STAGES = ("model.marts", "model.estimates", "model.published")

# Timestamps are all the server's own clock, so they can be compared.
LATEST_RUNS = """
select distinct on (r.stage) r.stage, r.status, coalesce(r.started_at > p.published_at, true)
from ops.stage_run r
left join ops.publication p on p.is_live
where r.night = %s and r.stage = any(%s)
order by r.stage, r.stage_run_id desc
"""

# The night the idle slot still holds: the last one published from it, unless anything was built there since.
RETIRED_NIGHT = """
select previous.night
from ops.publication live
join ops.publication previous on previous.slot <> live.slot
where live.is_live
  and not exists (select from ops.stage_run r where r.stage = any(%s) and r.started_at > live.published_at)
order by previous.publication_id desc
limit 1
"""


def expected_tables() -> dict[str, frozenset[str]]:
    """The tables a build must have made, by layer: one for each model file of the dbt project."""
    models = settings().dbt_project_dir / "models"
    return {layer: frozenset(path.stem for path in (models / layer).rglob("*.sql")) for layer in LAYERS}


def slot_to_publish(connection: Connection[Any], night: date) -> str:
    """The slot that holds a night's finished build.

    That is the idle slot after a build; the live slot when that build is live already; and the idle slot again when it
    still holds, untouched, the night that was live before: publishing that night goes back to it.

    Raises:
        PublishRefused: a build stage did not finish well, only half of the slot was rebuilt since the last publication,
            or a later night is live.
    """
    runs = {stage: (status, is_newer) for stage, status, is_newer in connection.execute(LATEST_RUNS, [night, list(BUILD_STAGES)])}
    unfinished = [f"{stage} ({runs[stage][0] if stage in runs else 'never ran'})" for stage in BUILD_STAGES if runs.get(stage, ("",))[0] != "ok"]
    if unfinished:
        raise PublishRefused(f"The marts of {night} are not published: not every build stage of this night passed: {', '.join(unfinished)}")
    live = connection.execute("select slot, night from ops.publication where is_live").fetchone()
    stale = [stage for stage in SLOT_STAGES if not runs[stage][1]]
    if live and len(stale) == len(SLOT_STAGES):
        if live[1] == night:
            return str(live[0])
        if connection.execute(RETIRED_NIGHT, [list(SLOT_STAGES)]).fetchone() == (night,):
            return other_slot(live[0])
    if stale:
        raise PublishRefused(
            f"The marts of {night} are not published: {', '.join(stale)} has not run for this night since the last publication; build these layers again"
        )
    if live and live[1] > night:
        raise PublishRefused(f"The marts of {night} are not published: the later night {live[1]} is live, and analysts must not go back unawares")
    return other_slot(live[0] if live else None)


def check_tables(connection: Connection[Any], slot: str, expected: dict[str, frozenset[str]]) -> dict[str, dict[str, Relation]]:
    """The tables to publish by layer, after checking that all are there and none has lost all its rows.

    Raises:
        PublishRefused: no table is expected, one is missing, or one is empty that has rows in the live marts.
    """
    if not any(expected.values()):
        raise PublishRefused("Nothing to publish: the dbt project has no marts")
    built = {layer: relations(connection, physical_schema(layer, slot)) for layer in LAYERS}
    missing = [f"{layer}.{name}" for layer in LAYERS for name in sorted(expected[layer] - built[layer].keys())]
    if missing:
        raise PublishRefused(f"Not published: the build did not make {', '.join(missing)}")
    tables = {layer: {name: built[layer][name] for name in sorted(expected[layer])} for layer in LAYERS}
    emptied = [
        f"{layer}.{name}"
        for layer in LAYERS
        for name in tables[layer]
        if name in relations(connection, layer) and _is_empty(connection, physical_schema(layer, slot), name) and not _is_empty(connection, layer, name)
    ]
    if emptied:
        raise PublishRefused(f"Not published: {', '.join(emptied)} would become empty, and has rows in the marts that are live now")
    return tables


def _is_empty(connection: Connection[Any], schema: str, name: str) -> bool:
    row = connection.execute(sql.SQL("select not exists (select from {})").format(sql.Identifier(schema, name))).fetchone()
    return row is not None and bool(row[0])
