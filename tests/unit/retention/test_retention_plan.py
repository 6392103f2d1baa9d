"""What is past keeping: by age, never what a delivery under way or a replay still needs; and a policy that says so."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse.retention.plan import Delivered, copies_past_keeping, history_older
from warehouse.retention.policy import FILE, RetentionFault, load
from warehouse.settings import settings

FIRST = date(2026, 1, 1)
KEEP_NIGHTS = 3


def nights(count: int, feed: str = "police", step: int = 1) -> list[Delivered]:
    """That many admitted deliveries, `step` days apart; ids count from 1."""
    return [Delivered(number + 1, feed, FIRST + timedelta(days=number * step), "admitted") for number in range(count)]


def ids(deliveries: list[Delivered]) -> list[int]:
    return [delivery.delivery_id for delivery in deliveries]


def test_old_copies_go_and_the_last_nights_stay() -> None:
    assert ids(copies_past_keeping(nights(10), FIRST + timedelta(days=5), KEEP_NIGHTS)) == [1, 2, 3, 4, 5]
    assert ids(copies_past_keeping(nights(10), FIRST + timedelta(days=400), KEEP_NIGHTS)) == [1, 2, 3, 4, 5, 6, 7]
    assert copies_past_keeping(nights(3), FIRST + timedelta(days=400), KEEP_NIGHTS) == []


def test_each_feed_keeps_nights_of_its_own() -> None:
    slow = [Delivered(100 + d.delivery_id, "deaths", d.night, d.status) for d in nights(4, step=7)]
    past = copies_past_keeping(nights(10) + slow, FIRST + timedelta(days=400), KEEP_NIGHTS)
    assert [d.delivery_id for d in past if d.feed == "deaths"] == [101]


@pytest.mark.parametrize("status", ["received", "loaded", "checked"])
def test_a_delivery_under_way_keeps_its_files_however_old_it_is(status: str) -> None:
    assert copies_past_keeping([Delivered(1, "police", FIRST, status)], FIRST + timedelta(days=9999), KEEP_NIGHTS) == []


@pytest.mark.parametrize("status", ["refused", "duplicate", "superseded", "rejected"])
def test_what_never_went_in_goes_by_age_alone(status: str) -> None:
    """Beside an admitted delivery of the same night too: a replay needs that one."""
    old = Delivered(9, "police", FIRST, status)
    assert copies_past_keeping([*nights(1), old], FIRST + timedelta(days=1), KEEP_NIGHTS) == [old]
    assert copies_past_keeping([*nights(1), old], FIRST, KEEP_NIGHTS) == []


def test_versions_that_a_replay_takes_up_again_stay() -> None:
    """A monthly feed's last nights reach further back than the days; so does the history that replaying them needs."""
    monthly, now = nights(6, step=30), FIRST + timedelta(days=160)
    history = history_older(monthly, "police", now - timedelta(days=40), now - timedelta(days=30), KEEP_NIGHTS)
    assert history == monthly[3].night == now - timedelta(days=70)
    long = history_older(monthly, "police", FIRST - timedelta(days=1000), now - timedelta(days=30), KEEP_NIGHTS)
    assert long == FIRST - timedelta(days=1000)
    assert history_older([], "police", now, now, KEEP_NIGHTS) == now


def policy(tmp_path: Path, **changes: Any) -> Path:
    values = yaml.safe_load((settings().expectations_dir / FILE).read_text(encoding="utf-8"))
    for place, value in changes.items():
        zone, _, key = place.partition("__")
        if key:
            values[zone][key] = value
        else:
            values.pop(zone) if value is None else values.update({zone: value})
    (tmp_path / FILE).write_text(yaml.safe_dump(values), encoding="utf-8")
    return tmp_path


def test_the_policy_in_force_is_valid_and_names_every_zone() -> None:
    zones = dict(load().zones())
    assert set(zones) == {"landing", "quarantine", "answers", "vault", "source", "work", "ops", "reports", "logs"}
    assert zones["landing"].older(date(2026, 3, 2)) == date(2026, 3, 2) - timedelta(days=zones["landing"].days)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"landing__keep_nights": 1}, "landing.keep_nights: "),
        ({"quarantine__days": 0}, "quarantine.days: "),
        ({"quarantine__dys": 3}, "quarantine.dys: Extra inputs are not permitted"),
        ({"logs": None}, "logs: Field required"),
        ({"attic": {"days": 1, "reason": "nobody knows why"}}, "attic: Extra inputs are not permitted"),
        ({"work__reason": ""}, "work.reason: "),
        ({"vault__days": 30}, "vault must be kept at least as long as landing"),
        ({"answers__days": 365}, "answers may not be kept longer than quarantine"),
    ],
)
def test_a_policy_with_a_fault_says_where(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RetentionFault, match=r"^retention.yaml is not valid:") as fault:
        load(policy(tmp_path, **changes))
    assert words in str(fault.value)


def test_a_missing_or_unreadable_policy_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RetentionFault, match="missing"):
        load(tmp_path)
    (tmp_path / FILE).write_text("landing: [", encoding="utf-8")
    with pytest.raises(RetentionFault, match="not readable YAML"):
        load(tmp_path)
