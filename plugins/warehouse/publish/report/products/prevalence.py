"""The report's section on prevalence: how many people use opiates or crack, whom nobody knows among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns

ANCHOR, TITLE = "prevalence", "Prevalence of opiate and crack use"
TABLES = ("published_prevalence", "published_prevalence_models")
WITHHELD = "withheld"
AUTHORITIES_SHOWN = 12
SEEN = {"in treatment": charts.DARK_BLUE, "seen elsewhere": charts.TURQUOISE, "not seen": charts.LILAC}

ESTIMATES = """
select financial_year, area_level, area_name, users_seen, users_in_treatment, estimated_users, lower_95, upper_95,
       users_per_1000::float8, percent_not_in_treatment::float8, method, note, warnings
from published.published_prevalence
where certainty = 'balanced' and cut = 'adults'
order by financial_year, case area_level when 'country' then 1 when 'region' then 2 else 3 end, estimated_users desc nulls last, area_name
"""

CERTAINTIES = """
select certainty, estimated_users, lower_95, upper_95
from published.published_prevalence
where cut = 'adults' and area_level = 'country' and financial_year = (select max(financial_year) from published.published_prevalence where cut = 'adults')
order by case certainty when 'strict' then 1 when 'balanced' then 2 else 3 end
"""

MODELS = """
select model, degrees, bic_above_best::float8, percent_weight::float8, estimated_users
from published.published_prevalence_models
where cut = 'adults' and area_level = 'country'
order by place
"""


@dataclass(frozen=True)
class Estimate:
    """A row of published_prevalence; numbers of people, null when withheld or refused."""

    financial_year: str
    area_level: str
    area_name: str
    users_seen: int | None
    users_in_treatment: int | None
    estimated_users: int | None
    lower_95: int | None
    upper_95: int | None
    users_per_1000: float | None
    percent_not_in_treatment: float | None
    method: str
    note: str | None
    warnings: str | None


@dataclass(frozen=True)
class ByCertainty:
    """England's estimate at one certainty of linkage."""

    certainty: str
    estimated_users: int | None
    lower_95: int | None
    upper_95: int | None


@dataclass(frozen=True)
class Model:
    """A log-linear model of England's lists."""

    model: str
    degrees: int
    bic_above_best: float
    percent_weight: float
    estimated_users: int


@dataclass(frozen=True)
class Prevalence:
    """What the section shows."""

    estimates: tuple[Estimate, ...]
    certainties: tuple[ByCertainty, ...]
    models: tuple[Model, ...]


def section(connection: Connection[Any]) -> Section:
    """Read what is published and draw it."""
    with connection.cursor(row_factory=class_row(Estimate)) as estimates:
        found = tuple(estimates.execute(ESTIMATES))
    with connection.cursor(row_factory=class_row(ByCertainty)) as certainties:
        by_certainty = tuple(certainties.execute(CERTAINTIES))
    with connection.cursor(row_factory=class_row(Model)) as models:
        return draw(Prevalence(found, by_certainty, tuple(models.execute(MODELS))))


def draw(found: Prevalence) -> Section:
    """England by year, the models its latest estimate is averaged over, areas of the latest year."""
    if not found.estimates:
        return Section(ANCHOR, TITLE, [Note("No year is complete at treatment, police, prisons and housing alike, so nothing can be estimated.")])
    latest = [estimate for estimate in found.estimates if estimate.financial_year == found.estimates[-1].financial_year]
    shown = [e for e in latest if e.area_level != "authority"] + [e for e in latest if e.area_level == "authority"][:AUTHORITIES_SHOWN]
    blocks: list[Block] = [
        Note(
            "Adults aged 18 to 64 who use opiates or crack, estimated from how the lists of treatment, police, prisons and housing overlap. The estimate takes "
            "links between records as right: missed ones make it too large. Many models of the overlap are possible: each has a say by how well it fits, "
            "and the interval holds that choice. Places too thin for an estimate of their own are pooled with their region or England."
        ),
        *_by_year([e for e in found.estimates if e.area_level == "country"]),
        *_models(found.models),
        *(Note(f"{e.area_name}: {e.warnings}", is_warning=True) for e in latest if e.warnings and e.area_level == "country"),
        Table(
            f"Users estimated in {latest[0].financial_year}",
            columns("Area", "#Estimate", "#95 % interval", "#Per 1,000 residents", "#Seen", "#In treatment", "#Not in treatment", "How"),
            [_row(estimate) for estimate in shown],
        ),
        *_certainties(found.certainties),
    ]
    return Section(ANCHOR, TITLE, blocks)


def _by_year(england: list[Estimate]) -> list[Block]:
    known = [e for e in england if e.estimated_users is not None]
    if not known:
        return []
    alt = (
        "England: "
        + "; ".join(f"{e.financial_year} {e.estimated_users:,} ({e.lower_95:,} to {e.upper_95:,}), {_count(e.users_seen)} seen" for e in known)
        + "."
    )
    return [Figure(years_chart(known), alt, "Opiate and crack users in England: seen and estimated, with 95 % interval")]


