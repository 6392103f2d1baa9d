"""Time to event: how many have come back, reoffended or found work by each month, death competing, by group.

What is timed, from when: seed `time_to_event_definitions`, model `int_event_times`. The method: `warehouse.estimate.survival`. People are read
counted by day, so the frame does not grow with the population.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from warehouse.products.product import EstimateTable, Product

if TYPE_CHECKING:
    import pandas as pd

    from warehouse.products.product import Frames

MONTHS = 24
DAYS_A_MONTH = 365.25 / 12
# Fewer people at the start than this make no curve; assumed.
FEWEST_PEOPLE = 20
# A curve ends where fewer are still followed; assumed.
FEWEST_AT_RISK = 10
GROUPING = ["event", "cut", "certainty", "breakdown"]
KINDS = {"censored": 0, "event": 1, "death": 2}

CURVES = EstimateTable(
    "time_to_event",
    {
        "event": "text",
        "cut": "text",
        "certainty": "text",
        "breakdown": "text",
        "category": "text",
        "month": "integer",
        "journeys_all": "integer",
        "journeys_linked": "integer",
        "at_risk": "integer",
        "events": "integer",
        "died_first": "integer",
        "percent": "double precision",
        "percent_lower_95": "double precision",
        "percent_upper_95": "double precision",
        "percent_died_first": "double precision",
        "percent_if_nobody_died": "double precision",
        "median_months": "double precision",
        "log_rank_p": "double precision",
        "note": "text",
    },
)

# Counted by day within two years; whoever is followed longer is known not to have had the event by then. Other cuts and the
# breakdowns at the balanced certainty alone.
TIMES = f"""
select
    times.event, cuts.cut, certainties.certainty, shown.breakdown, shown.category,
    least(times.days, {int(MONTHS * DAYS_A_MONTH) + 1}) as days,
    case when times.days > {int(MONTHS * DAYS_A_MONTH)} then 'censored' else times.outcome end as outcome,
    times.is_linked,
    count(*) as journeys
from {{intermediate}}.int_event_times as times
inner join {{intermediate}}.int_journey_cuts as cuts on times.journey_id = cuts.journey_id
inner join {{intermediate}}.int_person_certainties as certainties on times.person_id = certainties.person_id
inner join {{intermediate}}.int_treatment_journeys as journeys on times.journey_id = journeys.journey_id
inner join {{intermediate}}.int_persons as persons on times.person_id = persons.person_id
cross join lateral (
    values
    ('all', 'all'),
    ('drug group', journeys.drug_group),
    ('sex', case persons.sex when 'M' then 'men' when 'F' then 'women' else 'not known' end),
    ('how treatment ended', case
        when times.event not in ('reoffence after end', 'first job after end') then null
        when journeys.is_successful_completion then 'completed' else 'not completed'
    end)
) as shown (breakdown, category)
where
    (cuts.cut = 'adults' or certainties.certainty = 'balanced')
    and (certainties.certainty = 'balanced' or shown.breakdown = 'all')
    and shown.category is not null
group by 1, 2, 3, 4, 5, 6, 7, 8
"""


def estimate(frames: Frames, night: date) -> Frames:
    """A row for each group and month from 0 to 24 as far as it is followed; one row with a note for a group too small.

    Args:
        frames: `times`, journeys counted by event, group, day, outcome and whether linked.
        night: not used: how far each feed reaches is in what is read.
    """
    import pandas as pd

    rows: list[pd.DataFrame] = []
    for values, found in frames["times"].groupby(GROUPING):
        key = dict(zip(GROUPING, map(str, values), strict=True))
        linked = found[found["is_linked"].astype(bool)]
        p = _log_rank(linked)
        for category, people in found.groupby("category"):
            curve = _curve(people)
            rows.append(curve.assign(**key, category=str(category), log_rank_p=p))
    told = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(CURVES.columns))
    return {CURVES.name: told.astype({name: "Int64" for name, kind in CURVES.columns.items() if kind == "integer"})}


def _curve(people: pd.DataFrame) -> pd.DataFrame:
    """One group's row a month. The linked alone have a time; how many there are besides is told with them."""
    import numpy as np
    import pandas as pd

    from warehouse.estimate.survival import at_times, cumulative_incidence, kaplan_meier

    linked = people[people["is_linked"].astype(bool)]
    counts = {"journeys_all": int(people["journeys"].sum()), "journeys_linked": int(linked["journeys"].sum())}
    if counts["journeys_linked"] < FEWEST_PEOPLE:
        refused = {"month": 0, "note": f"refused: fewer than {FEWEST_PEOPLE} journeys linked"}
        return pd.DataFrame([refused | counts]).reindex(columns=_COLUMNS)
    time, weight = linked["days"].to_numpy(dtype=int), linked["journeys"].to_numpy(dtype=float)
    kind = linked["outcome"].map(KINDS).to_numpy(dtype=int)
    incidence = cumulative_incidence(time, kind, weight=weight)
    alone = kaplan_meier(time, kind == KINDS["event"], weight=weight)
    size = int(DAYS_A_MONTH * MONTHS) + 2
    left, happened, died = (np.bincount(time, weights=weight * mark, minlength=size).cumsum() for mark in (kind >= 0, kind == 1, kind == 2))
    days = np.array([round(month * DAYS_A_MONTH) for month in range(MONTHS + 1)])
    # At risk are those who had not left before the day.
    at_risk = left[-1] - np.where(days > 0, left[days - 1], 0)
    followed = (at_risk >= FEWEST_AT_RISK) & (days <= time.max())
    wanted = days[followed]
    own, other = (at_times(incidence[incidence["kind"] == number], wanted) for number in (1, 2))
    half = incidence[(incidence["kind"] == 1) & (incidence["incidence"] >= 0.5)]["time"]
    columns: dict[str, Any] = {
        "month": np.flatnonzero(followed),
        "at_risk": at_risk[followed].astype(int),
        "events": happened[wanted].astype(int),
        "died_first": died[wanted].astype(int),
        "percent": 100 * own["incidence"].to_numpy(),
        "percent_lower_95": 100 * own["lower"].to_numpy(),
        "percent_upper_95": 100 * own["upper"].to_numpy(),
        "percent_died_first": 100 * other["incidence"].to_numpy(),
        "percent_if_nobody_died": 100 * (1 - at_times(alone, wanted)["survival"].to_numpy()),
        "median_months": float(half.min()) / DAYS_A_MONTH if len(half) else np.nan,
        "note": None,
    }
    return pd.DataFrame(columns | counts).reindex(columns=_COLUMNS)


_COLUMNS = [name for name in CURVES.columns if name not in (*GROUPING, "category", "log_rank_p")]


def _log_rank(linked: pd.DataFrame) -> float | None:
    """p of no difference between the categories, deaths censored; none where there is nothing to compare."""
    from warehouse.estimate.survival import log_rank

    events = linked["outcome"] == "event"
    if linked["category"].nunique() < 2 or not events.any():
        return None
    return log_rank(linked["days"], events, linked["category"], linked["journeys"])[2]


PRODUCT = Product("time_to_event", {"times": TIMES}, (CURVES,), estimate)
