"""Put the report together: facts at the head, sections, and the template that draws them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from warehouse.publish.disclosure import people
from warehouse.publish.facts import NightSummary
from warehouse.publish.report.blocks import Fact, Section
from warehouse.publish.report.history import History
from warehouse.publish.report.indicator_section import indicator_section
from warehouse.publish.report.linkage_section import linkage_section
from warehouse.publish.report.load_sections import load_section, owes_nothing, quality_section
from warehouse.publish.report.outcome_section import outcome_section
from warehouse.publish.report.run_sections import coverage_section, publication_section, timing_section

TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Charts are the only text that is markup already; they are drawn here from escaped values.
    environment.filters["drawn"] = Markup
    return environment


def page(summary: NightSummary, history: History, products: Sequence[Section] = ()) -> str:
    """The report as one HTML page that loads nothing from anywhere.

    Args:
        products: the sections of the products, after those of the outcomes.
    """
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            night=summary.night,
            is_live=summary.publication is not None and summary.publication.night == summary.night,
            publication=summary.publication,
            stale=summary.stale,
            facts=_facts(summary),
            sections=_sections(summary, history, products),
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        )
    )


def _sections(summary: NightSummary, history: History, products: Sequence[Section]) -> list[Section]:
    return [
        outcome_section(summary.outcomes),
        indicator_section(summary.indicators),
        *products,
        load_section(summary.feeds, history, summary.night, summary.erased, _on_time(summary)),
        quality_section(summary.feeds, history),
        linkage_section(summary.linkage, history),
        coverage_section(summary),
        timing_section(summary, history),
        publication_section(summary),
    ]


def _facts(summary: NightSummary) -> list[Fact]:
    admitted = sum(feed.status == "admitted" for feed in summary.feeds)
    owed = sum(not owes_nothing(feed, _on_time(summary)) for feed in summary.feeds)
    received, quarantined = sum(feed.received for feed in summary.feeds), sum(feed.quarantined for feed in summary.feeds)
    facts = [
        Fact(
            "Feeds admitted",
            f"{admitted} of {owed}",
            "of those that owed a delivery, delivered and passed",
            is_warning=admitted < owed,
        ),
        Fact("Feeds on time", f"{len(summary.coverage) - len(summary.stale)} of {len(summary.coverage)}", _late(summary), is_warning=bool(summary.stale)),
        Fact("Rows received", f"{received:,}", f"{quarantined / received:.2%} quarantined" if received else "nothing came"),
        Fact("People", people(summary.linkage.persons), f"in {summary.linkage.records:,} records" if summary.linkage.records else ""),
    ]
    precision, recall = (summary.linkage.accuracy(measure)[0] for measure in ("named_pair_precision", "named_pair_recall"))
    if precision is not None and recall is not None:
        facts.append(Fact("Links found", f"{recall:.1%}", f"of those with names; {precision:.1%} of links are right"))
    seconds = sum(stage.seconds or 0 for stage in summary.stages)
    failed = [stage.label for stage in summary.stages if stage.status == "failed"]
    facts.append(
        Fact(
            "Work of the stages",
            _duration(seconds),
            f"failed: {', '.join(failed)}" if failed else "no stage failed",
            is_warning=bool(failed),
        )
    )
    return facts


def _on_time(summary: NightSummary) -> set[str]:
    return {coverage.feed for coverage in summary.coverage if coverage.last_night and not coverage.is_stale}


def _late(summary: NightSummary) -> str:
    return f"late: {', '.join(feed.feed for feed in summary.stale)}" if summary.stale else "by the cadence of their contracts"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
