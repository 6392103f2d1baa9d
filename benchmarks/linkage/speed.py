"""Measure how fast the linkage is, and how much memory it takes: a full night, the night after with 1 % of the records changed, and
Splink with the settings of its own tutorial on the same records.

    PYTHONPATH=plugins python benchmarks/linkage/speed.py --people 960000 --density 10.4

Works on delivered files and DuckDB alone, without a warehouse. On the first night 8 records in 1,000 are not there yet and 2
have no place; on the second they are and do. Each run is a process of its own, so that its peak memory is its own;
the processor time, start of the process included, is what to look at when the machine has other work. The night
after is compared with a full night on the same records: the partitions must be the same but for the drift of term frequencies.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.load import all_contracts
from warehouse.link import evidence, extract, incremental, state
from warehouse.link.models import policy
from warehouse.link.resolve import cluster_links
from warehouse.link.score import score_evidence
from warehouse.link.splinking import quiet
from warehouse.link.state import State
from warehouse.link.workspace import duckdb_session, one_row, quoted
from warehouse.settings import settings
from warehouse.synth.generate import FIRST_NIGHT, generate

if TYPE_CHECKING:
    import duckdb

NEXT_NIGHT = FIRST_NIGHT + timedelta(days=1)
Times = dict[str, float]
# What the first night does not have yet, out of 1,000 records: some wholly, some without their places.
NOT_YET, NO_PLACE_YET = 8, 10
FIRST_NIGHT_EVIDENCE = f"""
select * replace (
    case when hash(record_key) % 1000 < {NO_PLACE_YET} then null else postcode end as postcode,
    case when hash(record_key) % 1000 < {NO_PLACE_YET} then null else previous_postcode end as previous_postcode,
    case when hash(record_key) % 1000 < {NO_PLACE_YET} then null else postcode_sector end as postcode_sector
)
from raw_evidence where hash(record_key) % 1000 >= {NOT_YET}
"""
# Pairs of records that share a person in one, in the other and in both.
SAME_PAIRS = """
with a as (from read_parquet({a})), b as (from read_parquet({b})),
pairs as (
    select
        (select sum(n * (n - 1) / 2) from (select count(*) as n from a group by cluster_no)) as pairs_a,
        (select sum(n * (n - 1) / 2) from (select count(*) as n from b group by cluster_no)) as pairs_b,
        (
            select sum(n * (n - 1) / 2)
            from (select count(*) as n from a inner join b using (record_key) group by a.cluster_no, b.cluster_no)
        ) as pairs_both
)
select 2 * pairs_both / (pairs_a + pairs_b) from pairs
"""


@contextmanager
def timed(what: str, times: Times) -> Iterator[None]:
    """Note how long the code inside takes, in seconds."""
    started = time.perf_counter()
    yield
    times[what] = times.get(what, 0) + time.perf_counter() - started


def make_population(folder: Path, people: int, density: float, seed: int) -> Times:
    """Generate a population and leave the identifiers of both nights as Parquet in the folder."""
    generate(folder, people, 1, seed, density)
    with duckdb_session(folder / "spill") as session:
        extract.from_delivery(session, all_contracts(), folder / "inbox" / FIRST_NIGHT.isoformat())
        session.execute(f"copy ({FIRST_NIGHT_EVIDENCE}) to {quoted(folder / 'first.parquet')} (format parquet)").fetchall()
        session.execute(f"copy raw_evidence to {quoted(folder / 'second.parquet')} (format parquet)").fetchall()
    return {}


def read_evidence(session: duckdb.DuckDBPyConnection, file: Path, condition: str = "true") -> None:
    """Make `raw_evidence` of a file of it."""
    session.execute(f"create or replace table raw_evidence as select * from read_parquet({quoted(file)}) where {condition}").fetchall()


def finish(session: duckdb.DuckDBPyConnection, folder: Path, kept: State, times: Times, name: str) -> None:
    """What follows scoring: keep the state (a night with few changes leaves that of the full night), and cluster."""
    if kept.night == kept.full_night:
        with timed("keep the state", times):
            state.save(session, kept)
    with timed("cluster", times):
        cluster_links(session)
    session.execute(f"copy (select record_key, cluster_no from person_node) to {quoted(folder / f'{name}.parquet')} (format parquet)").fetchall()


def full_night(folder: Path, name: str) -> Times:
    """A night that scores everything; its state is kept for the night after."""
    times: Times = {}
    night = FIRST_NIGHT if name == "first" else NEXT_NIGHT
    with duckdb_session(folder / "spill") as session:
        with timed("read and standardise", times):
            read_evidence(session, folder / f"{name}.parquet")
            evidence.build(session, night, with_room=True)
        with timed("score", times):
            counts = score_evidence(session, policy())
        finish(session, folder, State(night, night, "", {}), times, f"clusters_{name}")
    return times | {"records": counts["records"], "changed records": counts["changed_records"], "candidate pairs": counts["candidate_pairs"]}


def night_after(folder: Path) -> Times:
    """The night after the first, from what that kept and the records that are not as they were."""
    times: Times = {}
    touched = f"hash(record_key) % 1000 < {NO_PLACE_YET}"
    with duckdb_session(folder / "spill") as session:
        with timed("read and standardise", times):
            session.execute(extract.TOUCHED).fetchall()
            session.execute(
                f"insert into touched_record select distinct record_key from read_parquet({quoted(folder / 'second.parquet')}) where {touched}"
            ).fetchall()
            read_evidence(session, folder / "second.parquet", touched)
            state.attach(session, State(FIRST_NIGHT, FIRST_NIGHT, "", {}))
            incremental.find_changes(session, NEXT_NIGHT, [])
            assert incremental.put_together(session), "no room between the numbers of records"
        with timed("score", times):
            counts = score_evidence(session, policy())
        finish(session, folder, State(NEXT_NIGHT, FIRST_NIGHT, "", {}), times, "clusters_after")
    return times | {"records": counts["records"], "changed records": counts["changed_records"], "candidate pairs": counts["candidate_pairs"]}


def tutorial(folder: Path) -> Times:
    """Splink as its tutorial on 50,000 persons sets it up, training included, on the records with names."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink import comparison_library as library

    times: Times = {}
    with duckdb_session(folder / "spill") as session, quiet():
        with timed("read and standardise", times):
            read_evidence(session, folder / "second.parquet")
            evidence.build(session, NEXT_NIGHT)
            session.execute(
                "create table person as select record_no as unique_id, forename as first_name, surname, dob, postcodes[1] as postcode"
                " from name_row qualify row_number() over (partition by record_no order by row_id) = 1"
            ).fetchall()
        settings_of_tutorial = SettingsCreator(
            link_type="dedupe_only",
            blocking_rules_to_generate_predictions=[
                block_on("substr(first_name,1,3)", "substr(surname,1,4)", "dob"),
                block_on("surname", "dob"),
                block_on("first_name", "dob"),
                block_on("postcode", "first_name"),
                block_on("postcode", "surname"),
            ],
            comparisons=[
                library.NameComparison("first_name"),
                library.NameComparison("surname"),
                library.DateOfBirthComparison("dob", input_is_string=True),
                library.PostcodeComparison("postcode"),
            ],
        )
        with timed("train", times):
            linker = Linker(DuckDBAPI(connection=session).register("person"), settings_of_tutorial, log_level=logging.CRITICAL)
            linker.training.estimate_probability_two_random_records_match([block_on("first_name", "surname", "dob")], recall=0.7)
            linker.training.estimate_u_using_random_sampling(max_pairs=5e6)
            linker.training.estimate_parameters_using_expectation_maximisation(block_on("first_name", "surname"))
            linker.training.estimate_parameters_using_expectation_maximisation(block_on("dob"))
        with timed("score", times):
            predicted = linker.inference.predict(threshold_match_probability=0.1)
        with timed("cluster", times):
            linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
        (records,) = one_row(session, "select count(*) from person")
    return times | {"records": records}


