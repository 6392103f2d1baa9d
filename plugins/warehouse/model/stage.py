"""The model stage: build one layer of the dbt project as at a night, into the slot that is not live."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from warehouse.database import clean_errors, connect, ops
from warehouse.model import runner, state
from warehouse.model.errors import ModelBuildFailed
from warehouse.products import stage as products
from warehouse.products.errors import EstimateFailed
from warehouse.products.schemas import of_slot
from warehouse.publish.slots import idle_slot

log = logging.getLogger(__name__)

# Tests run with the first layer in which all they look at is built. A night leaves out what cannot change in a night:
# unit tests, tests of the committed code lists, and the rules of source tables, which every row met on admission.
NIGHTLY_BUILD = ("build", "--exclude-resource-type", "unit_test", "--indirect-selection", "buildable")
# Marts that read estimates are built when those are made, with the published layer.
AFTER_ESTIMATES = "models/marts/estimates"
# In the order the layers build on each other.
COMMANDS: dict[str, tuple[str, ...]] = {
    # Anew, not emptied: a column may have another type than before.
    "seeds": ("seed", "--full-refresh"),
    "staging": (*NIGHTLY_BUILD, "--select", "path:models/staging", "--exclude", "source:*"),
    "intermediate": (*NIGHTLY_BUILD, "--select", "path:models/intermediate", "--exclude", "source:*"),
    "marts": (*NIGHTLY_BUILD, "--select", "path:models/marts", "--exclude", "source:*", f"path:{AFTER_ESTIMATES}"),
    "published": (*NIGHTLY_BUILD, "--select", "path:models/published", f"path:{AFTER_ESTIMATES}", "--exclude", "source:*"),
}
# `estimates` is the one layer that is no dbt build: models fitted in Python on the marts (warehouse.products).
LAYERS = ("seeds", "staging", "intermediate", "marts", "estimates", "published")
# The layers with tables that follow the night's change.
KEEPING_STATE = ("intermediate", "marts")
WHOLE = ("--full-refresh",)
# The tests of staging look at whole tables for what admission and the indexes of source see to, row by row: they run when the
# project has changed.
UNTESTED = ("--exclude-resource-type", "test")


def build(night: date, layer: str) -> dict[str, int]:
    """Build a layer and run its tests; running it again gives the same rows.

    Marts and published go to the slot that analysts do not see; the other layers belong to no slot. Per-person tables follow
    the change since the state they stand in, or are built whole where they cannot (`state`).

    Args:
        night: the night the tables shall show, by the validity of source rows and links.
        layer: one of `LAYERS`.

    Returns:
        Counts: of `estimates` the rows by table; else `seeds`, `models`, `tests`, `warnings`, `built_whole` (1 or 0) of a layer
        with per-person tables, and under the name of each table the rows written to it.

    Raises:
        ValueError: there is no such layer.
        ModelBuildFailed: dbt could not build the layer, or a test failed; the names of what failed, no values.
        DatabaseFault: the warehouse could not be reached.
    """
    if layer not in LAYERS:
        raise ValueError(f"There is no layer called '{layer}'. Layers: {', '.join(LAYERS)}")
    with ops.stage_run(night, f"model.{layer}") as run:
        with clean_errors("find the slot to build in"), connect("transformer") as connection:
            slot = idle_slot(connection)
        if layer == "estimates":
            return _estimate(night, slot, run)
        with _kept_state(night, layer, slot) as options:
            if options is None:
                return _counts([])
            invocation = runner.invoke((*COMMANDS[layer], *options), {"slot": slot, "as_at": night.isoformat()})
            runner.write_log(runner.work_dir() / "logs" / f"{night}.{layer}.log", invocation.results)
            failures = [invocation.error] if invocation.error else []
            failures += [str(result) for result in invocation.results if result.has_failed]
            if failures:
                raise ModelBuildFailed(layer, failures)
        counts = _counts(invocation.results) | ({"built_whole": int(options == WHOLE)} if layer in KEEPING_STATE else {})
        for name, value in counts.items():
            run.count(name, value)
        log.info("Built %s in slot %s: %s models, %s seeds, %s tests", layer, slot, counts["models"], counts["seeds"], counts["tests"])
        return counts


def _estimate(night: date, slot: str, run: ops.StageRun) -> dict[str, int]:
    try:
        counts = products.estimate(night, of_slot(slot))
    except EstimateFailed as failure:
        raise ModelBuildFailed("estimates", [str(failure)]) from None
    for name, value in counts.items():
        run.count(name, value)
    return counts


@contextmanager
def _kept_state(night: date, layer: str, slot: str) -> Iterator[tuple[str, ...] | None]:
    """Around the build of a layer: what to tell dbt of the state it starts from, None where nothing has to be done; what it leaves is
    recorded if it succeeds."""
    if layer == "intermediate":
        with clean_errors("decide what the build starts from"), connect("transformer") as connection:
            plan = state.plan(connection, night)
        yield WHOLE if plan.is_whole else ()
        with clean_errors("record the state the build left"), connect("transformer") as connection:
            state.finish(connection, plan)
    elif layer == "marts":
        with clean_errors("decide what the build starts from"), connect("transformer") as connection:
            follows = state.slot_follows(connection, slot, night)
        yield () if follows else WHOLE
        with clean_errors("record the state the build left"), connect("transformer") as connection:
            state.finish_slot(connection, slot, night)
    elif layer == "staging":
        with clean_errors("look what built the standing tables"), connect("transformer") as connection:
            is_known = state.is_built_by_this_project(connection)
        yield UNTESTED if is_known else ()
    elif layer == "seeds":
        with clean_errors("look which seeds are loaded"), connect("transformer") as connection:
            stand = state.seeds_stand(connection)
        if stand:
            yield None
            return
        yield ()
        with clean_errors("record which seeds are loaded"), connect("transformer") as connection:
            state.finish_seeds(connection)
    else:
        yield ()


def _counts(results: list[runner.NodeResult]) -> dict[str, int]:
    kinds = Counter(result.kind for result in results)
    totals = {"seeds": kinds["seed"], "models": kinds["model"], "tests": kinds["test"]}
    warnings = sum(result.status == "warn" for result in results)
    return totals | {"warnings": warnings} | {result.name: result.rows for result in results if result.kind == "model" and result.rows}
