"""What `warehouse delivery` offers to do, by status: only what is possible."""

from __future__ import annotations

import pytest

from warehouse.orchestrate.deliveries import STATUSES, next_steps


def steps(status: str, *, quarantined: int = 0, is_landed: bool = True) -> list[str]:
    return next_steps({"delivery_id": 9, "feed": "police", "status": status, "superseded_by": 12}, quarantined=quarantined, is_landed=is_landed)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_next_step(status: str) -> None:
    assert steps(status)


@pytest.mark.parametrize(
    ("status", "commands"),
    [
        ("refused", ["warehouse answer 9", "warehouse redo 9"]),
        ("checked", ["warehouse redo 9"]),
        ("superseded", ["delivery 12", "warehouse redo 9"]),
        ("rejected", ["warehouse redo 9"]),
    ],
)
def test_commands_carry_the_number(status: str, commands: list[str]) -> None:
    said = " ".join(steps(status))
    assert all(command in said for command in commands)


def test_rows_in_quarantine_can_be_answered_and_released() -> None:
    assert "1,234 rows are in quarantine" in steps("admitted", quarantined=1234)[0]
    assert "`warehouse release 9`" in " ".join(steps("admitted", quarantined=1))
    assert "release" not in " ".join(steps("admitted"))


@pytest.mark.parametrize("status", ["admitted", "refused", "superseded", "rejected"])
def test_what_needs_the_landed_copy_is_not_offered_without_it(status: str) -> None:
    said = " ".join(steps(status, quarantined=5, is_landed=False))
    assert not any(f"warehouse {command}" in said for command in ("redo", "release", "answer"))
    assert "No landed copy of it is kept" in said
