"""The zones: for each, what of it is past keeping, counted for a dry run or removed by the role that owns it.

Removals can be killed at any moment and run again: rows go in one transaction, folders are renamed out of sight before
they are emptied, and what an earlier run left under such a name goes first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from warehouse.admit.deliveries import lock_feed
from warehouse.contracts.load import all_contracts
from warehouse.contracts.zones import vault_grain
from warehouse.database import clean_errors, connect
from warehouse.receive.sftp import COLLECTED
from warehouse.retention.plan import ENDED, Delivered, copies_past_keeping, history_older, replayable_nights
from warehouse.retention.policy import Keep, Policy
from warehouse.settings import settings

REMOVING = ".removing-"
# Operational rows by the date that ages them. Deliveries, files, erasures and publications are the register, and stay.
OPS_TABLES = {
    "stage_run": "night < %(older)s",
    "linkage_metric": "night < %(older)s",
    "night_feed": "night < %(older)s",
    "retention_run": "night < %(older)s",
    "alert": "sent and at < %(older)s",
    "check_result": "delivery_id in (select delivery_id from ops.delivery where night < %(older)s)",
    "delivery_profile": "delivery_id = any(%(forgotten)s)",
}


@dataclass(frozen=True)
class Task:
    """A run over one zone: as at which night, with which policy, and whether only to count."""

    night: date
    policy: Policy
    dry_run: bool


def landing(task: Task) -> int:
    """Landed copies of deliveries, and files collected by SFTP that never landed; gives the number of deliveries and files."""
    keep = task.policy.landing
    never_landed = [path for area in _entries(settings().spool_dir) for path in _entries(area) if path.name != COLLECTED]
    removed = _remove((path for path in never_landed if _changed_before(path, keep.older(task.night))), task.dry_run)
    for area in _entries(settings().landing_dir):
        feed = area.name
        with clean_errors(f"remove landed copies of {feed}"), connect("loader") as connection:
            # While the feed is locked no stage reads its copies.
            lock_feed(feed, connection)
            past = copies_past_keeping(deliveries(connection, feed), keep.older(task.night), keep.keep_nights)
            removed += _remove(_folders(area, past), task.dry_run)
    return removed


def quarantine(task: Task) -> int:
    """Refused rows of deliveries."""
    where = sql.SQL("delivery_id in (select delivery_id from ops.delivery where night < %(older)s)")
    with clean_errors("remove quarantined rows"), connect("loader") as connection:
        return _delete(connection, sql.Identifier("quarantine", "refused_row"), where, {"older": task.policy.quarantine.older(task.night)}, task.dry_run)


def answers(task: Task) -> int:
    """Answers to the agencies; gives the number of deliveries."""
    older, folder = task.policy.answers.older(task.night), settings().home / "answers"
    with clean_errors("find old answers"), connect("loader") as connection:
        past = [delivery for delivery in deliveries(connection) if delivery.night < older and delivery.status in ENDED]
    removed = 0
    for area in _entries(folder):
        # Answers that were never finished are work files, and go as soon as those.
        unfinished = [path for path in area.glob(".unfinished-*") if _changed_before(path, task.policy.work.older(task.night))]
        removed += _remove(_folders(area, [delivery for delivery in past if delivery.feed == area.name]) + unfinished, task.dry_run)
    return removed


def vault(task: Task) -> int:
    """Closed versions of identifiers."""
    return _history("vault", task.policy.vault, task)


def source(task: Task) -> int:
    """Closed versions of attributes."""
    return _history("source", task.policy.source, task)


def _history(zone: str, keep: Keep, task: Task) -> int:
    landed, removed = task.policy.landing, 0
    for contract in all_contracts():
        with clean_errors(f"remove closed versions of {contract.feed} from {zone}"), connect("loader") as connection:
            lock_feed(contract.feed, connection)
            known = deliveries(connection, contract.feed)
            older = history_older(known, contract.feed, keep.older(task.night), landed.older(task.night), landed.keep_nights)
            for table in contract.tables.values():
                if zone == "source" or vault_grain(contract, table):
                    removed += _delete(connection, sql.Identifier(zone, table.relation), sql.SQL("_valid_to < %(older)s"), {"older": older}, task.dry_run)
    return removed


def work(task: Task) -> int:
    """Work files that killed tasks left behind; gives the number of folders."""
    older = task.policy.work.older(task.night)
    with clean_errors("find deliveries under way"), connect("loader") as connection:
        under_way = {str(delivery.delivery_id) for delivery in deliveries(connection) if delivery.status not in ENDED}
    # dbt's cache and logs hold no person's value; the logs age with the other logs.
    areas = [area for area in _entries(settings().work_dir) if area.name != "dbt"]
    left = [path for area in areas for path in _entries(area) if path.name not in under_way and _changed_before(path, older)]
    return _remove(left, task.dry_run)


def ops(task: Task) -> int:
    """Operational rows, except those of the night that is live."""
    with clean_errors("remove operational rows"), connect("admin") as connection:
        live = connection.execute("select min(night) from ops.publication where is_live").fetchone()
        older = min(filter(None, [task.policy.ops.older(task.night), live[0] if live else None]))
        known = deliveries(connection)
        compared = replayable_nights(known, task.policy.landing.keep_nights)
        forgotten = [d.delivery_id for d in known if d.night < older and d.night not in compared.get(d.feed, set())]
        asked = {"older": older, "forgotten": forgotten}
        return sum(_delete(connection, sql.Identifier("ops", name), sql.SQL(where), asked, task.dry_run) for name, where in OPS_TABLES.items())


def reports(task: Task) -> int:
    """Nightly reports; the newest stays however old it is."""
    older = task.policy.reports.older(task.night).isoformat()
    found = sorted(settings().reports_dir.glob("????-??-??.html"))
    return _remove((path for path in found[:-1] if path.stem < older), task.dry_run)


def logs(task: Task) -> int:
    """Airflow's logs and our logs of dbt; gives the number of files."""
    older, removed = task.policy.logs.older(task.night), 0
    for folder in (_airflow_logs(), settings().work_dir / "dbt" / "logs"):
        files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        removed += _remove((path for path in files if _changed_before(path, older)), task.dry_run)
        if not task.dry_run:
            _remove_empty(folder)
    return removed


