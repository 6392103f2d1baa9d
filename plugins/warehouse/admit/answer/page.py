"""The answer as a page that an agency can read, print and act on: it loads nothing, and holds no value but the agency's own ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from warehouse.admit.answer.facts import DeliveryFacts, Failed
from warehouse.admit.answer.listing import RowRule
from warehouse.contracts.model import Contract

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Verdict:
    """What became of the delivery, in a word and a sentence, and what the agency is asked to do."""

    word: str
    sentence: str
    asked: list[str]
    is_bad: bool = False


@dataclass(frozen=True)
class Broken:
    """A rule that rows broke, as the page tells it."""

    rule: RowRule
    message: str
    reason: str


def page(facts: DeliveryFacts, contract: Contract, whole: Sequence[Failed], rules: Sequence[Broken]) -> str:
    """The page of a delivery.

    Args:
        whole: checks about the delivery as a whole that failed.
        rules: rules that rows broke, in the order of the list.
    """
    quarantined = [broken for broken in rules if broken.rule.severity == "quarantine"]
    warned = [broken for broken in rules if broken.rule.severity != "quarantine"]
    return (
        _environment()
        .get_template("answer.html.j2")
        .render(
            facts=facts,
            contract=contract,
            verdict=_verdict(facts, contract, bool(whole), bool(quarantined), bool(warned)),
            whole=whole,
            sections=[(title, text, group) for title, text, group in _sections(facts, quarantined, warned) if group],
            shows_outcome=any(file.admitted is not None for file in facts.files),
            shows_erased=any(file.erased for file in facts.files),
            style=Markup((TEMPLATES / "answer.css").read_text(encoding="utf-8")),
        )
    )


def _verdict(facts: DeliveryFacts, contract: Contract, any_whole: bool, any_quarantined: bool, any_warned: bool) -> Verdict:
    """What to tell the agency first."""
    if facts.status == "refused":
        rows = " The rows listed after it may help to find the cause." if any_quarantined or any_warned else ""
        asked = [
            f"Correct what is told below under “The delivery as a whole”.{rows}",
            f"Send every file of the delivery again for {_day(facts)}; it is taken in as soon as it comes.",
        ]
        return Verdict("Refused", "Nothing of this delivery was taken in. The warehouse keeps what the last admitted delivery brought.", asked, is_bad=True)
    if facts.status == "duplicate":
        return Verdict("Received before", "Every file is the same, byte for byte, as in an earlier delivery: there was nothing to take in.", [])
    if facts.status == "superseded":
        return Verdict("Replaced", f"Delivery {facts.superseded_by} of the same night has taken its place.", [])
    if facts.status == "rejected":
        return Verdict("Withdrawn", "The warehouse took this delivery out again.", ["Send a corrected delivery, or ask us why."], is_bad=True)
    asked = []
    if any_quarantined:
        how = {
            "snapshot": "Correct the quarantined rows in your system: your next full delivery brings them.",
            "changes": "Correct the quarantined rows in your system, and send each of them again as an update or insert.",
            "events": "Correct the quarantined rows, and send them again with your next delivery.",
        }
        asked.append(how[contract.delivery.kind])
    if any_whole:
        asked.append("Read what is told about the delivery as a whole: it was taken in, but something in the export may have changed.")
    if any_warned:
        asked.append("Look at the rows with warnings. They were taken in as they are; correct those that are wrong.")
    sentence = "Your delivery was taken in, except for the quarantined rows." if any_quarantined else "Your delivery was taken in."
    return Verdict("Accepted", sentence, asked)


def _sections(facts: DeliveryFacts, quarantined: list[Broken], warned: list[Broken]) -> list[tuple[str, str, list[Broken]]]:
    if facts.status == "refused":
        return [("Rows that break rules", "They were found before the delivery was refused; only the first of each rule are listed.", quarantined + warned)]
    return [
        ("Quarantined rows", "These rows are not in the warehouse. All of them are in answer.csv.", quarantined),
        ("Warnings", "These rows were taken in as they are, but something in them is probably wrong.", warned),
    ]


def _day(facts: DeliveryFacts) -> str:
    return f"{facts.night:%-d %B %Y}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _change(now: int | None, before: int | None) -> str:
    """The difference between two counts, signed."""
    if now is None or before is None:
        return "–"
    return "the same" if now == before else f"{now - before:+,}".replace("-", "−")


def _size(value: int) -> str:
    return f"{value / 1_000_000:,.1f} MB" if value >= 1_000_000 else f"{value / 1000:,.1f} kB"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"count": _count, "size": _size}
    environment.globals |= {"change": _change}
    return environment
