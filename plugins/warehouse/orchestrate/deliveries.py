"""Deliveries as `warehouse deliveries` and `warehouse delivery` tell of them: what came, what became of it, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from warehouse.database import clean_errors, connect
from warehouse.settings import settings

STATUSES = ("received", "loaded", "checked", "admitted", "duplicate", "refused", "superseded", "rejected")
COUNTS = """
sum(f.rows_received)::bigint as rows_received, sum(f.rows_admitted)::bigint as rows_admitted, sum(f.rows_unchanged)::bigint as rows_unchanged,
sum(f.rows_quarantined)::bigint as rows_quarantined, sum(f.rows_erased)::bigint as rows_erased
"""
DELIVERY = """
select d.delivery_id, d.feed, d.night, d.status, d.message, d.received_at, d.finished_at, d.coverage_end, d.superseded_by, d.contract_hash
from ops.delivery d
"""
LISTED = f"""
select d.delivery_id, d.feed, d.night, d.status, {COUNTS}, d.received_at, d.message
from ops.delivery d left join ops.delivery_file f using (delivery_id)
where (%(feed)s::text is null or d.feed = %(feed)s) and (%(status)s::text is null or d.status = %(status)s)
group by d.delivery_id
order by d.delivery_id desc
limit %(limit)s
"""
FILES = """
select table_name, file_name, bytes, rows_received, rows_admitted, rows_unchanged, rows_quarantined, rows_erased, redacted_at
from ops.delivery_file where delivery_id = %s order by table_name, file_name
"""
FAILED_CHECKS = """
select table_name, rule, column_name, severity, failed_rows, checked_rows, message
from ops.check_result where delivery_id = %s and failed_rows > 0
order by array_position(array['refuse', 'quarantine', 'warn'], severity), failed_rows desc, table_name, rule
"""


@dataclass(frozen=True)
class Whole:
    """One delivery with all that is known of it; rows as `ops` holds them."""

    delivery: dict[str, Any]
    files: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    landed: Path | None
    answer: Path | None

    @property
    def next_steps(self) -> list[str]:
        return next_steps(self.delivery, quarantined=sum(file["rows_quarantined"] or 0 for file in self.files), is_landed=self.landed is not None)


def listed(feed: str | None, status: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest deliveries, newest first, with what became of their rows.

    Args:
        feed: of this feed alone.
        status: with this status alone.

    Raises:
        ValueError: there is no such status.
        DatabaseFault: the database could not be asked.
    """
    if status is not None and status not in STATUSES:
        raise ValueError(f"There is no status '{status}'. Statuses: {', '.join(STATUSES)}")
    with clean_errors("list the deliveries"), connect("engineer") as connection:
        return connection.cursor(row_factory=dict_row).execute(LISTED, {"feed": feed, "status": status, "limit": limit}).fetchall()


def whole(delivery_id: int) -> Whole:
    """One delivery: its files, the checks that failed, where its landed copy and its answer lie.

    Raises:
        ValueError: there is no such delivery.
        DatabaseFault: the database could not be asked.
    """
    with clean_errors(f"read delivery {delivery_id}"), connect("engineer") as connection:
        cursor = connection.cursor(row_factory=dict_row)
        delivery = cursor.execute(f"{DELIVERY} where d.delivery_id = %s", [delivery_id]).fetchone()
        if delivery is None:
            raise ValueError(f"There is no delivery {delivery_id}. `warehouse deliveries` lists them")
        files = cursor.execute(FILES, [delivery_id]).fetchall()
        checks = cursor.execute(FAILED_CHECKS, [delivery_id]).fetchall()
    landed = settings().landing_dir / delivery["feed"] / str(delivery_id)
    answer = settings().home / "answers" / delivery["feed"] / str(delivery_id)
    return Whole(delivery, files, checks, landed if landed.is_dir() else None, answer if answer.is_dir() else None)


def next_steps(delivery: dict[str, Any], *, quarantined: int, is_landed: bool) -> list[str]:
    """What an engineer can do with a delivery, by its status; the first line is what is usually right."""
    number = delivery["delivery_id"]
    answer = f"`warehouse answer {number}` writes the agency's answer and prints where it lies"
    from_copy: list[str] = []
    match delivery["status"]:
        case "refused":
            steps = ["Ask the agency for the delivery again; when it is there, the next night takes it"]
            from_copy = [f"{answer}: send it", f"If the contract or a threshold was at fault: mend it by a commit, then `warehouse redo {number}`"]
        case "received" | "loaded" | "checked":
            steps = [f"It is at work, or was killed: if no task of ingest_{delivery['feed']} runs, clear the failed one, or `warehouse redo {number}`"]
        case "admitted":
            steps = [f"{quarantined:,} rows are in quarantine" if quarantined else "Nothing: every row was admitted, erased or known"]
            steps.append(f"If it should never have come: `warehouse reject {number} --reason ...` withdraws it")
            if quarantined:
                from_copy = [f"{answer}: send it", f"If the contract was at fault: mend it by a commit, then `warehouse release {number}`"]
        case "duplicate":
            return ["Nothing: it changed nothing. If a new delivery was due, tell the agency that it sent an old one again"]
        case "superseded":
            steps = [f"Nothing: delivery {delivery['superseded_by']} of the same night took its place"]
            from_copy = [f"To go back to it: `warehouse redo {number}`, which takes the place of the other"]
        case _:
            steps = ["Nothing: it was withdrawn"]
            from_copy = [f"If that was a mistake: `warehouse redo {number}`"]
    if is_landed:
        return [steps[0], *from_copy, *steps[1:]]
    return [*steps, "No landed copy of it is kept, so that it cannot be taken in, released or answered again"]