RUNS: dict[str, Callable[[Path], Times]] = {
    "full night": lambda folder: full_night(folder, "first"),
    "night after, 1 % changed": night_after,
    "full night instead": lambda folder: full_night(folder, "second"),
    "Splink tutorial settings": tutorial,
}
COUNTS = ("records", "changed records", "candidate pairs", "processor", "peak memory")


def alone(run: str, folder: Path, arguments: argparse.Namespace) -> Times:
    """Do one run in a process of its own; its times in seconds, its counts, and its peak memory in GB."""
    command = [sys.executable, __file__, "--run", run, "--folder", str(folder)]
    command += ["--people", str(arguments.people), "--density", str(arguments.density), "--seed", str(arguments.seed)]
    done = subprocess.run(command, env=os.environ | {"WAREHOUSE_HOME": str(folder / "home")}, check=True, stdout=subprocess.PIPE, text=True)
    times: Times = json.loads(done.stdout.splitlines()[-1])
    return times


def show(run: str, times: Times) -> None:
    """One line a run: seconds in all and by part, records a second, memory."""
    parts = {what: seconds for what, seconds in times.items() if what not in COUNTS}
    total = sum(parts.values())
    by_part = ", ".join(f"{what} {seconds:.1f}" for what, seconds in parts.items())
    changed = f", {times['changed records']:,.0f} changed, {times['candidate pairs']:,.0f} candidate pairs" if "changed records" in times else ""
    print(
        f"{run}: {times['records']:,.0f} records{changed}: {total:.1f} s ({by_part}), {times['records'] / total:,.0f} records/s;"
        f" {times['processor']:.1f} s of processor time, {times['peak memory']:.1f} GB",
        flush=True,
    )


