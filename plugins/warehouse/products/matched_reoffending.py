"""Reoffending against a matched comparison, in the manner of the Justice Data Lab.

People known to police who started treatment are compared with people like them who did not.

Who stands in it, on which day, and what is counted of them: `int_matched_entries`, seeds `matched_cohorts` and `matched_comparison_rules`.
The method: `warehouse.estimate.matching` and `matched_results`. Pairs are of people who entered in the same calendar quarter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    "sanctions": "Sanctions in five years",
    "recent_sanctions": "Sanctions in two years",
    "recent_arrests": "Arrests in two years",
    "recent_acquisitive_sanctions": "Acquisitive offences in two years",
    "recent_drug_related_sanctions": "Drug-related offences in two years",
    "recent_positive_tests": "Positive drug tests in two years",
    "recent_custody_nights": "Nights in custody in two years",
    "days_since_known": "Days since last known to police",
}
MARKS = {"was_treated_before": "Treated before", "is_on_out_of_work_benefit": "On out-of-work benefit"}
GROUPS = {"sex": "Sex", "age_band": "Age"}
REGION = {"region_code": "Region"}
COVARIATES = GROUPS | COUNTS | MARKS
TITLES = COVARIATES | REGION
FLAGS = (
    "is_under_18",
    "is_alcohol_only",
    "has_children_at_home",
    "is_in_treatment",
    "is_treated_later",
    "is_dead_in_follow_up",
    "is_strict",
    "is_balanced",
    "is_inclusive",
    "is_left_out",
)
AGES = {"under 18": 18, "18-24": 25, "25-34": 35, "35-44": 45, "45 and over": 1_000}
NOT_KNOWN = "not known"

COHORT_OF: Mapping[str, Sequence[str]] = {
    "known to police": ("days_since_known",),
    "sanctioned": ("recent_sanctions",),
    "drug use known to police": ("recent_positive_tests", "recent_drug_related_sanctions"),
}
CUTS = ("adults", "under 18", "alcohol only", "parents")
CERTAINTIES = ("strict", "balanced", "inclusive")


@dataclass(frozen=True)
class Exposure:
    """What the people in question had: the value of `exposure`, and the mark of those who cannot be their comparison."""

    name: str
    spoils_comparison: str


EXPOSURES = (Exposure("treatment start", "is_in_treatment"),)

RESULTS = EstimateTable(
    "matched_reoffending",
    {
        "exposure": "text",
        "cohort": "text",
        "cut": "text",
        "certainty": "text",
        "measure": "text",
        "unit": "text",
        "people_starting": "integer",
        "people_linked_to_police": "integer",
        "people_submitted": "integer",
        "people_died": "integer",
        "people_matched": "integer",
        "comparison_pool": "integer",
        "treated_value": "double precision",
        "comparison_value": "double precision",
        "difference": "double precision",
        "difference_lower_95": "double precision",
        "difference_upper_95": "double precision",
        "p_value": "double precision",
        "comparison_before_matching": "double precision",
        "people_with_event_treated": "integer",
        "people_with_event_comparison": "integer",
        "comparison_treated_later_percent": "double precision",
        "is_balanced": "boolean",
        "note": "text",
        "warnings": "text",
    },
)
BALANCE = EstimateTable(
    "matched_reoffending_balance",
    {
        "exposure": "text",
        "cohort": "text",
        "cut": "text",
        "certainty": "text",
        "covariate": "text",
        "title": "text",
        "difference_before": "double precision",
        "difference_after": "double precision",
        "is_balanced": "boolean",
    },
)

LIMITS = """
with rules as (
    select
        max(value) filter (where rule = 'fewest_months_known') as fewest_months_known,
        max(value) filter (where rule = 'most_people') as most_people
    from {reference}.matched_comparison_rules
),
limits as (
    select
        (reach.known_from + make_interval(months => rules.fewest_months_known::integer))::date as index_from,
        least(coverage.police_covered_until, coverage.treatment_covered_until) as covered_until,
        rules.most_people
    from {intermediate}.int_police_reach as reach
    cross join {intermediate}.int_feed_coverage as coverage
    cross join rules
)
"""
# A row of a treated person for each start, some of the others; of cohorts too large for the night those with the lowest ids, which are random.
ENTRIES = f"""{LIMITS},
placed as (
    select
        entries.*,
        variants.is_strict,
        variants.is_balanced,
        variants.is_inclusive,
        limits.most_people,
        row_number() over (partition by entries.exposure order by entries.person_id, entries.index_date) as place
    from {{intermediate}}.int_matched_entries as entries
    inner join {{intermediate}}.int_person_standing as variants on entries.person_id = variants.person_id
    inner join limits on entries.index_date >= limits.index_from and entries.observable_on <= limits.covered_until
)
select
    entry_id::text as entry_id, person_id::text as person_id, exposure, index_date, to_char(index_date, 'YYYY-Q') as quarter, sex, age,
    is_under_18, is_alcohol_only, has_children_at_home, region_code, sanctions, recent_sanctions, recent_arrests,
    recent_acquisitive_sanctions, recent_drug_related_sanctions, recent_positive_tests, recent_custody_nights, days_since_known,
    was_treated_before, is_in_treatment, is_on_out_of_work_benefit, is_treated_later, reoffences, days_to_first,
    coalesce(is_dead_in_follow_up, false) as is_dead_in_follow_up, is_strict, is_balanced, is_inclusive,
    place > most_people * case when exposure = 'none' then 0.7 else 0.3 end as is_left_out
