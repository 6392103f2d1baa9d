"""A steward's way through the pairs of a sample: which pair is shown, what was decided, and the page that shows it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from warehouse.link.review.compare import lines
from warehouse.link.review.decisions import VERDICTS, Pair, Verdict, decide

TEMPLATES = Path(__file__).with_name("templates")
KEYS: dict[Verdict, str] = {"same": "s", "different": "d", "cannot tell": "c"}


class Session:
    """The pairs of one night before one steward. Holds identifiers in memory, for as long as the page is open."""

    def __init__(self, night: date, steward: str, pairs: list[Pair]) -> None:
        self.night, self.steward, self.pairs = night, steward, pairs
        self.at = 0
        self._to_next_undecided(start=0)
        environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self._template = environment.get_template("review.html.j2")
        self._style = Markup((TEMPLATES / "review.css").read_text(encoding="utf-8"))  # our own file

    @property
    def decided(self) -> int:
        """Pairs with a verdict of this steward."""
        return sum(pair.verdict is not None for pair in self.pairs)

    def judge(self, pair_id: UUID, verdict: Verdict) -> None:
        """Keep a verdict and go on to the next pair without one. A pair that is not in the sample changes nothing.

        Raises:
            LinkageFault: the pair is not of a sample any more.
            DatabaseFault: the database refused.
        """
        place = next((n for n, pair in enumerate(self.pairs) if pair.pair_id == pair_id), None)
        if place is not None:
            decide(pair_id, verdict, self.steward)
            self.pairs[place] = replace(self.pairs[place], verdict=verdict)
            self._to_next_undecided(start=place + 1)

    def back(self) -> None:
        """Show the pair before, whether it has a verdict or not."""
        self.at = max(self.at - 1, 0)

    def skip(self) -> None:
        """Show the next pair without a verdict, leaving this one without."""
        self._to_next_undecided(start=self.at + 1)

    def _to_next_undecided(self, start: int) -> None:
        """Go to the next pair without a verdict, from `start` on and then from the beginning; past the end when there is none."""
        order = [*range(start, len(self.pairs)), *range(min(start, len(self.pairs)))]
        self.at = next((n for n in order if self.pairs[n].verdict is None), len(self.pairs))

    def page(self) -> tuple[str, str]:
        """The page as it stands, and the nonce that its style and script carry."""
        nonce = secrets.token_urlsafe(16)
        pair = self.pairs[self.at] if self.at < len(self.pairs) else None
        text = self._template.render(
            night=self.night,
            steward=self.steward,
            decided=self.decided,
            total=len(self.pairs),
            pair=pair,
            number=self.at + 1,
            lines=lines(pair) if pair else [],
            keys=KEYS,
            style=self._style,
            nonce=nonce,
        )
        return text, nonce


def verdict_of(text: str) -> Verdict | None:
    """The verdict that a form sent; None when it is none."""
    return next((verdict for verdict in VERDICTS if verdict == text), None)
