"""Measure the linkage on populations it has never seen: precision, recall and speed, with the baseline beside them.

    PYTHONPATH=plugins python benchmarks/linkage/accuracy.py --people 200000 --density 50 --seed 33 --seed 44

`--density` is how many times the people per day of birth are raised: 10,000,000 / people gives ten million adults' density.
Works on delivered files and DuckDB alone, without a warehouse; models and thresholds are the ones in use.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.contracts.load import all_contracts
from warehouse.link import evidence, extract
from warehouse.link.evaluate import compare
from warehouse.link.models import policy
from warehouse.link.resolve import cluster_links
from warehouse.link.score import score_evidence
from warehouse.link.workspace import duckdb_session
from warehouse.settings import settings
from warehouse.synth.generate import FIRST_NIGHT, generate

ROWS = (
    ("records with names, pairs: precision", "named_pair_precision", "baseline_named_pair_precision"),
    ("records with names, pairs: recall", "named_pair_recall", "baseline_named_pair_recall"),
    ("records with names: B-cubed F", "named_b_cubed_f", None),
    ("clients to persons: precision", "client_to_person_precision", "baseline_client_to_person_precision"),
    ("clients to persons: recall", "client_to_person_recall", "baseline_client_to_person_recall"),
    ("clients nobody else knows: linked all the same", "client_false_links_of_unknown", None),
    ("clients at several providers, pairs: precision", "client_pair_precision", None),
    ("clients at several providers, pairs: recall", "client_pair_recall", None),
)


@contextmanager
def timed(what: str, times: dict[str, float]) -> Iterator[None]:
    """Note how long the code inside takes, in seconds."""
    started = time.perf_counter()
    yield
    times[what] = time.perf_counter() - started


def measure(people: int, density: float, seed: int) -> None:
    """Generate, link and compare one population, and print what came out."""
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, people, 1, seed, density)
        with duckdb_session(folder / "spill") as session:
            with timed("read and standardise", times):
                extract.from_delivery(session, all_contracts(), folder / "inbox" / FIRST_NIGHT.isoformat())
                evidence.build(session, FIRST_NIGHT)
            with timed("score", times):
                counts = score_evidence(session, policy())
            with timed("cluster", times):
                cluster_links(session)
            measured = compare(session, folder / "truth" / "records.csv")
    print(f"\n{people:,} people, density {density:g}, seed {seed}: {counts['records']:,} records, {counts['candidate_pairs']:,} candidate pairs")
    print(f"{'':50} {'linkage':>8} {'baseline':>9}")
    for label, ours, baseline in ROWS:
        beside = f"{measured[baseline]:9.4f}" if baseline and baseline in measured else ""
        if ours in measured:
            print(f"{label:50} {measured[ours]:8.4f} {beside}")
    seconds = ", ".join(f"{what} {taken:.1f} s" for what, taken in times.items())
    print(f"{seconds} with {settings().threads} threads; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.1f} GB")


def main() -> None:
    """Read the command line and measure each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="people in the population (default %(default)s)")
    parser.add_argument("--density", type=float, default=1.0, help="times the people per day of birth are raised (default %(default)s)")
    parser.add_argument("--seed", type=int, action="append", help="seed of a population; may be given several times (default 33)")
    arguments = parser.parse_args()
    for seed in arguments.seed or [33]:
        measure(arguments.people, arguments.density, seed)


if __name__ == "__main__":
    main()
