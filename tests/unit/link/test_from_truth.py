"""Links by the truth are made only where somebody asked for them, and never on a server that somebody named."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.link import from_truth
from warehouse.link.errors import LinkageFault
from warehouse.settings import Settings


def set_to(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    monkeypatch.setattr(from_truth, "settings", lambda: Settings.model_construct(**({"url": None, "linkage_truth": None} | values)))


def test_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch)
    assert from_truth.asked_for(None) is None


def test_the_argument_stands_before_the_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given, configured = tmp_path / "given.csv", tmp_path / "configured.csv"
    given.touch()
    configured.touch()
    set_to(monkeypatch, linkage_truth=configured)
    assert from_truth.asked_for(None) == configured
    assert from_truth.asked_for(given) == given


def test_a_named_server_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "records.csv").touch()
    set_to(monkeypatch, url="postgresql://somewhere/warehouse")
    with pytest.raises(LinkageFault, match="on the embedded server"):
        from_truth.asked_for(tmp_path / "records.csv")


def test_a_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_to(monkeypatch)
    with pytest.raises(LinkageFault, match="no file of the truth"):
        from_truth.asked_for(tmp_path / "records.csv")
