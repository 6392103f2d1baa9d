"""What the estimators say of populations whose truth the generator knows: matched reoffending, prevalence, the check for cherry-picking.

The generator makes whole populations in memory; the frames that a product reads are computed here from what really happened, with every link
right and every list complete, so that what is left is the estimator's own error. The truth of each is a setting of the generator:

- matched reoffending: `crime.treatment_factor`. The same people offend twice from the same random numbers, with their treatment and without it from their
  start on. The true effect on those treated is the difference between the two.
- prevalence: who uses opiates, on a list or not (opiate users in treatment and drug users who are never treated, aged 18 to 64, alive at the year's end).
- cherry-picking: the share of referrals declined by group (`treatment.outcomes_by_group`), set 20 points higher for opiates than for others.

Run: PYTHONPATH=plugins .venv/bin/python -m benchmarks.estimators.known_truth --people 100000 --seeds 12
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from warehouse.products import matched_reoffending, pbr, prevalence
from warehouse.synth.arrays import NEVER, YEAR, day_number
from warehouse.synth.crime import Arrests, Offences, make_offences, offence_kinds
from warehouse.synth.geography import country
from warehouse.synth.homelessness import NEEDS
from warehouse.synth.people import OPIATE, UNTREATED_USER, People, Period, period
from warehouse.synth.rates import Rate, all_rates, table
from warehouse.synth.treatment import DECLINED, Episodes, first_entries
from warehouse.synth.world import World, generator, make_world

NIGHT = date(2026, 11, 1)
# As many people per authority as `warehouse generate` has.
COUNTRY = (1.0, 2_000, 3_000, 12)
# Twice the share who are treated, so that one population of 100,000 has a cohort.
TREATED_SHARE = 2
PREVALENCE_YEAR = (date(2025, 4, 1), date(2026, 4, 1))
DRUG_POSSESSION = 92
HEROIN = 51
RULES = pd.DataFrame(
    [("caliper", 0.2), ("fewest_people", 60), ("fewest_people_for_regions", 10_000_000)],
    columns=["rule", "value"],
)
PARAMETERS = pd.DataFrame([("least_seen", 60), ("least_shared", 20), ("least_lists", 3), ("farthest", 10)], columns=["parameter", "value"])
OUT_OF_WORK = (0, 1, 2, 3)  # universal credit, employment support, income support, jobseeker's: places in the order of the spells


@dataclass(frozen=True)
class Answer:
    """One estimate beside the truth, in the estimate's own unit."""

    question: str
    truth: float
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


@contextmanager
def setting(name: str, value: object) -> Iterator[None]:
    """The generator with one of its rates changed."""
    rates = all_rates()
    before = rates[name]
    rates[name] = Rate(value=value, certainty="assumed", source="known_truth")
    try:
        yield
    finally:
        rates[name] = before