from placed
where place <= most_people
"""
# Whoever did what the exposure says, known to police or not: what the people compared are a part of.
STARTERS = f"""{LIMITS}
select
    'treatment start' as exposure, cuts.cut, certainties.certainty,
    count(distinct cuts.person_id) as people_starting,
    count(distinct cuts.person_id) filter (where persons.is_linked_to_police) as people_linked_to_police
from {{intermediate}}.int_journey_cuts as cuts
inner join {{intermediate}}.int_treatment_journeys as journeys on cuts.journey_id = journeys.journey_id
inner join {{intermediate}}.int_person_certainties as certainties on cuts.person_id = certainties.person_id
inner join {{intermediate}}.int_persons as persons on cuts.person_id = persons.person_id
inner join {{reference}}.indicator_definitions as follow_up on follow_up.indicator = 'proven_reoffence_from_start_12m'
inner join limits
    on journeys.start_date >= limits.index_from
    and (journeys.start_date + make_interval(months => follow_up.window_length + follow_up.wait_months))::date - 1 <= limits.covered_until
where cuts.cut = 'adults' or certainties.certainty = 'balanced'
group by cuts.cut, certainties.certainty
"""
RULES = "select rule, value from {reference}.matched_comparison_rules"


def estimate(frames: Frames, night: date) -> Frames:
    """Every exposure, cohort and cut at the certainties it is told at; refused ones with a note and no figure.

    Args:
        frames: `entries` (a row a person and index date), `starters` (counts by exposure, cut and certainty) and `rules` (rule, value).
        night: not used: which entries are over is settled by what is read.
    """
    import pandas as pd

    rules = dict(zip(frames["rules"]["rule"], frames["rules"]["value"].astype(float), strict=True))
    entries = _prepared(frames["entries"])
    results: list[dict[str, Any]] = []
    balances: list[pd.DataFrame] = []
    for key, people, is_sampled in _questions(entries):
        rows, balance = _answer(people, rules, is_sampled)
        results += [key | row for row in rows]
        if balance is not None:
            balances.append(balance.assign(**key))
    told = pd.DataFrame(results, columns=[name for name in RESULTS.columns if name not in ("people_starting", "people_linked_to_police")])
    told = told.merge(frames["starters"], how="left", on=["exposure", "cut", "certainty"])
    return {
        RESULTS.name: _whole_numbers(told, RESULTS),
        BALANCE.name: pd.concat(balances, ignore_index=True) if balances else pd.DataFrame(columns=list(BALANCE.columns)),
    }


def _questions(entries: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame, bool]]:
    """Who is compared in each question: a row a person treated (the first time it happened), and the others' draws."""
    import pandas as pd

    for exposure in EXPOSURES:
        ours, others = entries[entries["exposure"] == exposure.name], entries[(entries["exposure"] == "none") & ~entries[exposure.spoils_comparison]]
        is_sampled = bool(ours["is_left_out"].any() or others["is_left_out"].any())
        for cohort, signs in COHORT_OF.items():
            for cut in CUTS:
                for certainty in CERTAINTIES if cut == "adults" else ("balanced",):
                    sides = []
                    for side in (ours, others):
                        known = (side[list(signs)] > 0).any(axis=1) & side[f"is_{certainty}"] & ~side["is_left_out"]
                        is_young = side["is_under_18"] == (cut == "under 18")
                        sides.append(side[known & is_young])
                    chosen = sides[0][_in_cut(sides[0], cut)].drop_duplicates("person_id")
                    if len(chosen):
                        people = pd.concat([chosen.assign(treated=1), sides[1].assign(treated=0)], ignore_index=True)
                        yield {"exposure": exposure.name, "cohort": cohort, "cut": cut, "certainty": certainty}, people, is_sampled


