"""Run the retention: remove from every zone what is past keeping, and record that it was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from warehouse.database import DatabaseFault, clean_errors, connect, ops
from warehouse.retention.policy import Policy, RetentionFault, load
from warehouse.retention.zones import ZONES, Task


@dataclass(frozen=True)
class Removal:
    """What became of one zone: `older` is the first date that is kept, `removed` the rows, files or folders that went."""

    zone: str
    days: int
    older: date
    removed: int
    reason: str


def run(night: date, *, dry_run: bool = False, policy: Policy | None = None) -> list[Removal]:
    """Remove what is past keeping as at a night; running it again removes nothing more.

    A zone that fails does not keep the others from being cleared.

    Args:
        dry_run: count what would go, and neither remove nor record anything.
        policy: instead of the one in `expectations/retention.yaml`.

    Returns:
        One entry per zone, in the order of the policy.

    Raises:
        RetentionFault: the policy is not valid, or zones failed; the message names them.
        DatabaseFault: the run could not be recorded.
    """
    policy = policy or load()
    if dry_run:
        return [Removal(zone, keep.days, keep.older(night), ZONES[zone](Task(night, policy, dry_run=True)), keep.reason) for zone, keep in policy.zones()]
    done, failed = [], []
    with ops.stage_run(night, "retention") as record:
        for zone, keep in policy.zones():
            try:
                removal = Removal(zone, keep.days, keep.older(night), ZONES[zone](Task(night, policy, dry_run=False)), keep.reason)
            except (DatabaseFault, OSError) as error:
                # An OSError names a path of ours; of its text the kind is enough.
                failed.append(f"{zone} ({error if isinstance(error, DatabaseFault) else type(error).__name__})")
                continue
            _record(night, removal)
            record.count(zone, removal.removed)
            done.append(removal)
        if failed:
            raise RetentionFault(f"The retention of {night} did not finish: {'; '.join(failed)}. Mend the cause and run it again")
    return done


def _record(night: date, removal: Removal) -> None:
    with clean_errors(f"record the retention of {removal.zone}"), connect("loader") as connection:
        connection.execute(
            "insert into ops.retention_run (night, zone, older, removed) values (%s, %s, %s, %s)", [night, removal.zone, removal.older, removal.removed]
        )
