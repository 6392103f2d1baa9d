"""From which state a build of the per-person tables starts, and which state it leaves behind.

`intermediate.model_build` has one row per build of the intermediate layer, `intermediate.model_slot` one per slot of the
marts with the build it shows. A build starts from a finished one when that is of an earlier night, made by the same dbt
project, and nothing it read has been rewritten since; then only the persons touched since are written again. Otherwise
everyone is. `macros/incremental.sql` of the dbt project reads what is decided here; ADR 0015 has the reasons.

Both tables are unlogged like the tables they speak of: a crash of the server empties all of them together, and the next
build is whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from psycopg import Connection, sql

from warehouse.model.parsed import hash_of, project_files
from warehouse.publish.catalogue import relations
from warehouse.publish.slots import physical_schema
from warehouse.settings import settings

# As many builds can be started from, and as many a slot may lie behind; the logs of what older ones touched are pruned.
BUILDS_KEPT = 40
LOGS = ("int_relinked_persons", "int_persons_touched")

TABLES = """
create unlogged table if not exists intermediate.model_build (
    version       bigint primary key,
    night         date not null,
    since_version bigint,
    captured_at   timestamptz not null default clock_timestamp(),
    inputs        text not null,
    project       text not null,
    is_finished   boolean not null default false
);
create unlogged table if not exists intermediate.model_slot (slot text primary key, version bigint not null);
create unlogged table if not exists intermediate.model_seeds (hash text not null)
"""

# What was known up to a night: the deliveries in use and the runs of linkage. A delivery that is admitted again, replaced or
# withdrawn changes it, also in the transaction that rewrites its rows; so does linking a night again.
INPUTS = """
select md5(concat_ws(
    ';',
    (select string_agg(concat(d.delivery_id, ' ', extract(epoch from d.finished_at)), ',' order by d.delivery_id)
     from ops.delivery as d where d.status = 'admitted' and d.night <= {night}),
    (select concat(count(*), ' ', max(r.stage_run_id))
     from ops.stage_run as r where r.stage like 'link%%' and r.ended_at is not null and r.night <= {night})
))
"""

# The night before all others first: of builds of one night the last finished one stands.
STARTING_POINTS = """
select b.version, b.inputs = ({inputs}) from intermediate.model_build as b
where b.is_finished and b.night < %(night)s and b.project = %(project)s
order by b.version desc
"""


@dataclass(frozen=True)
class Plan:
    """A build of the intermediate layer: its version, and that of the build it starts from, none when everyone is built."""

    version: int
    since: int | None

    @property
    def is_whole(self) -> bool:
        """Whether everyone is built."""
        return self.since is None


def plan(connection: Connection[Any], night: date) -> Plan:
    """Decide what a build of the intermediate layer starts from, and record that it has begun.

    A night before that of the standing tables is always built whole, and so is the first night again; any other night is
    built again from the night before it.

    Args:
        connection: as transformer; committed by the caller before dbt starts.
    """
    connection.execute(TABLES)
    connection.execute("lock table intermediate.model_build in share row exclusive mode")
    since, version = _starting_point(connection, night), _next_version(connection)
    if since is None:
        connection.execute("delete from intermediate.model_slot")
        connection.execute("delete from intermediate.model_build")
    connection.execute(
        sql.SQL("insert into intermediate.model_build (version, night, since_version, inputs, project) values (%s, {night}, %s, ({inputs}), %s)").format(
            night=sql.Literal(night), inputs=sql.SQL(INPUTS).format(night=sql.Literal(night))
        ),
        [version, since, project_hash()],
    )
    return Plan(version, since)


def finish(connection: Connection[Any], done: Plan) -> None:
    """Record that a build of the intermediate layer stands, its tests passed, and forget builds too old to start from."""
    connection.execute("update intermediate.model_build set is_finished = true where version = %s", [done.version])
    oldest = done.version - BUILDS_KEPT
    connection.execute("delete from intermediate.model_build where version <= %s", [oldest])
    for log in LOGS:
        connection.execute(sql.SQL("delete from {} where version <= %s").format(sql.Identifier("intermediate", log)), [oldest])


def slot_follows(connection: Connection[Any], slot: str, night: date) -> bool:
    """Whether the marts of a slot can follow the builds since the one they show; if not, they are to be built whole.

    The slot's state is forgotten in the second case, so that a build that does not finish leaves none.
    """
    connection.execute(TABLES)
    follows = connection.execute(
        """
        select count(*) = 1
        from intermediate.model_slot as slot
        inner join intermediate.model_build as shown on slot.version = shown.version and shown.is_finished
        inner join intermediate.model_build as latest on latest.version = (select max(version) from intermediate.model_build)
        where slot.slot = %s and latest.is_finished and latest.night = %s and latest.project = %s
        """,
        [slot, night, project_hash()],
    ).fetchone()
    if follows == (True,) and following_tables("marts") <= relations(connection, physical_schema("marts", slot)).keys():
        return True
    connection.execute("delete from intermediate.model_slot where slot = %s", [slot])
    return False


def finish_slot(connection: Connection[Any], slot: str, night: date) -> None:
    """Record that the marts of a slot show the latest build of the intermediate layer, where that is of the night."""
    connection.execute(
        """
        insert into intermediate.model_slot (slot, version)
        select %s, version from intermediate.model_build
        where version = (select max(version) from intermediate.model_build) and is_finished and night = %s
        on conflict (slot) do update set version = excluded.version
        """,
        [slot, night],
    )


def is_built_by_this_project(connection: Connection[Any]) -> bool:
    """Whether the latest finished build of the intermediate layer was made by the dbt project as it is now."""
    connection.execute(TABLES)
    latest = connection.execute("select project from intermediate.model_build where is_finished order by version desc limit 1").fetchone()
    return latest == (project_hash(),)


def seeds_stand(connection: Connection[Any]) -> bool:
    """Whether the reference tables hold the seeds as their files are now: dbt loads row by row, some 10 seconds of every night.

    If not, what they held is forgotten, so that loading that does not finish leaves no record.
    """
    connection.execute(TABLES)
    folder = settings().dbt_project_dir
    names = {path.stem for path in (folder / "seeds").rglob("*.csv")}
    loaded = connection.execute("select hash from intermediate.model_seeds").fetchall()
    if loaded == [(hash_of(folder, project_files(folder, "seeds")),)] and names <= relations(connection, "reference").keys():
        return True
    connection.execute("delete from intermediate.model_seeds")
    return False


def finish_seeds(connection: Connection[Any]) -> None:
    """Record which seeds the reference tables hold."""
    folder = settings().dbt_project_dir
    connection.execute("insert into intermediate.model_seeds (hash) values (%s)", [hash_of(folder, project_files(folder, "seeds"))])


def following_tables(layer: str) -> set[str]:
    """The tables of a layer that follow the night's change, by what their models say of themselves."""
    folder = settings().dbt_project_dir / "models" / layer
    return {path.stem for path in folder.rglob("*.sql") if "materialized='incremental'" in path.read_text(encoding="utf-8")}


@cache
def project_hash() -> str:
    """A hash of the dbt project and its seeds: what the tables were made by."""
    folder = settings().dbt_project_dir
    return hash_of(folder, [folder / "dbt_project.yml", *project_files(folder, "models", "macros", "seeds")])


def _starting_point(connection: Connection[Any], night: date) -> int | None:
    """The latest build that the night can be built from; none when everyone has to be built."""
    latest = connection.execute("select night, is_finished from intermediate.model_build order by version desc limit 1").fetchone()
    if latest is None or latest[0] > night or not following_tables("intermediate") <= relations(connection, "intermediate").keys():
        return None
    inputs = sql.SQL(INPUTS).format(night=sql.SQL("b.night"))
    rows = connection.execute(sql.SQL(STARTING_POINTS).format(inputs=inputs), {"night": night, "project": project_hash()}).fetchall()
    return next((version for version, is_unchanged in rows if is_unchanged), None)


def _next_version(connection: Connection[Any]) -> int:
    row = connection.execute("select coalesce(max(version), 0) + 1 from intermediate.model_build").fetchone()
    assert row is not None  # an aggregate always gives a row
    return int(row[0])
