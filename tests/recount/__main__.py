"""Recount the outcomes of a synthetic population and report what linkage changes: `PYTHONPATH=plugins python -m tests.recount --people 50000`.

The night is linked twice, by the truth and as nights are, each time modelled whole, in a warehouse of its own that is removed at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

NIGHT = date(2026, 11, 1)


def main() -> int:
    """Run the recount; 1 when the marts differ from it although linkage made no mistake."""
    parser = argparse.ArgumentParser(prog="python -m tests.recount", description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=29)
    parser.add_argument("--density", type=float, help="How many times the people per day of birth are raised; default: ten million adults' density")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recount-") as home:
        os.environ.update({"WAREHOUSE_HOME": home, "WAREHOUSE_URL": "", "WAREHOUSE_SETTLE_SECONDS": "0"})
        return _recount(Path(home), wanted.people, wanted.seed, wanted.density or 10e6 / wanted.people)


def _recount(home: Path, people: int, seed: int, density: float) -> int:
    """In a warehouse under `home`; the settings are read from the environment, so nothing of ours is imported before it is set."""
    from tests.recount.compare import RECOUNTED, coverage, differences, read_mart, recount
    from tests.recount.held import read
    from tests.recount.night import admit, model
    from tests.recount.reports import REPORTS, read_report, recount_report
    from tests.recount.table import beside, cells_beside

    from warehouse.database import server
    from warehouse.database.setup import prepare
    from warehouse.link import guards, stage
    from warehouse.synth.generate import generate

    folder = home / "population"
    truth = folder / "truth" / "records.csv"
    prepare()
    try:
        generate(folder, people, 1, seed, density=density, first_night=NIGHT)
        admit(folder / "inbox" / NIGHT.isoformat(), NIGHT)
        held = read(folder, NIGHT)
        covered = coverage(held)
        stage.link(NIGHT, truth)
        model(NIGHT)
        counted = {topic: recount(topic, held, covered) for topic in RECOUNTED}
        wrong = {topic: differences(rows, read_mart(topic, "marts_blue", list(rows.columns), truth)) for topic, rows in counted.items()}
        reports = {topic: recount_report(topic, held, covered) for topic in REPORTS}
        wrong |= {topic: differences(cells, read_report(topic, "marts_blue", list(cells.columns))) for topic, cells in reports.items()}
        for topic, rows in (counted | reports).items():
            print(f"{topic}: {len(rows):,} rows recounted; {'; '.join(wrong[topic]) or 'the mart agrees to the row'}")
        guards.accept(NIGHT, "churn", "The same night is linked by the truth and then as nights are", "recount")
        stage.link(NIGHT)
        model(NIGHT)
        print()
        print(beside({topic: (rows, read_mart(topic, "marts_blue", list(rows.columns), truth)) for topic, rows in counted.items()}))
        print()
        print(cells_beside(reports["death rates"], read_report("death rates", "marts_blue", list(reports["death rates"].columns))))
        return int(any(wrong.values()))
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
