"""Helpers of the publication and report tests: build small slots by hand, the way dbt would."""

from __future__ import annotations

from datetime import date

from warehouse.database import connect, ops
from warehouse.publish.slots import idle_slot

FIRST_NIGHT = date(2026, 11, 1)
SECOND_NIGHT = date(2026, 11, 2)
PEOPLE = "create table {schema}.dim_person as select n as person_no, {value}::text as night_no from generate_series(1, 5) n"
RATES = "create table {schema}.outcome_rates as select 'settled'::text as outcome, {value}::text as night_no"
EXPECTED = {"marts": frozenset({"dim_person"}), "published": frozenset({"outcome_rates"})}
STAGES = ("model.staging", "model.intermediate", "model.marts", "model.estimates", "model.published")


def build(night: date, *statements: str, value: str = "'one'", stages: tuple[str, ...] = STAGES) -> str:
    """Build the idle slot and record the stages that passed; returns the slot."""
    with connect("transformer") as connection:
        slot = idle_slot(connection)
        for layer, statement in (("marts", PEOPLE), ("published", RATES)):
            table = statement.split()[2].format(schema=f"{layer}_{slot}")
            connection.execute(f"drop table if exists {table}")
            connection.execute(statement.format(schema=f"{layer}_{slot}", value=value))
        for statement in statements:
            connection.execute(statement.format(slot=slot))
    for stage in stages:
        with ops.stage_run(night, stage):
            pass
    return slot


def seen(role: str = "analyst", view: str = "marts.dim_person") -> set[str]:
    """The nights a role sees in a view."""
    with connect(role) as connection:
        return {row[0] for row in connection.execute(f"select night_no from {view}")}