def _models(models: tuple[Model, ...]) -> list[Block]:
    if not models:
        return []
    rows = [[_told(m.model), str(m.degrees), f"{m.bic_above_best:.1f}", f"{m.percent_weight:.0f} %", f"{m.estimated_users:,}"] for m in models]
    heaviest = models[0]
    alt = (
        f"Models of England's lists by weight; the first, {_told(heaviest.model)}, has {heaviest.percent_weight:.0f} % and gives {heaviest.estimated_users:,}."
    )
    heads = columns("Lists that depend on each other", "#Degrees of freedom", "#BIC above best", "#Weight", "#Estimate")
    return [
        Figure(models_chart(models), alt, "What each model of England's lists alone would estimate, and its say in the estimate"),
        Table("Models of England's lists", heads, rows, is_detail=True),
    ]


def _certainties(found: tuple[ByCertainty, ...]) -> list[Block]:
    rows = [[c.certainty, _count(c.estimated_users), _interval(c.lower_95, c.upper_95)] for c in found]
    return [Table("England's latest estimate at each certainty of linkage", columns("Certainty", "#Estimate", "#95 % interval"), rows, is_detail=True)]


def _row(estimate: Estimate) -> list[str]:
    e = estimate
    rate = "" if e.users_per_1000 is None else f"{e.users_per_1000:.2f}"
    untreated = "" if e.percent_not_in_treatment is None else f"{e.percent_not_in_treatment:.0f} %"
    numbers = [_count(e.estimated_users), _interval(e.lower_95, e.upper_95), rate, _count(e.users_seen), _count(e.users_in_treatment), untreated]
    return [e.area_name, *numbers, (e.note or e.method) if e.estimated_users is None else e.method]


def years_chart(england: list[Estimate]) -> str:
    """A bar for each year: in treatment, seen elsewhere, not seen; a line for the interval of all."""
    import altair as alt

    parts: list[dict[str, Any]] = []
    for e in england:
        treated, seen = e.users_in_treatment or 0, e.users_seen or 0
        people = (treated, seen - treated, max((e.estimated_users or 0) - seen, 0))
        parts += [{"year": e.financial_year, "who": who, "people": count, "place": place} for place, (who, count) in enumerate(zip(SEEN, people, strict=True))]
    limits = [{"year": e.financial_year, "low": e.lower_95, "high": e.upper_95, "estimate": e.estimated_users} for e in england]
    y = alt.Y("year:N", title=None, axis=alt.Axis(ticks=False, domain=False))
    scale = alt.Scale(domain=list(SEEN), range=list(SEEN.values()))
    bars = (
        alt.Chart(alt.Data(values=parts))
        .mark_bar(height=24)
        .encode(y=y, x=alt.X("people:Q", title="People (line: 95 % interval of all)"), color=alt.Color("who:N", scale=scale), order=alt.Order("place:Q"))
    )
    base = alt.Chart(alt.Data(values=limits)).encode(y=y)
    line = base.mark_rule(strokeWidth=3, color=charts.INK).encode(x="low:Q", x2="high:Q")
    point = base.mark_point(filled=True, size=80, color=charts.INK, opacity=1).encode(x="estimate:Q")
    label = base.mark_text(align="left", dx=8, fontWeight="bold").encode(x="high:Q", text=alt.Text("estimate:Q", format=","))
    return charts.svg((bars + line + point + label).properties(width=charts.WIDTH - 160, height=len(england) * 44), "prevalence-years")


def models_chart(models: tuple[Model, ...]) -> str:
    """A point for each model, larger by its weight, which stands beside it."""
    import altair as alt

    rows = [{"model": _told(m.model), "users": m.estimated_users, "weight": m.percent_weight, "told": f"{m.percent_weight:.0f} %"} for m in models]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("model:N", sort=[row["model"] for row in rows], title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=420)),
        x=alt.X("users:Q", title="Users estimated (beside each: its weight)", scale=alt.Scale(zero=False, nice=True, padding=30)),
    )
    points = base.mark_point(filled=True, color=charts.DARK_BLUE, opacity=1).encode(
        size=alt.Size("weight:Q", scale=alt.Scale(domain=[0, 100], range=[20, 800]), legend=None)
    )
    labels = base.mark_text(align="left", dx=16).encode(text="told:N")
    return charts.svg((points + labels).properties(width=charts.WIDTH - 400, height=len(rows) * charts.ROW_HEIGHT), "prevalence-models")


def _told(model: str) -> str:
    """What depends on what; the lists themselves are in every model."""
    pairs = [term.replace(":", " with ") for term in model.split(" + ") if ":" in term]
    return ", ".join(pairs) or "none: all lists independent"


def _count(count: int | None) -> str:
    return WITHHELD if count is None else f"{count:,}"


def _interval(low: int | None, high: int | None) -> str:
    return "" if low is None or high is None else f"{low:,} to {high:,}"
