"""The recount beside what the marts say, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
from psycopg import sql
from tests.recount.deaths import deaths
from tests.recount.held import Person
from tests.recount.months import person_months
from tests.recount.outcomes import Coverage, Row, recovery
from tests.recount.pathways import arrests_to_treatment, custody_to_community
from tests.recount.profiles import top_change, waits
from tests.recount.reoffending import offending_around_treatment, priority_offending, proven_reoffending
from tests.recount.sustained import effective_treatment, sustained_recovery

from warehouse.contracts.load import all_contracts
from warehouse.contracts.zones import vault_grain
from warehouse.database import connect

Recount = Callable[[Person, Coverage], list[Row]]
# The marts that are recounted, and how; waits stand in the mart of effective treatment.
RECOUNTED: dict[str, tuple[str, Recount]] = {
    "recovery": ("outcome_recovery", recovery),
    "sustained recovery": ("outcome_sustained_recovery", sustained_recovery),
    "effective treatment": ("outcome_effective_treatment", effective_treatment),
    "waits": ("outcome_effective_treatment", waits),
    "change in treatment": ("outcome_top_change", top_change),
    "proven reoffending": ("outcome_proven_reoffending", proven_reoffending),
    "offending around treatment": ("outcome_offending_around_treatment", offending_around_treatment),
    "offending around nomination": ("outcome_priority_offending", priority_offending),
    "arrest to treatment": ("outcome_arrest_to_treatment", arrests_to_treatment),
    "custody to community": ("outcome_custody_to_community", custody_to_community),
    "deaths": ("fct_deaths", deaths),
    "months": ("fct_person_months", person_months),
}
STATUSES = ("yes", "no", "not linked", "censored by death", "not yet observable", "not applicable")
# What tells a row of each mart, besides its outcomes; two rows of a person that agree in these are told apart by nothing else.
KEYS = (
    "person",
    "start_date",
    "end_date",
    "horizon_months",
    "drug_group",
    "cohort",
    "entry_type",
    "entry_date",
    "nomination_date",
    "end_financial_year",
    "area_level",
    "area_code",
    "provider_code",
    "exit_reason",
    "calendar_year",
    "treatment_phase",
    "cause",
    "breakdown",
    "breakdown_value",
    "arrest_date",
    "reception_date",
    "release_date",
    "month_start",
)


def coverage(people: dict[int, Person]) -> Coverage:
    """The last day each feed is known for, by what its contract and its delivery say."""
    with connect("engineer") as connection:
        ends: dict[str, date] = dict(connection.execute("select feed, coverage_end from ops.feed_coverage").fetchall())
    return Coverage(**ends, police_since=min(row["OFFENCE_DATE"] for person in people.values() for row in person.of("offences")))


def recount(topic: str, people: dict[int, Person], covered: Coverage) -> pd.DataFrame:
    """The rows that the mart of a topic should hold."""
    _, count = RECOUNTED[topic]
    return _ordered(pd.DataFrame([row for person in people.values() for row in count(person, covered)]))


def read_mart(topic: str, schema: str, columns: list[str], truth: Path) -> pd.DataFrame:
    """The rows of the mart of a topic, with the generator's number in place of the person id.

    Args:
        columns: those that the recount has, `person` among them.
        truth: the generator's records.csv.
    """
    asked = sql.SQL(", ").join(sql.Identifier(column) for column in columns if column != "person")
    with connect("admin") as connection:
        cursor = connection.execute(sql.SQL("select person_id, {} from {}").format(asked, sql.Identifier(schema, RECOUNTED[topic][0])))
        rows = cursor.fetchall()
    frame = pd.DataFrame(rows, columns=["person_id", *(column for column in columns if column != "person")])
    frame.insert(0, "person", frame.pop("person_id").map(numbers_of_persons(truth)))
    return _ordered(frame)


def numbers_of_persons(truth: Path) -> dict[object, int]:
    """The generator's number of each person: that of most of its records."""
    known = pd.read_csv(truth, dtype={"agency_record_id": str}).set_index(["feed", "agency_record_id"]).true_person_id.to_dict()
    votes: dict[object, Counter[int]] = {}
    with connect("admin") as connection:
        for contract in all_contracts():
            for table in contract.tables.values():
                if vault_grain(contract, table) != "record":
                    continue
                query = sql.SQL(
                    "select distinct concat_ws('|', {}), person_id from {} inner join linkage.person_link using (record_key)"
                    " where certainty = 'balanced' and person_link._valid_to is null"
                ).format(
                    sql.SQL(", ").join(sql.Identifier(column.field) for column in table.key_columns("record_key")), sql.Identifier("vault", table.relation)
                )
                for agency_id, person_id in connection.execute(query).fetchall():
                    votes.setdefault(person_id, Counter())[known[contract.feed, agency_id]] += 1
    return {person_id: of.most_common(1)[0][0] for person_id, of in votes.items()}


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(sorted(frame.columns), key=_texts).reset_index(drop=True)


def differences(counted: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """What two tables do not agree in, in counts and names of columns; empty when they are equal to the row."""
    keys = [column for column in KEYS if column in counted]
    told = [f"{len(found)} rows, not {len(counted)}"] if len(found) != len(counted) else []
    both = _counted(counted, keys).merge(_counted(found, keys), how="outer", on=[*keys, "copy"], suffixes=("", "_found"), indicator="side")
    told += [f"{count} rows are {side}" for side, count in both.side.value_counts().items() if side != "both" and count]
    shared = both[both.side == "both"]
    for column in counted.columns:
        if column not in keys:
            pairs = Counter(zip(_texts(shared[column]), _texts(shared[f"{column}_found"]), strict=True))
            told += [f"{column}: {count} rows say {says!r} instead of {should!r}" for (should, says), count in pairs.most_common() if says != should]
    return told


def _texts(column: pd.Series) -> pd.Series:
    """Values as text that can be compared: what is missing too."""
    return column.astype(object).where(column.notna(), "none").astype(str)


def _counted(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """With a number for rows that have the same keys."""
    # As objects: a merge would make decimals of whole numbers beside a row that is missing.
    texts = frame.astype(object).assign(**{key: _texts(frame[key]) for key in keys})
    return texts.assign(copy=texts.groupby(keys).cumcount())


def tallies(frame: pd.DataFrame) -> pd.DataFrame:
    """How often each outcome has each status: one row an outcome, one column a status."""
    outcomes = [column for column in frame.columns if frame[column].isin(STATUSES).all()]
    return pd.DataFrame({column: frame[column].value_counts() for column in outcomes}).reindex(STATUSES).fillna(0).astype(int).T
