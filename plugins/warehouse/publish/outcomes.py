"""Read the headline outcomes: the latest from `marts.outcome_recovery`, the trend from what is published."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from psycopg import Connection, sql

from warehouse.publish.catalogue import relations
from warehouse.publish.facts import Outcome, Outcomes, Tally, YearRate

MART, TREND = "outcome_recovery", "published_recovery_outcomes"

# One row per journey and outcome. People are counted beside journeys because it is small numbers of people that may not
# be told. Journeys that cannot be followed to the end yet are counted whenever they ended.
TALLIES = """
select a.indicator, a.status, count(*), count(distinct o.person_id)
from marts.outcome_recovery o
cross join lateral (values {indicators}) a (indicator, status, observable_on)
where a.status = 'not yet observable'
   or (a.observable_on > %(night)s::date - interval '1 year' and a.observable_on <= %(night)s::date)
group by a.indicator, a.status
"""

DEFINITIONS = """
select indicator, polarity = 'lower', title, definition, source, certainty
from reference.indicator_definitions
where indicator = any(%s)
"""

YEARS = """
select outcome, end_financial_year, percent_of_linked::float8, percent_of_linked_lower_95::float8, percent_of_linked_upper_95::float8,
       journeys_linked, is_follow_up_complete
from published.published_recovery_outcomes
where area_level = 'all areas' and drug_group = 'all'
order by outcome, end_financial_year
"""


def outcomes(connection: Connection[Any], night: date) -> Outcomes:
    """The outcomes of the journeys whose follow-up was completed in the year to the night, and the trend by year.

    Parts whose tables are not there (yet) are empty.
    """
    published = relations(connection, "published")
    years = tuple(YearRate(*row) for row in connection.execute(YEARS)) if TREND in published else ()
    return Outcomes(_recent(connection, night), years)


def _recent(connection: Connection[Any], night: date) -> tuple[Outcome, ...]:
    mart = relations(connection, "marts").get(MART)
    columns = [column.name for column in mart.columns] if mart else []
    indicators = [name for name in columns if f"{name}_observable_on" in columns]
    if not indicators or "indicator_definitions" not in relations(connection, "reference"):
        return ()
    definitions: dict[str, tuple[str, str, str, str]] = {}
    adverse: set[str] = set()
    for name, is_adverse, *rest in connection.execute(DEFINITIONS, [indicators]):
        definitions[name] = (rest[0], rest[1], rest[2], rest[3])
        adverse |= {name} if is_adverse else set()
    tallies: dict[str, dict[str, Tally]] = defaultdict(dict)
    query = sql.SQL(TALLIES).format(indicators=sql.SQL(", ").join(_asked(name) for name in indicators))
    for indicator, status, journeys, people in connection.execute(query, {"night": night}):
        tallies[indicator][status] = Tally(journeys, people)
    return tuple(Outcome(i, *definitions.get(i, (i.replace("_", " "), "", "", "")), tallies[i], i in adverse) for i in indicators)


def _asked(indicator: str) -> sql.Composable:
    return sql.SQL("({}, o.{}, o.{})").format(sql.Literal(indicator), sql.Identifier(indicator), sql.Identifier(f"{indicator}_observable_on"))