def main() -> None:
    """Print each estimate beside its truth, then how often the intervals held it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000, help="people of each population, an even number")
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--seeds", type=int, default=12)
    asked = parser.parse_args()
    found: list[Answer] = []
    print("| question | seed | truth | estimate | 95 % interval | held |\n|---|--:|--:|--:|--:|---|")
    for seed in range(asked.first, asked.first + asked.seeds):
        for answer in answers(seed, asked.people):
            found.append(answer)
            held = "yes" if answer.holds else "no"
            print(f"| {answer.question} | {seed} | {answer.truth:,.1f} | {answer.value:,.1f} | {answer.low:,.1f} to {answer.high:,.1f} | {held} |", flush=True)
    print("\n| question | populations | held | mean truth | mean estimate | mean width |\n|---|--:|--:|--:|--:|--:|")
    for question, rows in pd.DataFrame([vars(answer) | {"held": answer.holds} for answer in found]).groupby("question", sort=False):
        width = (rows["high"] - rows["low"]).mean()
        print(f"| {question} | {len(rows)} | {rows['held'].sum()} | {rows['truth'].mean():,.1f} | {rows['value'].mean():,.1f} | {width:,.1f} |")


def answers(seed: int, people: int) -> Iterator[Answer]:
    """All questions of one population."""
    span = period(NIGHT)
    land = country(people, *COUNTRY)
    with setting("feeds.treatment", TREATED_SHARE * all_rates()["feeds.treatment"].value):
        world = make_world(seed, 0, 0, people, land, span, 1.0)
    yield from reoffending(world, seed, span)
    yield users(world)
    yield cherry_picking("taken on, nobody picked (points)", world.people, seed, span, 0.0)
    with setting("treatment.outcomes_by_group", biased_outcomes()):
        yield cherry_picking("taken on, complex turned away (points)", world.people, seed, span, -20.0)


def reoffending(world: World, seed: int, span: Period) -> Iterator[Answer]:
    """The matched difference of each cohort, beside what treatment changed in those treated; then the same where no treatment changes anything."""
    entered = _entries(world, np.random.default_rng(seed), span)
    entries = _described(world, entered, world.offences)
    truths = {cohort: _true_change(world, seed, span, entered, entries, signs) for cohort, signs in matched_reoffending.COHORT_OF.items()}
    yield from _differences("matched reoffending", entries, truths)
    with setting("crime.treatment_factor", table("crime.treatment_factor") | {"in_treatment": 1.0, "after_completion": 1.0}):
        unchanged = _followed(entered, make_offences(generator(seed, 0, "crime"), world.people, world.episodes, span))
    yield from _differences(
        "no effect", entries.assign(reoffences=unchanged["reoffences"], days_to_first=unchanged["days_to_first"]), dict.fromkeys(truths, 0.0)
    )


def _differences(title: str, entries: pd.DataFrame, truths: dict[str, float]) -> Iterator[Answer]:
    """What the product makes of the entries: the difference in the share who reoffended, of each cohort of adults that is not refused."""
    made = matched_reoffending.estimate({"entries": entries, "starters": _starters(), "rules": RULES}, NIGHT)["matched_reoffending"]
    rows = made[(made["cut"] == "adults") & (made["certainty"] == "balanced") & (made["measure"] == "people who reoffended")]
    for row in rows[rows["difference"].notna()].to_dict("records"):
        limits = map(float, (row["difference"], row["difference_lower_95"], row["difference_upper_95"]))
        yield Answer(f"{title}, {row['cohort']} (points)", truths[row["cohort"]], *limits)


def _true_change(world: World, seed: int, span: Period, entered: pd.DataFrame, entries: pd.DataFrame, signs: Sequence[str]) -> float:
    """Points by which the start changed the share of a cohort who reoffended.

    The same people offend again from the same random numbers, without the treatment from their start on: what earlier treatment did stays, and who
    never had any goes on as in the two years before.
    """
    starts = entries[(entries[list(signs)] > 0).any(axis=1) & (entries["exposure"] == "treatment start")].drop_duplicates("person_id")
    chosen = entered.loc[starts.index]
    begins = np.full(world.people.count, NEVER, dtype=np.int64)
    begins[chosen["person"]] = chosen["index_day"]
    earlier = world.episodes.triage < begins[world.episodes.person]
    without = Episodes(*(getattr(world.episodes, name)[earlier] for name in Episodes.__dataclass_fields__))
    factors = table("crime.treatment_factor")
    with setting("crime.treatment_factor", factors | {"before": factors["two_years_before"]}):
        offences = make_offences(generator(seed, 0, "crime"), world.people, without, span)
    return float(100 * ((starts["reoffences"] > 0).mean() - (_followed(chosen, offences)["reoffences"] > 0).mean()))


def _starters() -> pd.DataFrame:
    """Counts that stand beside the results and are not asked for here."""
    return pd.DataFrame(columns=["exposure", "cut", "certainty", "people_starting", "people_linked_to_police"])


def _entries(world: World, rng: np.random.Generator, span: Period) -> pd.DataFrame:
    """Starts of journeys, and a day of each year for everybody: what can be looked back from for half a year and followed for 18 months."""
    first, last = span.start + 183, span.first_night - 549
    episodes = world.episodes
    opens = np.r_[True, (episodes.person[1:] != episodes.person[:-1]) | (episodes.journey[1:] != episodes.journey[:-1])]
    starts = pd.DataFrame({"person": episodes.person[opens], "index_day": episodes.triage[opens], "exposure": "treatment start"})
    years = np.arange(first, last, 366)
    people = np.repeat(np.arange(world.people.count), len(years))
    days = np.tile(years, world.people.count) + np.repeat(rng.integers(0, 366, world.people.count), len(years))
    drawn = pd.DataFrame({"person": people, "index_day": days, "exposure": "none"})
    entries = pd.concat([starts, drawn], ignore_index=True)
    dies = world.people.dies[entries["person"]]
    known = world.people.police[entries["person"]]
    return entries[entries["index_day"].between(first, last) & (dies > entries["index_day"]) & known].reset_index(drop=True)


def _followed(entries: pd.DataFrame, offences: Offences) -> pd.DataFrame:
    """Offences of the year from the day on that were proven within 18 months: how many, and days to the first."""
    pairs = _paired(entries, pd.DataFrame({"person": offences.person, "day": offences.day, "proven": offences.disposal_day}))
    counted = pairs[pairs["day"].between(pairs["index_day"], pairs["index_day"] + 364) & (pairs["proven"] < pairs["index_day"] + 548)]
    groups = (counted["day"] - counted["index_day"]).groupby(counted["entry"])
    return pd.DataFrame({"reoffences": groups.size().reindex(entries.index, fill_value=0), "days_to_first": groups.min().reindex(entries.index)})


def _described(world: World, entries: pd.DataFrame, offences: Offences) -> pd.DataFrame:
    """What the product reads of each entry, at liberty on the day and known to police in the five years before."""
    people, person, day = world.people, entries["person"], entries["index_day"]
    kinds = offence_kinds()
    sanctions = pd.DataFrame({"person": offences.person, "day": offences.disposal_day, "kind": offences.kind})
    sanctions["is_drugs"] = kinds.ho_class[sanctions["kind"]] == DRUG_POSSESSION
    sanctions["is_acquisitive"] = kinds.trigger[sanctions["kind"]] & ~sanctions["is_drugs"]
    arrests = _arrests(world.arrests)
    told, held = _before(entries, sanctions), _before(entries, arrests)
    stays = _paired(entries, pd.DataFrame({"person": world.prison_stays.person, "day": world.prison_stays.start, "end": world.prison_stays.end}))
    nights = stays["end"].clip(upper=stays["index_day"]) - stays["day"].clip(lower=stays["index_day"] - 730)
    inside = stays[(stays["day"] <= stays["index_day"]) & (stays["end"] > stays["index_day"])]["entry"]
    episodes = _paired(entries, pd.DataFrame({"person": world.episodes.person, "day": world.episodes.triage, "end": world.episodes.discharge}))
    spells = world.spells
    idle = np.isin(spells.benefit, OUT_OF_WORK)
    claims = _paired(entries, pd.DataFrame({"person": spells.person[idle], "day": spells.start[idle], "end": spells.end[idle]}))

    def count(pairs: pd.DataFrame, chosen: Any) -> Any:
        return pairs[chosen].groupby("entry").size().reindex(entries.index, fill_value=0)

    def marked(pairs: pd.DataFrame, chosen: Any) -> Any:
        return count(pairs, chosen) > 0

    recent, lately = told["ago"] <= 730, held["ago"] <= 730
    ages = ((day - people.born[person]) / YEAR).astype(int)
    quarter = pd.to_datetime(day, unit="D").dt.to_period("Q")
    ends = (quarter.dt.end_time.dt.normalize() - pd.Timestamp(0)).dt.days
    known = pd.concat([told[["entry", "ago"]], held[["entry", "ago"]]]).groupby("entry")["ago"].min().reindex(entries.index)
    made = pd.DataFrame(
        {
            "entry_id": entries.index.astype(str),
            "person_id": person.astype(str),
            "exposure": entries["exposure"],
            "index_date": day,
            "quarter": quarter.astype(str),
            "sex": np.where(people.sex[person] == 0, "M", "F"),
            "age": ages,
            "is_under_18": ages < 18,
            "is_alcohol_only": False,
            "has_children_at_home": False,
            "region_code": "all",
            "sanctions": count(told, told["ago"] > 0),
            "recent_sanctions": count(told, recent),
            "recent_arrests": count(held, lately),
            "recent_acquisitive_sanctions": count(told, recent & told["is_acquisitive"]),
            "recent_drug_related_sanctions": count(told, recent & told["is_drugs"]),
            "recent_positive_tests": count(held, lately & held["is_positive"]),
            "recent_custody_nights": nights.clip(lower=0).groupby(stays["entry"]).sum().reindex(entries.index, fill_value=0),
            "days_since_known": known,
            "was_treated_before": marked(episodes, episodes["day"] < episodes["index_day"]),
            "is_in_treatment": marked(episodes, (episodes["day"] <= episodes["entry"].map(ends)) & (episodes["end"] >= episodes["index_day"])),
            "is_on_out_of_work_benefit": marked(claims, claims["index_day"].between(claims["day"], claims["end"])),
            "is_treated_later": marked(episodes, (episodes["day"] - episodes["index_day"]).between(1, 364)),
            "is_dead_in_follow_up": people.dies[person] < day + 365,
            "is_strict": True,
            "is_balanced": True,
            "is_inclusive": True,
            "is_left_out": False,
        }
    )
    made = made.join(_followed(entries, offences))
    return made[known.notna() & ~entries.index.isin(inside)].sort_values(["person_id", "index_date"])


def _arrests(arrests: Arrests) -> pd.DataFrame:
    return pd.DataFrame({"person": arrests.person, "day": arrests.day, "is_positive": (arrests.opiate == 0) | (arrests.cocaine == 0)})


def _paired(entries: pd.DataFrame, happened: pd.DataFrame) -> pd.DataFrame:
    """Every entry with everything that happened to its person."""
    return entries[["person", "index_day"]].rename_axis("entry").reset_index().merge(happened, on="person")


def _before(entries: pd.DataFrame, happened: pd.DataFrame) -> pd.DataFrame:
    """What happened in the five years before each entry, with the days since (`ago`)."""
    pairs = _paired(entries, happened)
    pairs["ago"] = pairs["index_day"] - pairs["day"]
    return pairs[pairs["ago"].between(1, 5 * 365)]


def users(world: World) -> Answer:
    """The estimate of opiate users, beside those there are."""
    people = world.people
    begin, end = map(day_number, PREVALENCE_YEAR)
    ages = (begin - people.born) / YEAR
    is_asked = (ages >= 18) & (ages < 65) & (people.dies > begin)
    is_user = is_asked & ((people.group == OPIATE) | (people.group == UNTREATED_USER)) & (people.dies > end)
    episodes, arrests, offences = world.episodes, world.arrests, world.offences
    of_opiates = people.group[episodes.person] == OPIATE
    kinds = offence_kinds()
    heroin = (kinds.ho_class[offences.kind] == DRUG_POSSESSION) & (kinds.ho_subclass[offences.kind] == HEROIN)
    needs = _drug_needs(world)
    signs = (
        (episodes.person[of_opiates], episodes.triage[of_opiates]),
        (arrests.person[arrests.opiate == 0], arrests.day[arrests.opiate == 0]),
        (offences.person[heroin], offences.day[heroin]),
    )
    known = np.full(people.count, NEVER)
    for person, day in signs:
        np.minimum.at(known, person, day)
    stays = world.prison_stays
    lists = {
        "treatment": _during(people.count, begin, end, episodes.person[of_opiates], episodes.triage[of_opiates], episodes.discharge[of_opiates]),
        "police": _during(people.count, begin, end, *(np.concatenate([part[k] for part in signs[1:]]) for k in (0, 1, 1))),
        "custody": _during(people.count, begin, end, stays.person, stays.start, stays.end) & (known < begin),
        "housing": _during(people.count, begin, end, *needs) & (known < begin),
    }
    marks = pd.DataFrame({prevalence.ON + name: found[is_asked] for name, found in lists.items()})
    cells = marks[marks.any(axis=1)].groupby(list(marks.columns)).size().rename("persons").reset_index()
    cells = cells.assign(certainty="balanced", cut="adults", financial_year="2025-26", area_code="E1")
    areas = pd.DataFrame([("E1", "R1", "England", 1_000_000)], columns=["area_code", "region_code", "country", "population_2020"])
    made = prevalence.estimate({"lists": cells, "areas": areas, "parameters": PARAMETERS}, NIGHT)["prevalence"]
    row = made[made["area_level"] == "country"].iloc[0]
    return Answer("prevalence of opiate use (people)", float(is_user.sum()), *map(float, (row["estimate"], row["lower_95"], row["upper_95"])))


def _drug_needs(world: World) -> tuple[Any, Any, Any]:
    """Person, first and last day of applications as homeless with a drug need, and of services for people with drug problems."""
    case = world.needs[0][world.needs[1] == NEEDS.index("DRG")]
    served = world.services.client_group == list(table("housing.client_groups")["opiate"]).index("9")
    services, cases = world.services, world.cases
    return (
        np.r_[cases.person[case], services.person[served]],
        np.r_[cases.day[case], services.start[served]],
        np.r_[cases.day[case], services.end[served]],
    )


def _during(count: int, begin: int, end: int, person: Any, first: Any, last: Any) -> Any:
    """Whether each person has a spell that touches the year."""
    found = np.zeros(count, dtype=bool)
    found[person[(first < end) & (last >= begin)]] = True
    return found


def biased_outcomes() -> dict[str, dict[str, float]]:
    """How first stays end by group, with 20 points more of the opiate clients declined."""
    shares = table("treatment.outcomes_by_group")
    opiate = shares["opiate"]
    return shares | {"opiate": opiate | {"declined": opiate["declined"] + 0.20, "completed": opiate["completed"] - 0.20}}


def cherry_picking(question: str, people: People, seed: int, span: Period, truth: float) -> Answer:
    """The difference between opiate clients and others in the share taken on, of everybody's first referral."""
    person, _, _, outcome = first_entries(generator(seed, 0, "treatment"), people, span)
    referred = pd.DataFrame({"group": people.group[person], "taken": outcome != DECLINED})
    mix = referred.groupby("group")["taken"].agg(referred="size", taken_on="sum").reset_index()
    mix["complexity_position"] = np.where(mix["group"] == OPIATE, 3, 1)
    unit = dict(zip(pbr.UNIT, ("balanced", "adults", "country", "E92000001", "all"), strict=True))
    rules = pd.DataFrame([("most_complex_from", 3), ("fewest_referred", 60)], columns=["rule", "value"])
    row = pbr.estimate({"mix": mix.assign(**unit), "rules": rules}, NIGHT)["pbr_selection"].iloc[0]
    return Answer(question, truth, *map(float, (row["difference"], row["difference_lower_95"], row["difference_upper_95"])))


if __name__ == "__main__":
    main()
