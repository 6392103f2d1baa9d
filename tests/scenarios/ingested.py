"""What receive and admit leave behind, in a form that a disturbed warehouse and an undisturbed one must share.

Ids of deliveries count upwards and differ where one was tried more often, so everything is told by feed and night.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from warehouse.database import connect

State = dict[str, Any]
# What happened to each delivery and what is known of it, but for ids, times and how often it was tried.
REGISTRY = {
    "deliveries": """
        select feed, night, status, coverage_end, contract_hash, finished_at is not null, superseded_by is not null, count(*)
        from ops.delivery group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3
    """,
    "files": """
        select feed, night, status, table_name, file_name, bytes, sha256, rows_received, rows_admitted, rows_quarantined, rows_unchanged, rows_erased,
               rows_redacted, redacted_at is not null
        from ops.delivery_file join ops.delivery using (delivery_id) order by 1, 2, 3, 4, 5
    """,
    "checks": """
        select feed, night, status, table_name, rule, column_name, c.severity, checked_rows, failed_rows
        from ops.check_result as c join ops.delivery using (delivery_id) order by 1, 2, 3, 4, 5
    """,
    "profiles": """
        select feed, night, status, table_name, column_name, metric, item, value
        from ops.delivery_profile join ops.delivery using (delivery_id) order by 1, 2, 3, 4, 5, 6, 7
    """,
    "erasures": """
        select feed, key_name, record_key, reason, requested_on, finished_at is not null, lifted_at is not null, removed from ops.erasure order by 1, 2, 3, 4
    """,
    "quarantine": """
        select feed, night, table_name, row_number, rules, raw::text, record_key
        from quarantine.refused_row join ops.delivery using (delivery_id, feed) order by 1, 2, 3, 4
    """,
    "inbox": "select distinct feed, file_name, night, status from ops.inbox_file join ops.delivery using (delivery_id, feed) order by 1, 2, 3, 4",
    # Nothing of a delivery that has ended stays in the landing schema.
    "landing tables": "select tablename from pg_tables where schemaname = 'landing' order by 1",
}


def state(home: Path) -> State:
    """Everything that must be the same after receive and admit, however often they were interrupted.

    Rows of vault and source zone are told by count and hash, all else as it stands.
    """
    found: State = {}
    with connect("admin") as connection:
        for name, statement in REGISTRY.items():
            found[name] = connection.execute(statement).fetchall()
        tables = connection.execute("select schemaname, tablename from pg_tables where schemaname in ('vault', 'source') order by 1, 2").fetchall()
        for schema, table in tables:
            found[f"{schema}.{table}"] = connection.execute(
                f"select count(*), md5(string_agg(content, '' order by content)) from ("
                f" select md5(concat(to_jsonb(t) - '_delivery_id', night)) as content from {schema}.{table} as t"
                f" left join ops.delivery on delivery_id = _delivery_id) as rows"
            ).fetchone()
        known = connection.execute("select delivery_id, concat_ws(' ', feed, night, status) from ops.delivery").fetchall()
    found["landed"] = _landed(home, dict(known))
    found["work"] = leftovers(home)
    found["answers"] = _answers(home, dict(known))
    return found


def visible(found: State) -> State:
    """What others see of a feed: vault, source zone and quarantine."""
    return {name: content for name, content in found.items() if name.startswith(("vault.", "source.")) or name == "quarantine"}


def difference(one: State, other: State) -> dict[str, tuple[Any, Any]]:
    """The parts in which two states differ; of lists only what the other has not."""
    found = {}
    for name in sorted(one.keys() | other.keys()):
        left, right = one.get(name), other.get(name)
        if left != right:
            if isinstance(left, list) and isinstance(right, list):
                left, right = [row for row in left if row not in right], [row for row in right if row not in left]
            found[name] = (left, right)
    return found


def must_be_same(found: State, expected: State, when: str = "") -> None:
    """Raise an assertion that shows the parts in which two states differ."""
    differing = difference(found, expected)
    told = "\n".join(f"{name}: found {mine}, instead of {theirs}" for name, (mine, theirs) in differing.items())
    assert not differing, f"{when}\n{told}"


def leftovers(home: Path) -> list[str]:
    """Work files of deliveries; the locks of feeds, which are empty, are none."""
    area = home / "work" / "admit"
    return sorted(path.name for path in area.glob("*") if not path.name.startswith(".building-")) if area.is_dir() else []


def _answers(home: Path, known: dict[int, str]) -> list[tuple[str, str]]:
    """The list of every answer by its delivery, as a hash, and whatever else lies among the answers."""
    found = []
    for folder in (home / "answers").glob("*/*"):
        if folder.name.isdecimal():
            found.append((known.get(int(folder.name), folder.name), hashlib.sha256((folder / "answer.csv").read_bytes()).hexdigest()))
        else:
            found.append((folder.parent.name, folder.name))
    return sorted(found)


def _landed(home: Path, known: dict[int, str]) -> list[tuple[str, str, str]]:
    """Every file of the landing area with the delivery it belongs to, and its hash; a folder of no delivery goes by its name."""
    found = []
    for path in (home / "landing").glob("*/*/*"):
        place = path.parent.name
        delivery = known.get(int(place), place) if place.isdecimal() else place
        found.append((delivery, path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
    return sorted(found)
