"""What stops a night before anything of it is visible: too many pairs, too little memory, records that hang together as one person,
measures far from those of the last nights, and ids that would change for too many records.

Each refusal names the measure, its value, what it usually is and the limit. Limits stand in `models/policy.yaml`. A night whose
change is wanted (a new model, a feed that delivers less from now on) is let pass by an approval in `ops.linkage_approval`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.database import clean_errors, connect
from warehouse.link.errors import LinkageFault, PairBudgetExceeded
from warehouse.link.metrics import Churn
from warehouse.link.models import GuardPolicy, Policy

if TYPE_CHECKING:
    import psycopg

# The guards whose refusal somebody may overrule for a night.
ACCEPTABLE = ("churn", "drift", "largest_cluster")
Measures = Mapping[tuple[str, str], float]

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")

USUAL = """
with compared as (
    select night from ops.linkage_metric where metric = 'persons_total' and night < %(night)s order by night desc limit %(nights)s
)
select metric, feed_a, percentile_cont(0.5) within group (order by value)
from ops.linkage_metric inner join compared using (night)
where feed_b = '' and (starts_with(metric, 'completeness_') or metric in ('mean_match_weight', 'edges_per_record'))
group by metric, feed_a
having count(*) >= %(needed)s
"""


class NightRefused(LinkageFault):
    """A guard stops the night; nothing of it has been written."""


def check_pairs(pairs: int, rows: int, budget_per_row: float, floor: int, worst_rule: str, worst_pairs: int) -> None:
    """Stop before more candidate pairs are compared than the policy allows.

    Args:
        pairs: candidate pairs of all blocking rules together.
        rows: rows that the model compares.
        budget_per_row: pairs allowed for each of them.
        floor: pairs always allowed.
        worst_rule: the rule that makes most pairs.
        worst_pairs: how many it makes.

    Raises:
        PairBudgetExceeded: there are too many.
    """
    budget = max(rows * budget_per_row, floor)
    if pairs > budget:
        raise PairBudgetExceeded(
            f"The blocking rules would compare about {pairs:,} pairs, more than the {budget:,.0f} allowed for {rows:,} rows."
            f" Most, {worst_pairs:,}, come from the rule '{worst_rule}'."
            " Look for a value that too many records share, or raise the budget in policy.yaml."
        )


def check_memory(limit: str) -> None:
    """Stop when DuckDB is allowed more memory than there is: the night would be killed in its middle.

    Args:
        limit: DuckDB's memory limit, such as 3GB; what is not a size (a percentage) is left to DuckDB.

    Raises:
        NightRefused: the machine, or the container, has less.
    """
    size = re.fullmatch(r"([\d.]+)\s*([KMGT]?I?)B?", limit.strip().upper())
    available = machine_memory()
    if size and float(size[1]) * UNITS[size[2]] > available:
        raise NightRefused(
            f"Linkage may use {limit} of memory, and there are {available / 10**9:.1f} GB. Lower WAREHOUSE_MEMORY_LIMIT; DuckDB then spills to disk."
        )


def machine_memory() -> int:
    """Bytes of memory that the machine has, or that its container is held to."""
    import psutil

    limit = CONTAINER_MEMORY.read_text(encoding="ascii").strip() if CONTAINER_MEMORY.is_file() else "max"
    total = int(psutil.virtual_memory().total)
    return min(total, int(limit)) if limit.isdecimal() else total


def check_component(records: int, largest: int) -> None:
    """Stop when more records hang together than any real person has.

    Raises:
        NightRefused: a value that many records share must have come in as if it were an identifier.
    """
    if records > largest:
        raise NightRefused(
            f"{records:,} records hang together as one person; at most {largest:,} are believed."
            " Look for a default value in last night's deliveries (ops.check_result), quarantine it, and run linkage again."
        )


def check_night(connection: psycopg.Connection, night: date, tonight: Measures, limits: GuardPolicy) -> None:
    """Stop when tonight's measures lie far from those of the last nights, or one person has too many records.

    Args:
        tonight: measures by name and feed.

    Raises:
        NightRefused: a measure is beyond its limit and nobody has accepted that for this night.
    """
    largest = tonight.get(("largest_cluster", ""), 0)
    if largest > limits.largest_cluster and not is_accepted(connection, night, "largest_cluster"):
        raise NightRefused(
            f"One person would have {largest:,.0f} records; at most {limits.largest_cluster:,} are believed. Look for a default value in last night's"
            f" deliveries (ops.check_result), or let the night pass: {_how_to_accept(night, 'largest_cluster')}"
        )
    asked = {"night": night, "nights": limits.nights_compared, "needed": limits.nights_needed}
    usual = {(metric, feed): float(value) for metric, feed, value in connection.execute(USUAL, asked).fetchall()}
    found = list(drifted(tonight, usual, limits))
    if found and not is_accepted(connection, night, "drift"):
        raise NightRefused(
            f"Linkage looks unlike the last {limits.nights_compared} nights: {'; '.join(found)}."
            f" Look at what the feeds delivered, and if it is right let the night pass: {_how_to_accept(night, 'drift')}"
        )


def drifted(tonight: Measures, usual: Measures, limits: GuardPolicy) -> Iterator[str]:
    """The measures that lie too far from what is usual, each told with its value, the usual value and the limit.

    A feed that has no records any more has lost all its identifiers.
    """
    for (metric, feed), expected in sorted(usual.items()):
        value = tonight.get((metric, feed), 0.0)
        measure = f"{metric} of {feed}" if feed else metric
        told = f"{measure} is {value:.4g}, usually {expected:.4g}"
        if metric.startswith("completeness_") and expected - value > limits.completeness_drop:
            yield f"{told}, and may fall by {limits.completeness_drop:g}"
        elif metric == "mean_match_weight" and abs(value - expected) > limits.mean_weight_shift:
            yield f"{told}, and may move by {limits.mean_weight_shift:g} bits"
        elif metric == "edges_per_record" and abs(value - expected) > limits.edges_per_record_change * expected:
            yield f"{told}, and may move by {limits.edges_per_record_change:.0%}"


def check_churn(connection: psycopg.Connection, night: date, churn: Mapping[str, Churn], rules: Policy) -> None:
    """Stop when too many records that were linked before would get another person, at any certainty.

    Raises:
        NightRefused: the share is above the limit, more records than the floor are concerned, and nobody has accepted it for this night.
    """
    too_much = {certainty: found for certainty, found in churn.items() if found.share > rules.churn_limit and found.moved > rules.guards.churn_floor}
    if too_much and not is_accepted(connection, night, "churn"):
        told = "; ".join(f"{found.share:.2%} at {certainty} ({found.moved:,} of {found.kept:,} records)" for certainty, found in too_much.items())
        raise NightRefused(
            f"Churn of person ids is {told}; usually it is near nothing, and {rules.churn_limit:.2%} is the limit."
            f" Nothing has been written. If the change is wanted: {_how_to_accept(night, 'churn')}"
        )


def is_accepted(connection: psycopg.Connection, night: date, guard: str) -> bool:
    """Whether somebody has let this night pass the guard."""
    found = connection.execute("select exists (select from ops.linkage_approval where night = %s and guard = %s)", [night, guard]).fetchone()
    return found == (True,)


def accept(night: date, guard: str, reason: str, by: str) -> None:
    """Let a night pass a guard that stopped it; the night may then be run again.

    Args:
        guard: one of `ACCEPTABLE`.
        reason: why, for the record; it must say something.
        by: who says so.

    Raises:
        ValueError: there is no such guard, or no reason is given.
        DatabaseFault: the approval could not be recorded.
    """
    if guard not in ACCEPTABLE:
        raise ValueError(f"The guards that can be accepted are: {', '.join(ACCEPTABLE)}")
    if not reason.strip():
        raise ValueError("Say why the night may pass")
    with clean_errors("record an approval"), connect("linker") as connection:
        connection.execute(
            "insert into ops.linkage_approval (night, guard, reason, approved_by) values (%s, %s, %s, %s)"
            " on conflict (night, guard) do update set reason = excluded.reason, approved_by = excluded.approved_by, approved_at = now()",
            [night, guard, reason, by],
        )


def _how_to_accept(night: date, guard: str) -> str:
    return f"`warehouse linkage accept-churn --guard {guard} --date {night.isoformat()} --reason ...`, then run linkage again."
