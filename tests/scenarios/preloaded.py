"""What the processes of `workers` need, imported and read once in the process they are forked from.

Nothing is opened here: no connection, no thread, no file that stays open.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path

# The process they are forked from is started without pytest's own search path.
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins"))
# Both are read when Great Expectations is first imported.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

NEEDED = (
    "great_expectations",
    "pyarrow",
    "pgpq",
    "splink",
    "dbt.cli.main",
    "dbt.adapters.postgres",
    "tests.scenarios.workers",
    "warehouse.admit.answer.stage",
    "warehouse.admit.erasure",
    "warehouse.admit.stage",
    "warehouse.admit.withdraw",
    "warehouse.link.stage",
    "warehouse.model.stage",
    "warehouse.publish.stage",
    "warehouse.receive.stage",
    "warehouse.retention.stage",
)
for name in NEEDED:
    import_module(name)

from warehouse.contracts.load import all_contracts  # noqa: E402

all_contracts()
# Forked processes then share the memory instead of copying it when they collect garbage.
gc.freeze()
