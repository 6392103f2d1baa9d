"""The recount of deaths on a few people made by hand: the populations of the other tests are too small for rates standardised by age."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.recount.death_rates import death_rates
from tests.recount.deaths import cause_of, deaths
from tests.recount.held import Person
from tests.recount.outcomes import Coverage

START, END = date(2022, 1, 1), date(2022, 12, 31)
COVERED = Coverage(treatment=END, police=END, benefits=END, housing=END, deaths=END, custody=END, priority_offenders=END, police_since=START)
NOT_SAID = dict.fromkeys(("DAT", "LA", "MODST", "DISD", "DISRSN", "DRUG2", "DRUG3", "ETHNIC"))


def client(number: int, born: int, died: date | None = None, underlying: str = "I250", mentioned: str | None = None) -> Person:
    """Somebody treated for heroin from the first day on, who may die."""
    told = {"SEX": "F", "DOB": date(born, 6, 1)}
    person = Person(number, {"ndtms": [NOT_SAID | told | {"AGNCY": "N1", "CLIENTID": str(number), "TRIAGED": START, "DRUG1": "1000"}]})
    if died:
        causes = {"UNDERLYING_CAUSE": underlying, "CAUSE_1": mentioned} | dict.fromkeys(f"CAUSE_{k}" for k in range(2, 7))
        person.rows["registrations"] = [told | causes | {"REGISTRATION_ID": f"DR{number}", "DATE_OF_DEATH": died}]
    return person


def test_a_standardised_rate_weighs_the_rates_of_the_ages() -> None:
    """Six of ten in their early thirties die on the last day, and four of twenty in their early forties; the standard has 6,500 and 7,000."""
    people = [client(k, 1990, END if k < 6 else None) for k in range(10)] + [client(k, 1980, END if k < 14 else None) for k in range(10, 30)]
    found = {
        (row["breakdown"], row["breakdown_value"]): row
        for row in death_rates(people, COVERED)
        if row["treatment_phase"] == "all" and row["cause"] == "all causes"
    }
    everybody = found["all", "all"]
    assert (everybody["deaths"], everybody["person_years"], everybody["crude_rate"]) == (10, Decimal("30.0"), Decimal("333.56"))
    assert everybody["standardised_rate"] == Decimal("392.86")  # 1000 (6500 x 6/10 + 7000 x 4/20) / 13500 x 365.25/365
    assert found["age band", "30-34"]["crude_rate"] == Decimal("600.41")
    assert found["age band", "30-34"]["standardised_rate"] is None


def test_too_few_deaths_are_not_standardised_and_deaths_end_the_time_at_risk() -> None:
    half = START + timedelta(days=182)
    (row,) = [
        row
        for row in death_rates([client(1, 1990, half), client(2, 1990)], COVERED)
        if (row["treatment_phase"], row["cause"], row["breakdown"]) == ("in treatment", "all causes", "sex")
    ]
    assert (row["deaths"], row["person_years"], row["standardised_rate"]) == (1, Decimal("1.5"), None)


@pytest.mark.parametrize(
    ("underlying", "mentioned", "cause"),
    [
        ("F112", None, "drug misuse"),
        ("X42", "T401", "drug misuse"),
        ("X42", "T391", "other drug poisoning"),
        ("F102", None, "alcohol-specific"),
        ("I250", "T401", "other"),
    ],
)
def test_a_cause_is_that_of_the_national_definitions(underlying: str, mentioned: str | None, cause: str) -> None:
    person = client(1, 1990, END, underlying, mentioned)
    assert cause_of(person, END) == cause
    assert [row["is_drug_misuse"] for row in deaths(person, COVERED)] == [cause == "drug misuse"]
