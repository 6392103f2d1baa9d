"""The report's section on outcomes: what became of people after treatment."""

from __future__ import annotations

from warehouse.publish.disclosure import Share, journeys, share, told_share
from warehouse.publish.facts import Outcome, Outcomes
from warehouse.publish.report import charts
from warehouse.publish.report.blocks import Block, Figure, Note, Section, Table, columns


def outcome_section(outcomes: Outcomes) -> Section:
    """Latest rates with intervals and denominators, the trend by year, and the definitions."""
    if not outcomes.recent:
        return Section("outcomes", "Outcomes", [Note("The marts hold no outcomes yet, so none can be shown.", is_warning=True)])
    told = [(outcome, share(outcome)) for outcome in outcomes.recent]
    blocks: list[Block] = [
        Note(
            "For each outcome: the treatment journeys whose follow-up was completed in the year up to this night, of people known to the agency "
            "that would know. Journeys of people not linked to that agency and journeys ended by death are counted beside, not as failures."
        ),
        *_latest_chart([(outcome, known) for outcome, known in told if known]),
        Table(
            "Latest outcomes",
            columns("Outcome", "#Rate", "#95 % interval", "#With outcome", "#Followed up", "#Not linked", "#Died first", "#Not yet observable"),
            [_latest_row(outcome, known) for outcome, known in told],
        ),
        Note("Counts are rounded to 5; rates come from rounded counts; anything about fewer than 5 people is not shown."),
        *_trend(outcomes),
        Table(
            "What the outcomes mean",
            columns("Outcome", "Definition", "Source", "Certainty"),
            [[o.title, o.definition, o.source, o.certainty] for o in outcomes.recent],
            is_detail=True,
        ),
    ]
    return Section("outcomes", "Outcomes", blocks)


def _latest_chart(told: list[tuple[Outcome, Share]]) -> list[Block]:
    if not told:
        return []
    rows = []
    for outcome, known in told:
        low, high = known.interval()
        rows.append({"outcome": outcome.title, "rate": known.rate, "low": low, "high": high})
    alt = "Latest rates: " + "; ".join(f"{row['outcome']} {row['rate']:.1%}" for row in rows) + "."
    return [Figure(charts.outcome_rates(rows), alt, "Latest rates with 95 % intervals")]


def _latest_row(outcome: Outcome, known: Share | None) -> list[str]:
    rate = interval = ""
    if known:
        low, high = known.interval()
        rate, interval = f"{known.rate:.1%}", f"{low:.1%} to {high:.1%}"
    others = (journeys(outcome.tally(status)) for status in ("not linked", "censored by death", "not yet observable"))
    return [_title(outcome), rate, interval, *told_share(outcome), *others]


def _title(outcome: Outcome) -> str:
    return f"{outcome.title} (lower is better)" if outcome.is_adverse else outcome.title


def _trend(outcomes: Outcomes) -> list[Block]:
    titles = {outcome.indicator: outcome.title for outcome in outcomes.recent}
    rows = [
        {
            "outcome": titles.get(year.indicator, year.indicator),
            "year": year.year,
            "rate": year.percent / 100,
            "low": (year.percent if year.lower is None else year.lower) / 100,
            "high": (year.percent if year.upper is None else year.upper) / 100,
            "follow_up": "complete" if year.is_follow_up_complete else "still running",
            "linked": year.linked,
        }
        for year in sorted(outcomes.years, key=lambda y: (list(titles).index(y.indicator) if y.indicator in titles else len(titles), y.year))
        if year.percent is not None
    ]
    if len({row["year"] for row in rows}) < 2:
        return []
    alt = f"Rates by financial year of the end of treatment, {rows[0]['year']} to {rows[-1]['year']}; the figures are in the table that follows."
    return [
        Figure(
            charts.outcome_trend(rows),
            alt,
            "Rates by the financial year in which treatment ended, with 95 % intervals; hollow: follow-up still running",
        ),
        Table(
            "Published outcomes by year, all areas and drug groups",
            columns("Outcome", "Financial year", "#Rate", "#95 % interval", "#Followed up", "Follow-up"),
            [
                [
                    str(r["outcome"]),
                    str(r["year"]),
                    f"{r['rate']:.1%}",
                    f"{r['low']:.1%} to {r['high']:.1%}",
                    f"{r['linked'] or 0:,}",
                    str(r["follow_up"]),
                ]
                for r in rows
            ],
            is_detail=True,
        ),
    ]
