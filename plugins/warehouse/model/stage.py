"""The model stage: build one layer of the dbt project as at a night, into the slot that is not live."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date

from warehouse.database import clean_errors, connect, ops
from warehouse.model import runner
from warehouse.model.errors import ModelBuildFailed
from warehouse.publish.slots import idle_slot

log = logging.getLogger(__name__)

# Tests run with the first layer in which all they look at is built. A night leaves out what cannot change in a night:
# unit tests, tests of the committed code lists, and the rules of source tables, which every row met on admission.
NIGHTLY_BUILD = ("build", "--exclude", "source:*", "--exclude-resource-type", "unit_test", "--indirect-selection", "buildable")
# In the order the layers build on each other.
COMMANDS: dict[str, tuple[str, ...]] = {
    "seeds": ("seed",),
    "staging": (*NIGHTLY_BUILD, "--select", "path:models/staging"),
    "intermediate": (*NIGHTLY_BUILD, "--select", "path:models/intermediate"),
    "marts": (*NIGHTLY_BUILD, "--select", "path:models/marts"),
    "published": (*NIGHTLY_BUILD, "--select", "path:models/published"),
}
LAYERS = tuple(COMMANDS)


def build(night: date, layer: str) -> dict[str, int]:
    """Build a layer and run its tests; running it again gives the same rows.

    Marts and published go to the slot that analysts do not see; the other layers belong to no slot.

    Args:
        night: the night the tables shall show, by the validity of source rows and links.
        layer: one of `LAYERS`.

    Returns:
        Counts: `seeds`, `models`, `tests`, `warnings`, and under the name of each table the rows written to it.

    Raises:
        ValueError: there is no such layer.
        ModelBuildFailed: dbt could not build the layer, or a test failed; the names of what failed, no values.
        DatabaseFault: the warehouse could not be reached.
    """
    if layer not in COMMANDS:
        raise ValueError(f"There is no layer called '{layer}'. Layers: {', '.join(LAYERS)}")
    with ops.stage_run(night, f"model.{layer}") as run:
        with clean_errors("find the slot to build in"), connect("transformer") as connection:
            slot = idle_slot(connection)
        invocation = runner.invoke(COMMANDS[layer], {"slot": slot, "as_at": night.isoformat()})
        runner.write_log(runner.work_dir() / "logs" / f"{night}.{layer}.log", invocation.results)
        failures = [invocation.error] if invocation.error else []
        failures += [str(result) for result in invocation.results if result.has_failed]
        if failures:
            raise ModelBuildFailed(layer, failures)
        counts = _counts(invocation.results)
        for name, value in counts.items():
            run.count(name, value)
        log.info("Built %s in slot %s: %s models, %s seeds, %s tests", layer, slot, counts["models"], counts["seeds"], counts["tests"])
        return counts


def _counts(results: list[runner.NodeResult]) -> dict[str, int]:
    kinds = Counter(result.kind for result in results)
    totals = {"seeds": kinds["seed"], "models": kinds["model"], "tests": kinds["test"]}
    warnings = sum(result.status == "warn" for result in results)
    return totals | {"warnings": warnings} | {result.name: result.rows for result in results if result.kind == "model" and result.rows}
