"""The summary of a night, for the end of a run and for the report."""

from __future__ import annotations

from datetime import date

from warehouse.database import clean_errors, connect
from warehouse.publish import reading
from warehouse.publish.console import print_summary
from warehouse.publish.facts import NightSummary
from warehouse.publish.indicators import indicators
from warehouse.publish.outcomes import outcomes

__all__ = ["NightSummary", "night_summary", "print_summary"]


def night_summary(night: date) -> NightSummary:
    """What happened on a night: deliveries, links, outcomes, times. Marts are read as they are live now.

    Raises:
        DatabaseFault: the database could not be read.
    """
    with clean_errors("summarise the night"), connect("analyst") as connection:
        # One snapshot, so that totals agree with their parts while other stages write.
        connection.execute("set transaction isolation level repeatable read, read only")
        return NightSummary(
            night=night,
            publication=reading.publication(connection),
            feeds=reading.feed_loads(connection, night),
            coverage=reading.coverage(connection, night),
            linkage=reading.linkage(connection, night),
            outcomes=outcomes(connection, night),
            stages=reading.stage_times(connection, night),
            marts=reading.mart_rows(connection),
            erased=reading.erased(connection, night),
            indicators=indicators(connection),
        )
