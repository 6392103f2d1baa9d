"""Find records that contradict each other inside what the edges connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link.cluster import connected_components
from warehouse.link.errors import LinkageFault
from warehouse.link.workspace import one_row, run_script

if TYPE_CHECKING:
    import duckdb


def find_conflicts(session: duckdb.DuckDBPyConnection, edges: str, largest_component: int) -> None:
    """Make `conflict` (record_l, record_r): pairs inside a connected component of `edges` that cannot be one person.

    Raises:
        LinkageFault: a component has more records than `largest_component`; no real person has so many, so a value that
            many records share must have come in as if it were an identifier.
    """
    connected_components(session, edges, "component")
    (size,) = one_row(session, "select coalesce(max(n), 0) from (select count(*) as n from component group by cluster_no)")
    if size > largest_component:
        raise LinkageFault(
            f"{size:,} records hang together as one person; at most {largest_component:,} are believed."
            " Look for a default value in last night's deliveries (ops.check_result), quarantine it, and run linkage again."
        )
    run_script(session, "conflicts.sql")
