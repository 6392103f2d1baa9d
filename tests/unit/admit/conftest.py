"""Fixtures of the admit stage's unit tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.admit.drifting import own_thresholds_text

from warehouse.contracts import thresholds


@pytest.fixture
def own_thresholds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thresholds of the drift tests in place of the project's."""
    (tmp_path / thresholds.FILE).write_text(own_thresholds_text(), encoding="utf-8")
    whole = thresholds.load(tmp_path)
    monkeypatch.setattr(thresholds, "load", lambda: whole)
