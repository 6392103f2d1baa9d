"""The report's section on indicators: the latest published figures of England, and why treatment ended."""

from __future__ import annotations

from warehouse.publish.indicator_facts import ExitShare, IndicatorFigure, Indicators
from warehouse.publish.report.blocks import Block, Note, Section, Table, columns

WITHHELD = "withheld"
# What a figure is followed by; any other denominator is named.
UNITS = {("proportion", 100): " %", ("mean", 1): ""}


def indicator_section(found: Indicators) -> Section:
    """The latest figure of each indicator with interval, denominators, movement and spread of authorities; exit reasons."""
    if not found.figures:
        return Section("indicators", "Indicators", [Note("No period of any indicator is complete yet, so none can be shown.")])
    blocks: list[Block] = [
        Note(
            "England, each indicator for its latest period whose follow-up is complete, from what is published: counts are rounded to 5, figures come from "
            "rounded counts, and small ones are withheld. Linked: people, journeys or the like with a record at the agency that would know."
        ),
        Table(
            "Latest indicators",
            columns("Indicator", "Period", "#Figure", "#95 % interval", "#Linked", "#Linked or not", "Since the period before", "Authorities against England"),
            [_figure_row(figure) for figure in found.figures],
        ),
        *_exits(found.exits),
    ]
    return Section("indicators", "Indicators", blocks)


def _figure_row(figure: IndicatorFigure) -> list[str]:
    value = interval = WITHHELD
    if figure.value is not None:
        value = f"{figure.value:,.1f}{UNITS.get((figure.measure, figure.per), f' per {figure.per:,}')}"
        interval = "" if figure.lower is None or figure.upper is None else f"{figure.lower:,.1f} to {figure.upper:,.1f}"
    period = f"{figure.period_start:%b %Y} to {figure.period_end:%b %Y}"
    return [figure.title, period, value, interval, _count(figure.units), _count(figure.units_all), figure.direction or "", _spread(figure)]


def _spread(figure: IndicatorFigure) -> str:
    if not figure.better + figure.similar + figure.worse:
        return ""
    return f"{figure.better} better, {figure.similar} similar, {figure.worse} worse"


def _exits(exits: tuple[ExitShare, ...]) -> list[Block]:
    if not exits:
        return []
    rows = [[exit_.reason, exit_.outcome_group, _count(exit_.journeys), "" if exit_.percent is None else f"{exit_.percent:.1f} %"] for exit_ in exits]
    caption = f"Why treatment ended in {exits[0].year}; percentages are of journeys with a reason"
    return [Table(caption, columns("Reason", "Group", "#Journeys", "#Share"), rows)]


def _count(count: int | None) -> str:
    return WITHHELD if count is None else f"{count:,}"