def _in_cut(people: pd.DataFrame, cut: str) -> pd.Series:
    marks = {"alcohol only": "is_alcohol_only", "parents": "has_children_at_home"}
    return people[marks[cut]] if cut in marks else people["is_under_18"].notna()


def _answer(people: pd.DataFrame, rules: Mapping[str, float], is_sampled: bool) -> tuple[list[dict[str, Any]], pd.DataFrame | None]:
    """The rows of one question and its balance; a note and no balance where no figure may be given."""
    from warehouse.estimate.errors import EstimateFault, TooFewPeople
    from warehouse.estimate.matched_results import results
    from warehouse.estimate.matching import match

    # Whoever died before the follow-up was over without an offence cannot be said to have kept out of crime.
    lived = people[~(people["is_dead_in_follow_up"] & (people["reoffences"] == 0))].reset_index(drop=True)
    submitted, pool = int(lived["treated"].sum()), int((lived["treated"] == 0).sum())
    counts = {
        "people_submitted": submitted,
        "people_died": int(people["treated"].sum()) - submitted,
        "comparison_pool": pool,
    }
    fewest = int(rules["fewest_people"])
    covariates = list(COVARIATES)
    warnings = ["a random part of the people is compared: they are more than a night matches"] if is_sampled else []
    if submitted >= rules["fewest_people_for_regions"]:
        covariates += list(REGION)
    else:
        warnings.append(f"fewer than {rules['fewest_people_for_regions']:.0f} people: regions are not matched on")
    try:
        comparable = _comparable(lived, covariates)
        matched = match(comparable, "treated", covariates, "entry_id", rules["caliper"], fewest, within="quarter")
        found = results(comparable, matched, "reoffences", "days_to_first")
    except TooFewPeople:
        few = "fewer than {0} people" if min(submitted, pool) < fewest else "fewer than {0} people have a match"
        return _refused(counts, f"refused: {few.format(fewest)}"), None
    except EstimateFault as fault:
        return _refused(counts, f"refused: {fault}"), None
    if not found.is_balanced:
        warnings.append("the groups still differ by a tenth of a standard deviation or more in some characteristic")
    return _measured(comparable, matched, found, counts, "; ".join(warnings)), _balance(matched)


def _comparable(people: pd.DataFrame, covariates: Sequence[str]) -> pd.DataFrame:
    """Without those who are like nobody on the other side: an answer nobody there gave, a count above or below all of theirs.

    They have no match, and one such characteristic would predict treatment perfectly.
    """
    kept = people
    for name in covariates:
        if name in COUNTS:
            ends = kept.groupby("treated")[name].agg(["min", "max"])
            kept = kept[kept[name].between(ends["min"].max(), ends["max"].min())]
        else:
            sides = kept.groupby(name)["treated"].agg(["min", "max"])
            kept = kept[kept[name].isin(sides.index[sides["min"] < sides["max"]])]
    return kept.reset_index(drop=True)


