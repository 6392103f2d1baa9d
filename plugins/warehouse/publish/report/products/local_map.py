"""The report's section on small areas: treatment needs and offences where people live, as a map and a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Figure, Note, Section, Table, columns

ANCHOR, TITLE = "local-map", "Needs and offences by district"
TABLES = ("published_local_map",)
# Measures drawn side by side, and those of the table.
DRAWN = ("in treatment", "proven offences")
TABLED = ("in treatment", "need not in treatment", "proven offences", "acquisitive offences")
DISTRICTS_SHOWN = 15
# More words than these and they lie on each other.
NAMED, COUNTED = 6, 30

LATEST = """
select measure, measure_label, financial_year, area_name, count, per_1000::float8, longitude::float8, latitude::float8
from published.published_local_map m
where cut = 'adults' and area_level = 'district'
  and financial_year = (select max(financial_year) from published.published_local_map l where l.measure = m.measure and l.cut = m.cut)
order by count desc, area_name
"""


@dataclass(frozen=True)
class Place:
    """A district's published count of one measure, in the measure's latest year."""

    measure: str
    measure_label: str
    financial_year: str
    area_name: str
    count: int
    per_1000: float | None
    longitude: float | None
    latitude: float | None


def section(connection: Connection[Any]) -> Section:
    """Read what is published and draw it."""
    with connection.cursor(row_factory=class_row(Place)) as places:
        return draw(tuple(places.execute(LATEST)))


def draw(places: tuple[Place, ...]) -> Section:
    """Two maps of circles, and the districts with most people in treatment."""
    if not places:
        return Section(ANCHOR, TITLE, [Note("No count of a district is large enough to be published.")])
    year = max(place.financial_year for place in places)
    drawn = [place for place in places if place.measure in DRAWN and place.longitude is not None]
    alt = "; ".join(f"{label}: {', '.join(f'{p.area_name} {p.count:,}' for p in ps[:NAMED])}" for label, ps in _by_label(drawn).items())
    figures = [Figure(maps(drawn), f"Districts as circles. {alt}.", f"Adults in treatment and proven offences by where people live, {year}")] if drawn else []
    counts = {(place.measure, place.area_name): place for place in places}
    names = list(dict.fromkeys(place.area_name for measure in TABLED for place in places if place.measure == measure))[:DISTRICTS_SHOWN]
    titles = {place.measure: place.measure_label for place in places}
    shown = [measure for measure in TABLED if measure in titles]
    return Section(
        ANCHOR,
        TITLE,
        [
            Note(
                "Adults by where they live, which is not where an offence happened: offences by LSOA, where police tell it, are in the published table. Counts "
                "are rounded to 5; where fewer than five people would be told nothing is shown. `warehouse products map` writes each measure as GeoJSON."
            ),
            *figures,
            Table(
                f"Districts with most people in treatment, {year}",
                columns("District", *(f"#{titles[measure]}" for measure in shown)),
                [[name, *(_told(counts.get((measure, name))) for measure in shown)] for name in names],
            ),
        ],
    )


def maps(places: list[Place]) -> str:
    """A circle for each district, its area the count; a map for each measure, north at the top."""
    import altair as alt

    drawn = []
    for label, found in _by_label(places).items():
        values = [
            {
                "name": place.area_name if rank < NAMED else "",
                "people": place.count,
                "told": f"{place.count:,}" if rank < COUNTED else "",
                "longitude": place.longitude,
                "latitude": place.latitude,
            }
            for rank, place in enumerate(found)
        ]
        base = alt.Chart(alt.Data(values=values)).encode(longitude="longitude:Q", latitude="latitude:Q")
        size = alt.Size("people:Q", scale=alt.Scale(range=[20, 1400], domainMin=0), legend=None)
        circles = base.mark_circle(color=charts.TURQUOISE, opacity=0.65, stroke=charts.DARK_BLUE, strokeWidth=1).encode(size=size)
        counts = base.mark_text(fontWeight="bold").encode(text="told:N")
        names = base.mark_text(dy=23, fontSize=11).encode(text="name:N")
        title = alt.Title(label, fontSize=13, fontWeight="bold", anchor="start")
        drawn.append((circles + counts + names).project("mercator").properties(width=charts.WIDTH // 2 - 40, height=380, title=title))
    return charts.svg(alt.hconcat(*drawn).resolve_scale(size="independent"), "local-map")


def _by_label(places: list[Place]) -> dict[str, list[Place]]:
    ordered = sorted(places, key=lambda place: DRAWN.index(place.measure))
    return {label: [place for place in places if place.measure_label == label] for label in dict.fromkeys(place.measure_label for place in ordered)}


def _told(place: Place | None) -> str:
    """The count, and its rate per 1,000 residents; nothing where it is withheld."""
    if place is None:
        return ""
    return f"{place.count:,}" if place.per_1000 is None else f"{place.count:,} ({place.per_1000:.2f} per 1,000)"
