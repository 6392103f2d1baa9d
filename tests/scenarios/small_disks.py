"""A step of a night on a disk that is too small: a file system of its own in memory, or a limit on the size of files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.workers import Outcome, Work

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 180
# Run inside: the step, then what is left in the folder while the small disk is still there.
RUNNER = """
import json, resource, sys
from datetime import date
from pathlib import Path

folder, limit, inbox, night, name, argument = json.loads(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from tests.scenarios.workers import Step, Work, attempt

outcome = attempt(Work(Path(inbox), date.fromisoformat(night), [Step(name, argument)]))
left = [str(path.relative_to(folder)) for path in sorted(Path(folder).rglob("*"))]
print(json.dumps([outcome.error, outcome.message, left]))
"""


@dataclass(frozen=True)
class Tried:
    """How a step went, and what was left in the folder that was too small."""

    outcome: Outcome
    left: list[str]


def can_mount() -> bool:
    """Whether this user may mount a file system in a namespace of their own."""
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, timeout=LIMIT_SECONDS, check=False)
    return tried.returncode == 0


def attempt_on(folder: Path, size: int, work: Work) -> Tried:
    """Take one step with a folder on a disk of `size` bytes; what is written there is lost with the disk."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (step,) = work.steps
    mounted = can_mount()
    told = json.dumps([str(folder), 0 if mounted else size, str(work.inbox), work.night.isoformat(), step.name, step.argument])
    command = [sys.executable, "-c", RUNNER, told]
    if mounted:
        command = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size={size},mode=700 none "$0" && exec "$@"', str(folder), *command]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    error, message, left = json.loads(done.stdout.splitlines()[-1])
    return Tried(Outcome(error, message), left)