def main() -> None:
    """Read the command line and do every run, or the one asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="people in the population (default %(default)s)")
    parser.add_argument("--density", type=float, default=10.0, help="times the people per day of birth are raised (default %(default)s)")
    parser.add_argument("--seed", type=int, default=99, help="seed of the population (default %(default)s)")
    parser.add_argument("--without-tutorial", action="store_true", help="leave out Splink's tutorial settings")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="where the population lies or shall be kept (default: a temporary folder)")
    arguments = parser.parse_args()
    if arguments.run:
        times = (
            RUNS[arguments.run](arguments.folder)
            if arguments.run in RUNS
            else make_population(arguments.folder, arguments.people, arguments.density, arguments.seed)
        )
        print(json.dumps(times | {"processor": time.process_time(), "peak memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2}))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        if not (folder / "second.parquet").exists():
            folder.mkdir(exist_ok=True, parents=True, mode=0o700)
            alone("make the population", folder, arguments)
        print(
            f"{arguments.people:,} people, density {arguments.density:g}, seed {arguments.seed}; {settings().threads} threads, limit {settings().memory_limit}"
        )
        totals, processor = {}, {}
        for run in RUNS:
            if run == "Splink tutorial settings" and arguments.without_tutorial:
                continue
            times = alone(run, folder, arguments)
            show(run, times)
            totals[run] = sum(seconds for what, seconds in times.items() if what not in COUNTS)
            processor[run] = times["processor"]
        with duckdb_session(folder / "spill") as session:
            (same,) = one_row(session, SAME_PAIRS.format(a=quoted(folder / "clusters_after.parquet"), b=quoted(folder / "clusters_second.parquet")))
        share, share_of_processor = (taken["night after, 1 % changed"] / taken["full night instead"] for taken in (totals, processor))
        print(f"the night after takes {share:.1%} of a full night's time, {share_of_processor:.1%} of its processor time")
        print(f"pair F of its partition against the full night's: {same:.6f}")


if __name__ == "__main__":
    main()
