"""The report's section on needs assessment: people into, through and out of treatment, and what they need."""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns
from warehouse.publish.report.products import needs_assessment_charts as charts

TITLE = "Needs assessment"
TABLES = ("published_needs_assessment",)
NEEDS = """
select financial_year, population, theme, measure, category, unit, people, people_in_population, value::float8, lower_95::float8, upper_95::float8
from published.published_needs_assessment
where cut = 'adults' and area_level = 'country' and area_code = 'E92000001'
order by financial_year, population, theme, measure, category
"""
POPULATIONS = {"in treatment": "In treatment", "new to treatment": "New to treatment", "left treatment": "Left treatment"}
# What is drawn of the latest year: measures whose answers say what is needed, and of those with two answers the one that does.
DRAWN = {"referral route": "How they came", "kind of substance": "What they use"}
NEED_ANSWERS = {
    "currently injecting": "currently injecting",
    "housing problem": "housing problem",
    "not in paid work": "not in paid work",
    "treatment need": "mental health treatment need",
    "children at home": "children at home",
    "treated before": "treated before",
}
NEEDS_PANEL = "What else they need"
PANELS = [*DRAWN.values(), NEEDS_PANEL]
HOW_TO_READ = (
    "England, adults; every authority has the same table in published_needs_assessment. A person counts once in each population of a year. Shares are of "
    "all people of the population, also of those whose answer is not known; substances add up to more than 100 %, as a person may name three. Unmet need is "
    "an estimate from the overlap of agencies' lists, and as uncertain as its interval says."
)

Row = dict[str, Any]


def section(connection: Connection[Any]) -> Section:
    """England's pack: numbers by year, and the answers of the latest year beside those of the year before."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(NEEDS).fetchall()
    return draw(rows)


def draw(rows: list[Row]) -> Section:
    """The section from rows of published_needs_assessment of one area and cut."""
    treated = [row for row in rows if row["population"] in POPULATIONS]
    if not treated:
        return Section("needs-assessment", TITLE, [Note("No financial year is known whole yet, so there is nothing to assess.")])
    years = sorted({row["financial_year"] for row in treated})
    latest, before = years[-1], years[-2] if len(years) > 1 else None
    blocks: list[Block] = [Note(HOW_TO_READ), *_numbers(treated), *_answers(treated, latest), _unmet(rows), _table(treated, latest, before)]
    return Section("needs-assessment", TITLE, [block for block in blocks if not (isinstance(block, Table) and not block.rows)])


def _numbers(rows: list[Row]) -> list[Block]:
    points = [
        {"year": row["financial_year"], "population": POPULATIONS[row["population"]], "people": row["people"]}
        for row in rows
        if row["measure"] == "people" and row["people"] is not None
    ]
    if not points:
        return []
    alt = "People by year: " + "; ".join(f"{point['population'].lower()} in {point['year']}: {point['people']:,}" for point in points) + "."
    return [Figure(charts.numbers(points), alt, "People into, in and out of treatment by financial year, England")]


def _answers(rows: list[Row], year: str) -> list[Block]:
    points = []
    for row in sorted(rows, key=lambda row: -(row["value"] or 0)):
        panel = DRAWN.get(row["measure"]) or (NEEDS_PANEL if row["category"] in NEED_ANSWERS else None)
        if panel and row["financial_year"] == year and row["population"] == "new to treatment" and row["value"] is not None:
            points.append(
                {
                    "panel": panel,
                    "answer": NEED_ANSWERS.get(row["category"], row["category"]),
                    "share": row["value"] / 100,
                    "low": row["lower_95"] / 100,
                    "high": row["upper_95"] / 100,
                }
            )
    if not points:
        return []
    alt = f"Of those new to treatment in {year}: " + "; ".join(f"{point['answer']} {point['share']:.0%}" for point in points) + "."
    points.sort(key=lambda point: PANELS.index(point["panel"]))
    return [Figure(charts.answers(points), alt, f"People new to treatment in {year}, England: share with each answer and its 95 % interval")]


def _unmet(rows: list[Row]) -> Table:
    estimates = [row for row in rows if row["theme"] == "unmet need"]
    years = sorted({row["financial_year"] for row in estimates})
    lines = []
    for year in years:
        found = {row["measure"]: row for row in estimates if row["financial_year"] == year}
        users, share = found.get("people"), found.get("not in treatment")
        if users and share and users["value"] is not None:
            lines.append([year, _number(users["people"]), _value(users), _interval(users), _value(share), _interval(share)])
    names = columns("Year", "#In treatment", "#Estimated users", "#95 % interval", "#Not in treatment", "#95 % interval")
    return Table("Opiate and crack users and how many are not in treatment (prevalence estimate)", names, lines)


def _table(rows: list[Row], year: str, before: str | None) -> Table:
    earlier = {(row["population"], row["measure"], row["category"]): row for row in rows if row["financial_year"] == before}
    lines = [
        [
            POPULATIONS[row["population"]], row["theme"], row["measure"], row["category"], _number(row["people"]), _value(row), _interval(row),
            _value(earlier.get((row["population"], row["measure"], row["category"]))),
        ]
        for row in sorted(rows, key=lambda row: list(POPULATIONS).index(row["population"]))
        if row["financial_year"] == year
    ]  # fmt: skip
    names = columns("Population", "Theme", "Measure", "Answer", "#People", "#Value", "#95 % interval", f"#{before or 'Year before'}")
    return Table(f"All measures of {year}, England", names, lines, is_detail=True)


def _value(row: Row | None) -> str:
    if row is None:
        return ""
    if row["value"] is None:
        return "withheld"
    return {"people": f"{row['value']:,.0f}", "years": f"{row['value']:.1f} years"}.get(row["unit"], f"{row['value']:.1f} %")


def _interval(row: Row) -> str:
    if row["lower_95"] is None or row["upper_95"] is None:
        return ""
    digits = 0 if row["unit"] == "people" else 1
    return f"{row['lower_95']:,.{digits}f} to {row['upper_95']:,.{digits}f}"


def _number(count: int | None) -> str:
    return "withheld" if count is None else f"{count:,}"
