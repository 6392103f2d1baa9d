"""Reoffending of people named as prolific or other priority offenders, against people with as recent offences who were not.

Who stands in it, on which day, and what is counted of them: `int_priority_comparison`. Both sides are described and followed from the
first day of the quarter after a nomination, so that neither has time in which it could not offend. The method:
`warehouse.estimate.matching` and `matched_results`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.estimate.matched_results import Measure, Results
    from warehouse.estimate.matching import Matched
    from warehouse.products.product import Frames

# Counts are long-tailed: the propensity takes them as log(1 + count).
COUNTS = {
    "proven_24m": "Offences proven in two years",
    "proven_12m": "Offences proven in a year",
    "proven_6m": "Offences proven in six months",
    "proven_ever": "Offences proven ever",
    "acquisitive_24m": "Acquisitive offences proven in two years",
    "days_since_proven": "Days since an offence was last proven",
}
OTHERS = {
    "age": "Age",
    "is_male": "Sex: M",
    "is_in_custody": "In prison on the day",
    "is_in_treatment": "In treatment on the day",
    "has_been_treated": "Ever treated",
}
TIME = {"index_year": "Year of the day"}
TITLES = COUNTS | OTHERS | TIME
CERTAINTIES = ("strict", "balanced", "inclusive")
# The columns that say who is of a cut; only adults are compared with adults.
CUTS = {"adults": "is_adult", "under 18": "is_under_18", "alcohol only": "is_alcohol_only", "parents": "is_parent"}
MEASURES = {
    "people who reoffended": "per 100 people",
    "proven reoffences": "per 100 people",
    "time to first reoffence": "days",
}

MATCHED = EstimateTable(
    "priority_offenders_matched",
    {
        "cut": "text",
        "certainty": "text",
        "measure": "text",
        "unit": "text",
        "people_submitted": "integer",
        "people_matched": "integer",
        "comparison_pool": "integer",
        "named_value": "double precision",
        "comparison_value": "double precision",
        "difference": "double precision",
        "difference_lower_95": "double precision",
        "difference_upper_95": "double precision",
        "p_value": "double precision",
        "people_with_event_named": "integer",
        "people_with_event_comparison": "integer",
        "is_balanced": "boolean",
        "conclusion": "text",
        "note": "text",
        "warnings": "text",
    },
)
BALANCE = EstimateTable(
    "priority_offenders_balance",
    {
        "cut": "text",
        "certainty": "text",
        "covariate": "text",
        "title": "text",
        "difference_before": "double precision",
        "difference_after": "double precision",
        "is_balanced": "boolean",
    },
)
ENTRIES = """
select
    entries.entry_id::text as entry_id, entries.person_id::text as person_id, entries.index_date, entries.is_named, entries.sex, entries.age,
    entries.proven_24m, entries.proven_12m, entries.proven_6m, entries.proven_ever, entries.acquisitive_24m, entries.days_since_proven,
    entries.is_in_custody, entries.is_in_treatment, entries.has_been_treated, entries.reoffences, entries.days_to_first,
    variants.is_strict, variants.is_balanced, variants.is_inclusive,
    coalesce(named.is_alcohol_only, false) as is_alcohol_only, coalesce(named.is_parent, false) as is_parent
