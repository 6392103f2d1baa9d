"""The table of what linkage changes in each outcome, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from tests.recount.compare import tallies

HEAD = "| outcome | of | yes, true links | yes, real links | difference | followed up, true | followed up, real | not linked, true | not linked, real |"


def beside(topics: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> str:
    """One line for each outcome: the share of `yes` among `yes` and `no`, and how many could be asked, with true and with real links.

    Args:
        topics: for each topic its rows with true links and with real ones.
    """
    lines = [HEAD, "|---|---|--:|--:|--:|--:|--:|--:|--:|"]
    for topic, (true, real) in topics.items():
        for part, of_true, of_real in _parts(true, real):
            found = tallies(of_real)
            for outcome, row in tallies(of_true).iterrows():
                lines.append(_line(str(outcome), f"{topic}{part}", row, found.loc[outcome]))
    return "\n".join(lines)


def _parts(true: pd.DataFrame, real: pd.DataFrame) -> list[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """A mart by what divides it: horizon or cohort."""
    for divider in ("horizon_months", "cohort"):
        if divider in true:
            return [(f", {value}", true[true[divider] == value], real[real[divider] == value]) for value in sorted(true[divider].unique())]
    return [("", true, real)]


def _line(outcome: str, of: str, true: pd.Series, real: pd.Series) -> str:
    asked, found = true["yes"] + true["no"], real["yes"] + real["no"]
    share = 100 * true["yes"] / asked if asked else float("nan")
    shown = 100 * real["yes"] / found if found else float("nan")
    counts = f"{asked:,} | {found:,} | {true['not linked']:,} | {real['not linked']:,}"
    return f"| `{outcome}` | {of} | {share:.1f} % | {shown:.1f} % | {shown - share:+.1f} | {counts} |"
