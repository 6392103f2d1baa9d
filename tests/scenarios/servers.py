"""Crashes of the embedded server, and its return."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from warehouse.database import server

LIMIT_SECONDS = 60


def crash(sent: signal.Signals = signal.SIGQUIT) -> None:
    """End the server without letting it write anything more: SIGQUIT as an immediate shutdown does, SIGKILL as the kernel does."""
    postmaster = int((server.data_folder() / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    children = _children(postmaster)
    os.kill(postmaster, sent)
    limit = time.monotonic() + LIMIT_SECONDS
    # Also gone from the table of processes: a new server takes an entry there for a running one.
    while any(Path(f"/proc/{pid}").exists() for pid in (postmaster, *children)):
        assert time.monotonic() < limit, "the server did not end"
        time.sleep(0.02)


def bring_back() -> None:
    """Start the server again; it recovers from its log."""
    server.start()


def _children(parent: int) -> list[int]:
    return [int(pid) for task in Path(f"/proc/{parent}/task").iterdir() for pid in (task / "children").read_text(encoding="ascii").split()]
