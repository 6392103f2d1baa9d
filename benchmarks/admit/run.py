"""Measure receive and admit on big files, beside a plain copy and other loaders, in one run.

    PYTHONPATH=plugins python benchmarks/admit/run.py --rows 5000000 --work /a/roomy/folder

Each shape of file (see `files.py`) is loaded in turn by:

- `psql \\copy` into an unindexed table of text columns: the floor, and the unit of the ratios;
- the warehouse: receive, load, check and admit, each in a process of its own as in Airflow, then a second delivery in which
  one row in a hundred has changed;
- dlt with a schema contract, and pandas `read_csv` with `to_sql`, each on a share of the file and in an environment of their
  own. Their time for the whole file is reckoned in proportion.

Everything happens in a warehouse of the benchmark's own under `--work`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
import venv
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).parent
STAGES = ("load", "check", "admit")
NIGHTS = ("2026-11-01", "2026-11-02")
PEERS = ("dlt", "pandas")


@dataclass(frozen=True)
class Timing:
    """How long a process took, in seconds, the most memory it held, in MB, and what it printed."""

    seconds: float
    peak_mb: float
    output: str


def timed(command: list[str], environment: dict[str, str] | None = None) -> Timing:
    """Run a command and time it as a whole process.

    Raises:
        SystemExit: the command failed; the end of its output is shown.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:3])} ended with exit code {process.returncode}:\n{output[-2000:]}")
    return Timing(time.perf_counter() - started, usage.ru_maxrss / 1024, output.strip())


def make_apart(*arguments: object, **options: object) -> Path:
    """Make a file in a process of its own: what a process ever held counts as the peak of those it starts."""
    from files import make

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(make, *arguments, **options).result()


def address() -> str:
    """The benchmark warehouse's database, as libpq writes addresses."""
    from warehouse.database import server

    return server.admin_url()


def copy_floor(path: Path, delimiter: str, columns: list[str]) -> Timing:
    """`psql \\copy` of a file into an unindexed table of text columns."""
    from warehouse.database import connect, server

    with connect("admin", autocommit=True) as connection:
        connection.execute("drop table if exists public.benchmark_floor")
        connection.execute(f"create table public.benchmark_floor ({', '.join(f'{c} text' for c in columns)})")
    copy = f"\\copy public.benchmark_floor from '{path}' with (format csv, header, delimiter '{delimiter}')"
    taken = timed([str(server.psql()), address(), "-q", "-c", copy])
    with connect("admin", autocommit=True) as connection:
        connection.execute("drop table public.benchmark_floor")
        connection.execute("checkpoint")
    return taken


def admission(feed: str, inbox: Path, night: str) -> dict[str, Timing]:
    """A delivery through receive, load, check and admit."""
    script = str(HERE / "stage.py")
    taken = {"receive": timed([sys.executable, script, "receive", feed, str(inbox), night])}
    for name in STAGES:
        taken[name] = timed([sys.executable, script, name, taken["receive"].output])
    return taken


def peer(python: Path, name: str, path: Path, delimiter: str, encoding: str) -> Timing:
    """A whole file through one of the other loaders."""
    quiet = os.environ | {"RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1", "HOME": str(path.parent)}
    return timed([str(python), str(HERE / "peers.py"), name, str(path), delimiter, encoding, address()], quiet)


def peer_environment(folder: Path) -> Path:
    """The Python of a virtual environment with the other loaders."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-qqq", "-r", HERE / "peers.txt"], check=True)
    return python


def show(label: str, taken: Timing | dict[str, Timing], unit: float, share: float = 1.0) -> None:
    """Print one line: seconds for the whole file, ratio to the floor, peak memory, and the parts."""
    parts = taken if isinstance(taken, dict) else {"": taken}
    seconds = sum(part.seconds for part in parts.values()) / share
    detail = ", ".join(f"{name} {part.seconds:.1f}" for name, part in parts.items() if name)
    print(f"  {label:34} {seconds:8.1f} s {seconds / unit:7.2f}x {max(part.peak_mb for part in parts.values()):7.0f} MB  {detail}", flush=True)


def measure(shape_name: str, rows: int, work: Path, peers: list[str], share: float) -> None:
    """All loaders on one shape of file."""
    from files import SHAPES, base_population

    from warehouse.contracts.load import load_contract

    shape = SHAPES[shape_name]
    contract = load_contract(shape.feed)
    columns = [c.field for c in contract.tables[shape.table].columns]
    delimiter, encoding = contract.format.delimiter, contract.format.encoding
    base = base_population(work / "base")
    inboxes = [work / shape_name / night for night in NIGHTS]
    plain = make_apart(shape, rows, base, work / shape_name / "plain", malformed=False)
    size = plain.stat().st_size / 1e9
    print(f"\n{shape_name}: {rows:,} rows, {len(columns)} columns, {size:.2f} GB; load average {os.getloadavg()[0]:.1f}", flush=True)
    floor = copy_floor(plain, delimiter, columns)
    show("psql \\copy, unindexed text", floor, floor.seconds)
    for label, inbox, changed in (("warehouse, first delivery", inboxes[0], False), ("warehouse, 1 % changed", inboxes[1], True)):
        delivered = make_apart(shape, rows, base, inbox / shape.feed, changed=changed)
        show(label, admission(shape.feed, inbox, inbox.name), floor.seconds)
        delivered.unlink()
    again = copy_floor(plain, delimiter, columns)
    show("psql \\copy, once more", again, floor.seconds)
    for name in peers:
        part = make_apart(shape, int(rows * share), base, work / shape_name / name, malformed=False)
        taken = peer(peer_environment(work / "peers"), name, part, delimiter, encoding)
        show(f"{name}, the whole file" if share == 1 else f"{name}, {share:.0%}, reckoned whole", taken, floor.seconds, share)
    shutil.rmtree(work / shape_name)


def main() -> None:
    """Read the command line, set up a warehouse, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows of each file (default %(default)s)")
    parser.add_argument("--work", type=Path, required=True, help="folder for files and database: 20 GB at five million rows")
    parser.add_argument("--shape", action="append", choices=("narrow", "ndtms"), help="which files (default: both)")
    parser.add_argument("--peer", action="append", choices=PEERS, help="which other loaders (default: all)")
    parser.add_argument("--peer-share", type=float, default=0.1, help="share of the file the other loaders get (default %(default)s)")
    parser.add_argument("--no-peers", action="store_true", help="leave the other loaders out")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    os.environ["WAREHOUSE_HOME"] = str(work / "warehouse")
    os.environ["WAREHOUSE_URL"] = ""
    os.environ["WAREHOUSE_SETTLE_SECONDS"] = "0"
    from warehouse.database import server
    from warehouse.database.setup import prepare

    prepare()
    try:
        for name in arguments.shape or ["narrow", "ndtms"]:
            measure(name, arguments.rows, work, [] if arguments.no_peers else arguments.peer or list(PEERS), arguments.peer_share)
    finally:
        server.remove()
        shutil.rmtree(work / "warehouse", ignore_errors=True)


if __name__ == "__main__":
    main()