from {intermediate}.int_priority_comparison as entries
inner join {intermediate}.int_person_standing as variants on entries.person_id = variants.person_id
left join {intermediate}.int_priority_offending as named on entries.is_named and entries.person_id = named.person_id
"""


def estimate(frames: Frames, night: date) -> Frames:
    """Each cut at the certainties it is told at; refused ones with a note and no figure.

    Args:
        frames: `entries`, a row for each person named and for each quarter of those they are compared with.
        night: not used: which entries are over is settled by what is read.
    """
    import pandas as pd

    entries = _prepared(frames["entries"])
    results: list[dict[str, Any]] = []
    balances: list[pd.DataFrame] = []
    for cut, of_cut in CUTS.items():
        for certainty in CERTAINTIES if cut == "adults" else ("balanced",):
            of_age = entries["is_under_18"] == (cut == "under 18")
            people = entries[entries[f"is_{certainty}"] & of_age & (entries[of_cut] | (entries["treated"] == 0))].reset_index(drop=True)
            if not people["treated"].any():
                continue
            rows, balance = _answer(people)
            results += [{"cut": cut, "certainty": certainty} | row for row in rows]
            if balance is not None:
                balances.append(balance.assign(cut=cut, certainty=certainty))
    told = pd.DataFrame(results, columns=list(MATCHED.columns))
    return {
        # counts beside missing ones would be written with a decimal point
        MATCHED.name: told.astype({name: "Int64" for name, kind in MATCHED.columns.items() if kind == "integer"}),
        BALANCE.name: pd.concat(balances, ignore_index=True) if balances else pd.DataFrame(columns=list(BALANCE.columns)),
    }


def _prepared(entries: pd.DataFrame) -> pd.DataFrame:
    """Characteristics as the propensity takes them; without those of whom no agency knows sex or age, who are few."""
    import numpy as np
    import pandas as pd

    known = entries[entries["age"].notna() & entries["sex"].notna()].reset_index(drop=True)
    marks = ("is_named", "is_in_custody", "is_in_treatment", "has_been_treated", "is_alcohol_only", "is_parent", *(f"is_{name}" for name in CERTAINTIES))
    years = pd.to_datetime(known["index_date"]).dt.year
    return known.assign(
        **{name: np.log1p(known[name].astype(float)) for name in COUNTS},
        **{name: known[name].astype(bool) for name in marks},
        age=known["age"].astype(float),
        is_male=known["sex"] == "M",
        index_year=years.astype(float),
        treated=known["is_named"].astype(int),
        is_adult=known["age"].astype(float) >= 18,
        is_under_18=known["age"].astype(float) < 18,
        reoffences=known["reoffences"].astype(int),
    )


def _answer(people: pd.DataFrame) -> tuple[list[dict[str, Any]], pd.DataFrame | None]:
    """The rows of one cut and its balance; a note and no balance where no figure may be given."""
    from warehouse.estimate.errors import EstimateFault, TooFewPeople
    from warehouse.estimate.matched_results import results, wording
    from warehouse.estimate.matching import MINIMUM, match

    named = int(people["treated"].sum())
    counts = {"people_submitted": named, "comparison_pool": len(people) - named}
    try:
        matched = match(people, "treated", list(TITLES), "entry_id")
        found = results(people, matched, "reoffences", "days_to_first")
    except TooFewPeople:
        return _refused(counts, f"refused: fewer than {MINIMUM} people, or so few with a match"), None
    except EstimateFault as fault:
        return _refused(counts, f"refused: {fault}"), None
    said = wording(found, "people named as priority offenders", "a proven reoffence", "twelve months", "being named")
    # What the figures are stands in the columns; in words stands what may and may not be concluded.
    conclusion = " ".join(sentence for sentence in said if sentence.startswith("What may"))
    return _measured(people, matched, found, counts, conclusion), _balance(matched)


def _refused(counts: dict[str, int], note: str) -> list[dict[str, Any]]:
    return [counts | {"measure": measure, "unit": unit, "note": note} for measure, unit in MEASURES.items()]


def _measured(people: pd.DataFrame, matched: Matched, found: Results, counts: dict[str, int], conclusion: str) -> list[dict[str, Any]]:
    offended = (people["reoffences"] > 0).to_numpy()
    twice = len(matched.others) - people["person_id"].iloc[matched.others].nunique()
    warnings = [] if found.is_balanced else ["some characteristics still differ by a tenth of a standard deviation or more"]
    if twice:
        warnings.append("some people are compared in more than one quarter, so intervals are a little too narrow")
    common: dict[str, Any] = counts | {
        "people_matched": found.people,
        "people_with_event_named": int(offended[matched.treated].sum()),
        "people_with_event_comparison": int(offended[matched.others].sum()),
        "is_balanced": found.is_balanced,
        "conclusion": conclusion,
        "warnings": "; ".join(warnings),
    }
    measures: dict[str, Measure | None] = dict(zip(MEASURES, (found.binary, found.frequency, found.time_to_first), strict=True))
    return [
        common | {"measure": name, "unit": MEASURES[name]} | _figures(measure, 1 if MEASURES[name] == "days" else 100) for name, measure in measures.items()
    ]


def _figures(measure: Measure | None, per: int) -> dict[str, Any]:
    if measure is None:
        return {"note": "refused: fewer than two people a side with an offence"}
    return {
        "named_value": per * measure.treated,
        "comparison_value": per * measure.others,
        "difference": per * measure.difference.value,
        "difference_lower_95": per * measure.difference.low,
        "difference_upper_95": per * measure.difference.high,
        "p_value": measure.p,
    }


def _balance(matched: Matched) -> pd.DataFrame:
    balance = matched.balance.rename(columns={"before": "difference_before", "after": "difference_after"})
    return balance.assign(title=balance["covariate"].map(TITLES))[["covariate", "title", "difference_before", "difference_after", "is_balanced"]]


PRODUCT = Product("priority_offending", {"entries": ENTRIES}, (MATCHED, BALANCE), estimate)
