"""How many records get another person from one night to the next: a sequence of synthetic nights through the real stages.

    PYTHONPATH=plugins python benchmarks/linkage/churn.py --people 20000 --nights 10

Each night's deliveries (changes, corrections, new people) are received, admitted and linked as in production, in an embedded
server of its own that is removed at the end. Told is, of the records that were linked before and still are, the share whose
person_id changed, at each certainty, beside the persons that merged or split: what somebody new or a corrected name brings to
light changes a person and is meant to.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

METRICS = """
select metric, value from ops.linkage_metric
where night = %s and metric in ('churn', 'churn_strict', 'churn_inclusive') and feed_a = '' and feed_b = ''
"""


def admit_night(inbox: Path, night: date) -> None:
    """Receive and admit what each agency has delivered for a night."""
    from warehouse.admit import stage as admission
    from warehouse.contracts.load import feeds
    from warehouse.receive.stage import receive

    for feed in feeds():
        delivery = receive(feed, inbox / night.isoformat(), night)
        if delivery is not None:
            admission.load(delivery)
            admission.check(delivery)
            admission.admit(delivery)


def churn_of(night: date) -> dict[str, float]:
    """The churn of a night by certainty."""
    from warehouse.database import connect

    with connect("engineer") as connection:
        found = dict(connection.execute(METRICS, [night]).fetchall())
    return {name: found.get(name, 0.0) for name in ("churn_strict", "churn", "churn_inclusive")}


def main() -> None:
    """Read the command line, link night after night, and print each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="people in the population (default %(default)s)")
    parser.add_argument("--density", type=float, default=1.0, help="times the people per day of birth are raised (default %(default)s)")
    parser.add_argument("--nights", type=int, default=10, help="nights in sequence (default %(default)s)")
    parser.add_argument("--seed", type=int, default=55, help="seed of the population (default %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"WAREHOUSE_HOME": home, "WAREHOUSE_URL": "", "WAREHOUSE_SETTLE_SECONDS": "0"}
        from warehouse.database import server
        from warehouse.database.setup import prepare
        from warehouse.link import stage
        from warehouse.synth.generate import FIRST_NIGHT, generate

        folder = Path(home) / "population"
        generate(folder, arguments.people, arguments.nights, arguments.seed, arguments.density)
        prepare()
        try:
            print(f"{'night':12} {'records':>9} {'changed':>8} {'merged':>7} {'split':>6} {'strict':>9} {'balanced':>9} {'inclusive':>9} {'seconds':>8}")
            means: list[float] = []
            for night in (FIRST_NIGHT + timedelta(days=number) for number in range(arguments.nights)):
                admit_night(folder / "inbox", night)
                started = time.perf_counter()
                counts = stage.link(night)
                churn = churn_of(night)
                told = " ".join(f"{share:9.4%}" for share in churn.values())
                print(
                    f"{night} {counts['records']:11,} {counts['changed_records']:8,} {counts['merged']:7,} {counts['split']:6,}"
                    f" {told} {time.perf_counter() - started:8.1f}",
                    flush=True,
                )
                means += [churn["churn"]] if night > FIRST_NIGHT else []
            if means:
                print(f"balanced, mean of {len(means)} nights after the first: {sum(means) / len(means):.4%}, worst {max(means):.4%}")
        finally:
            server.remove()


if __name__ == "__main__":
    main()
