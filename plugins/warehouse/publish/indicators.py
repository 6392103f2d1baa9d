"""Read the latest indicators and exit reasons from what is published: no small number can get into the report this way."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from warehouse.publish.catalogue import relations
from warehouse.publish.indicator_facts import ExitShare, IndicatorFigure, Indicators

FIGURES_TABLE, EXITS_TABLE = "published_indicators", "published_exit_reasons"

FIGURES = """
with latest as (
    select indicator, max(period_end) as period_end from published.published_indicators group by indicator
),
authorities as (
    select indicator, period_end,
           count(*) filter (where compared_with_england = 'better') as better,
           count(*) filter (where compared_with_england = 'similar') as similar,
           count(*) filter (where compared_with_england = 'worse') as worse
    from published.published_indicators
    where area_level = 'authority' and breakdown = 'all'
    group by indicator, period_end
)
select f.indicator, f.indicator_title, f.measure, f.per, f.period, f.period_start, f.period_end,
       f.value::float8, f.lower_95::float8, f.upper_95::float8, f.units, f.units_all, f.direction,
       coalesce(a.better, 0), coalesce(a.similar, 0), coalesce(a.worse, 0)
from published.published_indicators f
join latest using (indicator, period_end)
left join authorities a using (indicator, period_end)
where f.area_level = 'country' and f.area_code = 'E92000001' and f.breakdown = 'all'
order by f.indicator_title, f.indicator
"""

EXITS = """
select end_financial_year, exit_reason, outcome_group, journeys, percent::float8
from published.published_exit_reasons
where area_level = 'country' and area_code = 'E92000001' and drug_group = 'all'
  and end_financial_year = (select max(end_financial_year) from published.published_exit_reasons where is_complete)
order by exit_reason = 'all', exit_reason = 'missing', percent desc nulls last, exit_reason
"""


def indicators(connection: Connection[Any]) -> Indicators:
    """The latest published indicators and exit reasons of England; empty parts where nothing is published yet."""
    published = relations(connection, "published")
    figures = tuple(IndicatorFigure(*row) for row in connection.execute(FIGURES)) if FIGURES_TABLE in published else ()
    exits = tuple(ExitShare(*row) for row in connection.execute(EXITS)) if EXITS_TABLE in published else ()
    return Indicators(figures, exits)
