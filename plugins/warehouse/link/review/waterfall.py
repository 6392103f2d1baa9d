"""An explanation as a steward reads it: a table on the terminal, and a page with the waterfall and the identifiers in a private file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import accumulate
from math import log10
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from warehouse.link.explain import Explanation
from warehouse.link.review.compare import lines
from warehouse.link.review.decisions import Pair

if TYPE_CHECKING:
    from rich.table import Table

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Bar:
    """One step of the waterfall: from `start` to `end`, in bits, running total and all."""

    name: str
    level: str
    start: float
    end: float
    is_total: bool = False

    @property
    def bits(self) -> float:
        """What the step adds."""
        return self.end if self.is_total else self.end - self.start


def bars(found: Explanation) -> list[Bar]:
    """The steps from the prior to the weight; a value's rarity is a step of its own where it counts."""
    scored = found.scored
    steps = [("prior", "before anything is compared", scored.prior_bits)]
    for step in scored.steps:
        steps.append((step.comparison, step.level, step.bits))
        if abs(step.rarity_bits) >= 0.05:
            steps.append((step.comparison, "how common the value is", step.rarity_bits))
    ends = list(accumulate(bits for _, _, bits in steps))
    drawn = [Bar(name, level, end - bits, end) for (name, level, bits), end in zip(steps, ends, strict=True)]
    if abs(scored.weight - ends[-1]) >= 0.05:
        drawn.append(Bar("pooled", "averaged over all names and dates of birth of both", ends[-1], scored.weight))
    return [*drawn, Bar("weight", odds(scored.weight), 0.0, scored.weight, is_total=True)]


def odds(bits: float) -> str:
    """A weight as odds in words, to three digits."""
    if abs(bits) > 60:
        return f"10^{abs(bits) * log10(2):.0f} to 1 {'for the same person' if bits > 0 else 'against'}"
    told = f"{float(f'{2 ** abs(bits):.3g}'):,g}" if abs(bits) < 10 else f"{float(f'{2 ** abs(bits):.3g}'):,.0f}"
    return f"{told} to 1 {'for the same person' if bits >= 0 else 'against'}"


def findings(found: Explanation) -> list[str]:
    """What else decided about the pair, one sentence each."""
    scored = found.scored
    said = [
        f"Compared because of: {'; '.join(scored.rules)}." if scored.rules else "No blocking rule nominates the pair: a night never compares it.",
        f"One person at: {', '.join(found.together)}." if found.together else "Not one person at any certainty.",
    ]
    if scored.is_guarded:
        said.append("The twin guard rejects it: the forenames have nothing in common and no number says otherwise.")
    if found.is_conflict:
        said.append("The two are in conflict (NINO, PNC id or date of birth), so they never share a person whatever the weight.")
    if scored.candidates:
        weights, place = scored.candidates.weights, scored.candidates.place
        heaviest = ", ".join(f"{weight:.1f}" for weight in weights[:5]) + (" ..." if len(weights) > 5 else "")
        where = f"it is number {place}" if place else "it is not among them"
        said.append(
            f"The client has {len(weights)} {'candidate' if len(weights) == 1 else 'candidates'}, of {heaviest} bits; {where}."
            f" The probability that it is the right one is {scored.candidates.posterior:.3f}."
        )
    return said


def table(found: Explanation) -> Table:
    """The waterfall as a table for the terminal: levels and bits, and no identifier."""
    from rich import box
    from rich.table import Table

    drawn = Table(title=f"Model {found.scored.model}, night of {found.night}", title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, justify in (("comparison", "left"), ("level of agreement", "left"), ("bits", "right"), ("so far", "right")):
        drawn.add_column(name, justify="right" if justify == "right" else "left")
    for bar in bars(found):
        drawn.add_row(bar.name, bar.level, f"{bar.bits:+.1f}", f"{bar.end:.1f}", style="bold" if bar.is_total else None)
    return drawn


def write_page(found: Explanation, pair: Pair, path: Path) -> None:
    """Write the page to a new file that its owner alone may read. It holds identifiers: remove it when it has been read.

    Raises:
        FileExistsError: the file is there already.
    """
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    drawn = bars(found)
    low, high = min(0.0, *(bar.end for bar in drawn)), max(0.0, *(bar.end for bar in drawn))
    text = environment.get_template("explain.html.j2").render(
        night=found.night,
        model=found.scored.model,
        keys=(found.left, found.right),
        bars=drawn,
        low=low,
        span=max(high - low, 1.0),
        findings=findings(found),
        lines=lines(pair),
        style=Markup((TEMPLATES / "review.css").read_text(encoding="utf-8") + (TEMPLATES / "explain.css").read_text(encoding="utf-8")),  # our own files
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
