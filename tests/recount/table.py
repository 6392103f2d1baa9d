"""The tables of what linkage changes in each outcome and in death rates, as Markdown."""

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


def cells_beside(true: pd.DataFrame, real: pd.DataFrame) -> str:
    """One line for each cause and time of death, everybody, whole years together: deaths, person-years and the crude rate with true and with real links."""
    lines = [
        "| cause | when | deaths, true | deaths, real | person-years, true | person-years, real | per 1,000, true | per 1,000, real |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (cause, phase), of_true in _everybody(true):
        of_real = dict(_everybody(real))[cause, phase]
        deaths, years = ([int(of["deaths"].sum()) for of in (of_true, of_real)], [float(of["person_years"].sum()) for of in (of_true, of_real)])
        rates = [1000 * died / lived if lived else float("nan") for died, lived in zip(deaths, years, strict=True)]
        lines.append(f"| {cause} | {phase} | {deaths[0]:,} | {deaths[1]:,} | {years[0]:,.0f} | {years[1]:,.0f} | {rates[0]:.1f} | {rates[1]:.1f} |")
    return "\n".join(lines)


def _everybody(rates: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    whole = rates[(rates["breakdown"] == "all") & rates["is_year_complete"]]
    return [((str(cause), str(phase)), of) for (cause, phase), of in whole.groupby(["cause", "treatment_phase"])]


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
