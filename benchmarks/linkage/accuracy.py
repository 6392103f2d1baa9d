"""Measure the linkage on populations it has never seen: precision, recall and speed, with the baseline beside them.

    PYTHONPATH=plugins python benchmarks/linkage/accuracy.py --people 200000 --density 50 --seed 33 --seed 44

`--density` is how many times the people per day of birth are raised: 10,000,000 / people gives ten million adults' density.
`--groups` adds the error by sex, age band, ethnic group and births recorded on 1 January.
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
from warehouse.link.evaluate import Measure, compare, compare_groups
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


GROUP_COLUMNS = ("named_records", "named_pair_precision", "named_pair_recall", "clients_known", "client_to_person_precision", "client_to_person_recall")


def print_groups(measures: list[Measure]) -> None:
    """A line for each group of people."""
    by_group: dict[tuple[str, str], dict[str, float]] = {(m.kind, m.of_kind): {} for m in measures}
    for m in measures:
        by_group[m.kind, m.of_kind][m.metric] = m.value
    print(f"{'':36}" + "".join(f"{column.removeprefix('client_to_').replace('_pair', ''):>18}" for column in GROUP_COLUMNS))
    for (kind, of_kind), values in sorted(by_group.items()):
        cells = [f"{values[c]:18,.0f}" if c.endswith(("records", "known")) else f"{values[c]:18.4f}" for c in GROUP_COLUMNS if c in values]
        print(f"{kind + ': ' + of_kind:36}" + "".join(cells))


def measure(people: int, density: float, seed: int, groups: bool) -> None:
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
            by_group = compare_groups(session, folder / "truth" / "people.csv", FIRST_NIGHT) if groups else []
    print(f"\n{people:,} people, density {density:g}, seed {seed}: {counts['records']:,} records, {counts['candidate_pairs']:,} candidate pairs")
    print(f"{'':50} {'linkage':>8} {'baseline':>9}")
    for label, ours, baseline in ROWS:
        beside = f"{measured[baseline]:9.4f}" if baseline and baseline in measured else ""
        if ours in measured:
            print(f"{label:50} {measured[ours]:8.4f} {beside}")
    if by_group:
        print_groups(by_group)
    seconds = ", ".join(f"{what} {taken:.1f} s" for what, taken in times.items())
    print(f"{seconds} with {settings().threads} threads; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.1f} GB")


def main() -> None:
    """Read the command line and measure each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="people in the population (default %(default)s)")
    parser.add_argument("--density", type=float, default=1.0, help="times the people per day of birth are raised (default %(default)s)")
    parser.add_argument("--seed", type=int, action="append", help="seed of a population; may be given several times (default 33)")
    parser.add_argument("--groups", action="store_true", help="the error by group of people as well")
    arguments = parser.parse_args()
    for seed in arguments.seed or [33]:
        measure(arguments.people, arguments.density, seed, arguments.groups)


if __name__ == "__main__":
    main()
