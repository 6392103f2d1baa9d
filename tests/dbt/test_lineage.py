"""The documentation of the lineage: one file with everything in it, from the sources to those who read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warehouse.model import lineage

pytestmark = pytest.mark.integration


def test_the_lineage_is_one_file_that_loads_nothing(warehouse_db: Path, tmp_path: Path) -> None:
    text = lineage.write(tmp_path / "lineage.html").read_text(encoding="utf-8")
    for node in ("source.warehouse.treatment.treatment__ndtms", "model.warehouse.rpt_indicators", "exposure.warehouse.nightly_report"):
        assert node in text
    assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?:', text) == []
