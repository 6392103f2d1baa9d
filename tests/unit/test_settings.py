"""Secrets: supplied ones win, missing ones are made once and kept where only their owner can read."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from warehouse.settings import Settings


def test_a_missing_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = Settings(home=tmp_path).secret("password_analyst")
    assert len(first) == 64
    assert Settings(home=tmp_path).secret("password_analyst") == first
    assert Settings(home=tmp_path).secret("password_bi") != first


def test_those_who_make_secrets_at_once_lose_none(tmp_path: Path) -> None:
    names = [f"feed_key_{number % 8}" for number in range(64)]
    with ThreadPoolExecutor(16) as at_once:
        made = list(at_once.map(lambda name: Settings(home=tmp_path).secret(name), names))
    kept = Settings(home=tmp_path)
    assert [kept.secret(name) for name in names] == made


def test_the_secrets_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    made = Settings(home=tmp_path)
    made.secret("password_analyst")
    assert stat.S_IMODE(made.secrets_file.stat().st_mode) == 0o600


def test_a_supplied_secret_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_PASSWORD_ANALYST", "supplied")
    assert Settings(home=tmp_path).secret("password_analyst") == "supplied"


def test_a_feed_key_is_32_bytes_and_differs_by_feed(tmp_path: Path) -> None:
    made = Settings(home=tmp_path)
    assert len(made.feed_key("police")) == 32
    assert made.feed_key("police") != made.feed_key("treatment")


@pytest.mark.parametrize("supplied", ["too short", "ab" * 31, "zz" * 32])
def test_a_wrong_feed_key_is_refused_without_being_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, supplied: str) -> None:
    monkeypatch.setenv("WAREHOUSE_FEED_KEY_POLICE", supplied)
    with pytest.raises(ValueError, match="WAREHOUSE_FEED_KEY_POLICE") as refusal:
        Settings(home=tmp_path).feed_key("police")
    assert supplied not in str(refusal.value)
