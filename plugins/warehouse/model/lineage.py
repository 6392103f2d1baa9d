"""dbt's documentation of the project, with its lineage graph, as one file that loads nothing from anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

from warehouse.model import runner
from warehouse.model.errors import ModelBuildFailed
from warehouse.settings import settings

TARGET = "target_docs"


def write(out: Path | None = None) -> Path:
    """Write every source, seed, model, test and exposure with descriptions, columns, SQL and lineage.

    It is made of the project's files alone: no table is read, so it holds no row and no count.

    Args:
        out: the file to write; default `lineage.html` in the folder of the reports.

    Raises:
        ModelBuildFailed: dbt could not read the project.
        OSError: the file cannot be written.
    """
    folder = runner.work_dir() / TARGET
    folder.mkdir(parents=True, exist_ok=True)  # dbt makes it only when it compiles
    # Without compiling, which would ask the database, `docs generate` leaves the manifest to `parse`.
    for command in (("parse",), ("docs", "generate", "--static", "--empty-catalog", "--no-compile")):
        invocation = runner.invoke(command, {"slot": "blue", "as_at": "1900-01-01"}, target=TARGET, writes_json=True)
        if invocation.error:
            raise ModelBuildFailed("documentation", [invocation.error])
    written = out or settings().reports_dir / "lineage.html"
    written.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "static_index.html", written)
    return written
