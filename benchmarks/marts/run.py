"""Measure how long the marts of a large population take: built whole, built after a night with 1 % change, and against the same SQL
without dbt and on another engine.

    WAREHOUSE_HOME=/a/roomy/folder PYTHONPATH=plugins:. python -m benchmarks.marts.run --persons 1000000 --peers

Makes a warehouse of its own in WAREHOUSE_HOME. Whole and nightly builds are the stage's own, with their tests, on as many threads as
the settings say. The nightly one is of the third night: its slot of the marts lies two builds behind, as it does every
night. The peers build the same models: dbt on one thread without tests, its compiled SQL as one script by psql, and the same SQL on DuckDB.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from datetime import date, timedelta

from benchmarks.marts import peers, population

from warehouse.model import runner
from warehouse.model.stage import LAYERS, build
from warehouse.settings import settings
from warehouse.synth.generate import FIRST_NIGHT

NODE = re.compile(r"^(?P<status>\w+) +(?P<seconds>[\d.]+) s .* wrong  (?P<kind>\w+) (?P<name>\w+)")
SLOWEST = 12


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def nodes(night: date, layer: str) -> list[tuple[str, str, float]]:
    """Kind, name and seconds of everything that the last build of a layer ran; nothing where there was nothing to do."""
    log = runner.work_dir() / "logs" / f"{night}.{layer}.log"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    found = [NODE.match(line) for line in lines]
    return [(match["kind"], match["name"], float(match["seconds"])) for match in found if match]


def measure_build(night: date, layers: tuple[str, ...]) -> dict[str, object]:
    """Build layers; seconds by layer, what was built whole, and the slowest nodes."""
    seconds, ran, whole = {}, [], {}
    for layer in layers:
        counts: dict[str, int] = {}
        seconds[layer] = round(timed(lambda layer=layer, counts=counts: counts.update(build(night, layer))), 1)
        ran += nodes(night, layer)
        whole |= {layer: bool(counts["built_whole"])} if "built_whole" in counts else {}
    slowest = sorted(ran, key=lambda node: -node[2])[:SLOWEST]
    return {
        "seconds": round(sum(seconds.values()), 1),
        "by_layer": seconds,
        "built_whole": whole,
        "by_kind": {kind: round(sum(s for k, _, s in ran if k == kind), 1) for kind in {k for k, _, _ in ran}},
        "slowest": [f"{kind} {name} {s:.1f}" for kind, name, s in slowest],
    }


def measure(args: argparse.Namespace) -> dict[str, object]:
    """Make the population and measure everything asked for."""
    base = population.make_base(settings().home / "population", args.base)
    population.multiply(max(1, round(args.persons / base)))
    found: dict[str, object] = {"persons": population.persons(), "rows": population.rows(), "threads": settings().threads}
    report(found)
    if args.peers:
        for layer in LAYERS[:2]:
            build(FIRST_NIGHT, layer)
        found["peers"] = peers.measure(FIRST_NIGHT)
        report(found)
    found["whole"] = measure_build(FIRST_NIGHT, LAYERS)
    report(found)
    for number in (1, 2):
        night = FIRST_NIGHT + timedelta(days=number)
        population.change(night, number)
        population.vacuum()
        found[f"night {number + 1}"] = measure_build(night, LAYERS if number == 2 else LAYERS[:3])
        report(found)
    return found


def report(found: dict[str, object]) -> None:
    """Print what is known so far: a long run may be cut short."""
    print(json.dumps(found, indent=1), flush=True)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=100_000, help="about so many persons")
    parser.add_argument("--base", type=int, default=4_000, help="adults of the population that is copied")
    parser.add_argument("--peers", action="store_true", help="also dbt on one thread, psql and DuckDB")
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