def _refused(counts: Mapping[str, int], note: str) -> list[dict[str, Any]]:
    return [dict(counts) | {"measure": measure, "unit": unit, "note": note} for measure, unit in MEASURES.items()]


MEASURES = {
    "people who reoffended": "per 100 people",
    "proven reoffences": "per 100 people",
    "time to first reoffence": "days",
}


def _measured(people: pd.DataFrame, matched: Matched, found: Results, counts: Mapping[str, int], warnings: str) -> list[dict[str, Any]]:
    offended = (people["reoffences"] > 0).to_numpy()
    others = people["treated"].to_numpy() == 0
    before = {
        "people who reoffended": float(offended[others].mean()),
        "proven reoffences": float(people["reoffences"].to_numpy()[others].mean()),
        "time to first reoffence": float(people.loc[others & offended, "days_to_first"].mean()),
    }
    common = dict(counts) | {
        "people_matched": found.people,
        "people_with_event_treated": int(offended[matched.treated].sum()),
        "people_with_event_comparison": int(offended[matched.others].sum()),
        "comparison_treated_later_percent": 100 * float(people["is_treated_later"].to_numpy()[matched.others].mean()),
        "is_balanced": found.is_balanced,
        "warnings": warnings,
    }
    measures: dict[str, Measure | None] = dict(zip(MEASURES, (found.binary, found.frequency, found.time_to_first), strict=True))
    rows = []
    for name, measure in measures.items():
        row = common | {"measure": name, "unit": MEASURES[name]}
        if measure is None:
            rows.append(row | {"note": "refused: fewer than two people a side with an offence"})
            continue
        per = 100 if MEASURES[name] == "per 100 people" else 1
        rows.append(
            row
            | {
                "treated_value": per * measure.treated,
                "comparison_value": per * measure.others,
                "difference": per * measure.difference.value,
                "difference_lower_95": per * measure.difference.low,
                "difference_upper_95": per * measure.difference.high,
                "p_value": measure.p,
                "comparison_before_matching": per * before[name],
            }
        )
    return rows


def _balance(matched: Matched) -> pd.DataFrame:
    balance = matched.balance.rename(columns={"before": "difference_before", "after": "difference_after"})
    return balance.assign(title=balance["covariate"].map(_title))[["covariate", "title", "difference_before", "difference_after", "is_balanced"]]


def _title(covariate: str) -> str:
    name, _, level = covariate.partition("=")
    return f"{TITLES[name]}: {level}" if level else TITLES[name]


def _prepared(entries: pd.DataFrame) -> pd.DataFrame:
    """Characteristics as the propensity takes them, in order of date so that a person's first time comes first; answers not known are a value of their own."""
    import numpy as np
    import pandas as pd

    age = entries["age"].to_numpy(dtype=float, na_value=np.nan)
    bands = pd.cut(age, [-1, *AGES.values()], right=False, labels=list(AGES)).astype("object")
    logs = {name: np.log1p(entries[name].astype(float)) for name in COUNTS}
    marks = {name: entries[name].astype(bool) for name in (*MARKS, *FLAGS)}
    named = {
        "sex": entries["sex"].fillna(NOT_KNOWN),
        "age_band": pd.Series(bands, index=entries.index).fillna(NOT_KNOWN),
        "region_code": entries["region_code"].fillna(NOT_KNOWN),
        "reoffences": entries["reoffences"].astype(int),
    }
    return entries.assign(**logs, **marks, **named).sort_values(["index_date", "entry_id"], ignore_index=True)


def _whole_numbers(frame: pd.DataFrame, table: EstimateTable) -> pd.DataFrame:
    """Counts beside missing ones would be written with a decimal point."""
    return frame.astype({name: "Int64" for name, kind in table.columns.items() if kind == "integer"})


PRODUCT = Product("matched_reoffending", {"entries": ENTRIES, "starters": STARTERS, "rules": RULES}, (RESULTS, BALANCE), estimate)
