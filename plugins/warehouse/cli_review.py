"""`warehouse linkage review`: pairs for stewards to judge, and what their verdicts say about the links."""

from __future__ import annotations

import os
import threading
import webbrowser
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.cli_common import EXIT_USAGE, console, fail, operator

if TYPE_CHECKING:
    from warehouse.link.review.estimate import Estimate, Share, Tally


def review(
    draw: Annotated[int | None, typer.Option(min=20, help="Draw about this many pairs of the night linked last, then end")] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Tell precision and recall from the verdicts so far, then end")] = False,
    export: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the verdicts as labelled pairs (record keys alone), then end")] = None,
    night: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Whose sample. Default: the latest")] = None,
    precision: Annotated[float, typer.Option(min=0.5, max=1, help="With --estimate: the precision that a threshold is looked for")] = 0.99,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; a free one is chosen when 0")] = 0,
    idle_minutes: Annotated[int, typer.Option(min=1, help="End when nobody has asked for anything for so long")] = 30,
    browser: Annotated[bool, typer.Option(help="Open the page in this machine's browser")] = False,
) -> None:
    """Judge pairs of records on a local page, blind, as a steward; draw them first with --draw, see --estimate afterwards.

    The page is served to this machine alone, at an address that nobody can guess. Identifiers are read from the vault when it
    opens and are written nowhere; verdicts are kept with record keys.
    """
    if sum((draw is not None, estimate, export is not None)) > 1:
        raise fail("Give one of --draw, --estimate and --export", EXIT_USAGE)
    if draw is not None:
        _draw(draw)
        return
    wanted = _sample(night)
    if estimate:
        _estimate(wanted, precision)
    elif export:
        _export(wanted, export)
    else:
        _serve(wanted, port, idle_minutes, browser)


def _sample(night: datetime | None) -> date:
    from warehouse.link.review.decisions import latest_sample

    wanted = night.date() if night else latest_sample()
    if wanted is None:
        raise fail("No pairs have been drawn yet. Draw them first: warehouse linkage review --draw 300")
    return wanted


def _draw(size: int) -> None:
    from warehouse.link.review.sample import draw

    night, pairs = draw(size)
    console.print(f"{pairs:,} pairs of the night of {night} are ready to be judged: warehouse linkage review", highlight=False)


def _serve(night: date, port: int, idle_minutes: int, browser: bool) -> None:
    from warehouse.link.review.decisions import pairs_to_judge
    from warehouse.link.review.page import ReviewServer
    from warehouse.link.review.session import Session

    steward = operator()
    session = Session(night, steward, pairs_to_judge(night, steward))
    with ReviewServer(session, port, idle_minutes * 60) as server:
        # On standard output, so that a steward's script can pick it up; it is of no use once the command has ended.
        typer.echo(server.address)
        console.print(f"{session.decided:,} of {len(session.pairs):,} pairs judged. Ctrl-C ends.", highlight=False)
        if browser:
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("")
    console.print(f"{session.decided:,} of {len(session.pairs):,} pairs judged; the verdicts are kept.", highlight=False)


def _export(night: date, path: Path) -> None:
    from warehouse.link.review.estimate import labelled

    pairs = labelled(night)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("record_key_l,record_key_r,verdict\n")
        file.writelines(f"{left},{right},{verdict}\n" for left, right, verdict in pairs)
    console.print(f"{len(pairs):,} judged pairs written.", highlight=False)


def _estimate(night: date, wanted: float) -> None:
    from rich import box
    from rich.table import Table

    from warehouse.link.review import estimate
    from warehouse.orchestrate.console import wide_console

    strata = estimate.tallies(night)
    found = estimate.estimates(strata)
    estimate.keep(night, found)
    out = wide_console()
    title = f"Links of {night}, estimated from verdicts (95 % intervals)"
    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("kind", "from", "pairs", "precision", "", "recall", ""):
        drawn.add_column(name, justify="left" if name in ("kind", "from") else "right")
    for one in found:
        drawn.add_row(one.kind, one.cut, f"{one.pairs:,.0f}", *_shown(one.precision), *_shown(one.recall))
    out.print(drawn)
    for line in (*_judged(strata), *_thresholds(found, wanted)):
        out.print(line, highlight=False, soft_wrap=True)


def _shown(share: Share) -> tuple[str, str]:
    return f"{share.value:.4f}", f"{share.low:.4f} to {share.high:.4f}"


def _judged(strata: Sequence[Tally]) -> list[str]:
    """How many pairs the estimates rest on, and what they do not cover."""
    judged, undecided = sum(s.judged for s in strata), sum(s.undecided for s in strata)
    twice, agreed = sum(s.judged_twice for s in strata), sum(s.agreed for s in strata)
    said = [f"{judged:,} pairs judged, {undecided:,} that nobody could tell."]
    if twice:
        said.append(f"{agreed / twice:.0%} of the {twice:,} pairs that several stewards judged had one verdict.")
    empty = [s for s in strata if not s.judged]
    if empty:
        pairs = sum(s.pairs for s in empty)
        said.append(f"{len(empty)} of {len(strata)} strata ({pairs:,.0f} pairs) have no verdict yet: the intervals are wide until they have.")
    return said


def _thresholds(found: Sequence[Estimate], wanted: float) -> list[str]:
    """The thresholds that would give the wanted precision."""
    from warehouse.link.review.estimate import learnt_threshold

    said = []
    for kind in dict.fromkeys(one.kind for one in found):
        starts = [learnt_threshold(found, kind, wanted, is_sure) for is_sure in (False, True)]
        likely, sure = (start.cut if start else "no threshold" for start in starts)
        said.append(f"{kind}: precision {wanted:g} is estimated from {likely} on, and sure to 97.5 % from {sure} on.")
    return said