def _airflow_logs() -> Path:
    """Where our Airflow logs: as its environment says where this process runs in it, else in the warehouse's home. Another
    Airflow that the caller may also have is not ours to clean."""
    is_ours = os.environ.get("AIRFLOW__CORE__DAGS_FOLDER") == str(settings().project_root / "dags")
    airflow = Path(os.environ["AIRFLOW_HOME"]) if is_ours and "AIRFLOW_HOME" in os.environ else settings().home / "airflow"
    configured = os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER") if is_ours else None
    return Path(configured) if configured else airflow / "logs"


ZONES = {
    "landing": landing, "quarantine": quarantine, "answers": answers, "vault": vault, "source": source, "work": work, "ops": ops,
    "reports": reports, "logs": logs,
}  # fmt: skip


def deliveries(connection: Connection[Any], feed: str | None = None) -> list[Delivered]:
    """All deliveries, or those of one feed, in the order they came."""
    rows = connection.execute(
        "select delivery_id, feed, night, status from ops.delivery where %(feed)s::text is null or feed = %(feed)s order by delivery_id", {"feed": feed}
    )
    return [Delivered(*row) for row in rows.fetchall()]


def _folders(area: Path, past: list[Delivered]) -> list[Path]:
    """The folders of deliveries in an area, and what a killed run left half removed there."""
    return [area / str(delivery.delivery_id) for delivery in past] + list(area.glob(f"{REMOVING}*"))


def _delete(connection: Connection[Any], table: sql.Identifier, where: sql.Composable, asked: dict[str, Any], dry_run: bool) -> int:
    """Delete rows, or count those that would go; gives their number."""
    if dry_run:
        row = connection.execute(sql.SQL("select count(*) from {} where {}").format(table, where), asked).fetchone()
        return int(row[0]) if row else 0
    return connection.execute(sql.SQL("delete from {} where {}").format(table, where), asked).rowcount


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _changed_before(path: Path, older: date) -> bool:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC).date() < older


def _remove(paths: Iterable[Path], dry_run: bool) -> int:
    """Remove those of the files and folders that are there, or count them; gives their number."""
    there = [path for path in paths if path.exists()]
    if not dry_run:
        for path in there:
            if path.is_dir():
                _remove_folder(path)
            else:
                path.unlink()
    return len(there)


def _remove_folder(path: Path) -> None:
    """Remove a folder so that nobody ever sees half of it."""
    gone = path.with_name(f"{REMOVING}{path.name.removeprefix(REMOVING)}")
    if gone != path:
        shutil.rmtree(gone, ignore_errors=True)
        path.rename(gone)
    shutil.rmtree(gone)


def _remove_empty(folder: Path) -> None:
    """Remove the folders in it that hold nothing any more, the innermost first."""
    for path in sorted((path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
