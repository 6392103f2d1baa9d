"""Receiving while things go wrong: two runs at once, a killed worker, a full disk, no read access, many large files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.integration.inboxes import ALIASES, NIGHT, deliveries, landed, put, query, registered, zipped

from warehouse.receive.errors import ReceiveError
from warehouse.receive.stage import receive

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
WORKER = """
import sys
from datetime import date
from pathlib import Path
from warehouse.receive import copying
from warehouse.receive.stage import receive

slow = float(sys.argv[2])
if slow:
    import time
    write = copying._write_all
    copying._write_all = lambda *arguments: (write(*arguments), print("copying", flush=True), time.sleep(slow))
print("taken", receive("police", Path(sys.argv[1]), date(2026, 11, 1)), flush=True)
"""


def worker(inbox: Path, slow: float) -> subprocess.Popen[str]:
    """A process that receives; `slow` is how many seconds it rests after each block."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "plugins")}
    return subprocess.Popen([sys.executable, "-c", WORKER, str(inbox), str(slow)], env=environment, stdout=subprocess.PIPE, text=True)


def test_two_runs_at_once_take_one_delivery(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    running = [worker(inbox, 0.5) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert all("taken 1" in text for text in said) and sum("copying" in text for text in said) == 1
    assert [status for *_, status in deliveries()] == ["received"]


def test_copies_of_one_delivery_in_two_inboxes_at_once(clean_db: Path, tmp_path: Path) -> None:
    running = [worker(put(tmp_path / name, {"aliases.csv": ALIASES}), 0.5) for name in ("a", "b")]
    for process in running:
        assert "taken 1" in process.communicate(timeout=60)[0]
    assert [status for *_, status in deliveries()] == ["received"]


def test_a_killed_run_leaves_nothing_and_the_next_one_takes_all(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES, "police.zip": zipped(tmp_path / "z", {"addresses.csv": ALIASES * 10})})
    process = worker(inbox, 60)
    assert process.stdout is not None and process.stdout.readline() == "copying\n"
    process.kill()
    process.wait()
    process.stdout.close()
    assert deliveries() == [] and query("select count(*) from ops.inbox_file") == [(0,)]
    deadline = time.monotonic() + 20  # the server lets go of the feed when it notices that the process is gone
    delivery_id = receive("police", inbox, NIGHT)
    assert time.monotonic() < deadline
    assert delivery_id is not None and registered(delivery_id) == {"aliases.csv", "addresses.csv"}
    assert [path.name for path in (clean_db / "landing" / "police").iterdir()] == [str(delivery_id)]


def test_a_full_disk_takes_nothing_and_is_told(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES, "nominals.csv": ALIASES})
    real, calls = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr("warehouse.receive.copying.os.write", full)
    with pytest.raises(ReceiveError, match="The landing disk is full"):
        receive("police", inbox, NIGHT)
    monkeypatch.undo()
    assert deliveries() == [] and list((clean_db / "landing" / "police").iterdir()) == []
    assert query("select error from ops.stage_run where status = 'failed'")[0][0].startswith("ReceiveError: The landing disk is full")
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and len(landed(clean_db, delivery_id)) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    (tmp_path / "police" / "aliases.csv").chmod(0)
    with pytest.raises(ReceiveError, match="cannot be read"):
        receive("police", inbox, NIGHT)
