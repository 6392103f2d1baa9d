"""Find records that contradict each other inside what the edges connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.link import guards
from warehouse.link.cluster import connected_components
from warehouse.link.form import CLEAR, Form
from warehouse.link.workspace import one_row, run_script

if TYPE_CHECKING:
    import duckdb


def find_conflicts(session: duckdb.DuckDBPyConnection, edges: str, largest_component: int, form: Form = CLEAR) -> None:
    """Make `component` (record_no, cluster_no) of `edges`, and `conflict` (record_l, record_r): pairs inside a component that cannot be one person.

    Raises:
        NightRefused: a component has more records than `largest_component`.
    """
    connected_components(session, edges, "component")
    (size,) = one_row(session, "select coalesce(max(n), 0) from (select count(*) as n from component group by cluster_no)")
    guards.check_component(size, largest_component)
    find_in_components(session, form)


def find_in_components(session: duckdb.DuckDBPyConnection, form: Form = CLEAR) -> None:
    """Make `conflict` from a `component` (record_no, cluster_no) that is there."""
    run_script(session, "conflicting_numbers.sql")
    form.run(session, "conflicting_dates.sql")
