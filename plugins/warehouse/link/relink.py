"""Link a night wholly anew: every record scored by the models and the policy in force, nothing taken over from the nights before.

New clusters are given the old ids by largest overlap, as on every night, and the churn guard stops a relink that would change
too many. `policy.yaml` has a night do this by itself every so many nights; a change of model or policy does it at once.
"""

from __future__ import annotations

from datetime import date

from warehouse.link import stage
from warehouse.link.forget import forget_files


def relink(night: date) -> dict[str, int]:
    """Link everything the vault holds on a night without what earlier nights kept. Idempotent.

    Args:
        night: the latest night that was linked, or one after it.

    Returns:
        The counts of both steps (see `stage`).

    Raises:
        LinkageFault: a later night has been linked, or linkage cannot be done.
        NightRefused: a guard stops it; the links stand as they did.
        DatabaseFault: the warehouse could not be read or written.
    """
    forget_files()
    return stage.link(night)
