"""Write the nightly report: one HTML file that can be mailed, printed and read without a network."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

from warehouse.database import clean_errors, connect, ops
from warehouse.publish.report.history import history
from warehouse.publish.report.page import page
from warehouse.publish.report.products.registry import product_sections
from warehouse.publish.summary import night_summary
from warehouse.settings import settings

LATEST = "latest.html"


def write(night: date) -> Path:
    """Write the report of a night, and as `latest.html` when no later night has one.

    A reader sees the old file or the new one, never half of either. Writing again replaces the report.

    Returns:
        The file `<reports_dir>/<night>.html`.

    Raises:
        DatabaseFault: the database could not be read.
        OSError: the folder of the reports cannot be written.
    """
    with ops.stage_run(night, "publish.report"):
        summary = night_summary(night)
        with clean_errors("read the last nights"), connect("analyst") as connection:
            past = history(connection, night)
            products = product_sections(connection)
        text = page(summary, past, products)
        folder = settings().reports_dir
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / f"{night.isoformat()}.html"
        _replace(report, text)
        if report.name == max(path.name for path in folder.glob("????-??-??.html")):
            _replace(folder / LATEST, text)
        return report


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".part")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.chmod(0o644)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
