"""Aliases, former names and earlier addresses are evidence about a record, not further records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
from tests.unit.link.conftest import Rows

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]
PERSON = {"record": 1, "forename": "William", "surname": "Hill", "dob": date(1980, 5, 17), "sex": "M"}


def test_an_alias_is_another_name_of_the_same_record(standardised: Standardised) -> None:
    session = standardised([PERSON, {"record": 1, "is_main": False, "forename": "Billy", "surname": "Mount", "dob": date(1981, 5, 17)}])
    assert session.execute("select count(*) from record").fetchone() == (1,)
    assert session.execute("select forename, surname, dob from name_row order by all").fetchall() == [
        ("BILLY", "MOUNT", "1981-05-17"),
        ("WILLIAM", "HILL", "1980-05-17"),
    ]


def test_an_alias_without_forename_or_date_borrows_them(standardised: Standardised) -> None:
    session = standardised([PERSON, {"record": 1, "is_main": False, "surname": "Mount"}])
    assert ("WILLIAM", "MOUNT", "1980-05-17") in session.execute("select forename, surname, dob from name_row").fetchall()


def test_a_former_surname_is_another_name(standardised: Standardised) -> None:
    session = standardised([PERSON | {"previous_surname": "Dale"}])
    assert {s for (s,) in session.execute("select surname from name_row").fetchall()} == {"HILL", "DALE"}


def test_every_address_is_kept_as_a_place(standardised: Standardised) -> None:
    session = standardised([PERSON, {"record": 1, "is_main": False, "postcode": "NE8 2AB"}, {"record": 1, "is_main": False, "postcode": "EC1A 1BB"}])
    assert session.execute("select sectors, districts from record_places").fetchall() == [(["EC1A 1", "NE8 2"], ["EC1A", "NE8"])]
    assert session.execute("select count(*) from name_row").fetchone() == (1,)


def test_short_forms_share_a_group_by_sex(standardised: Standardised) -> None:
    session = standardised(
        [
            {"record": 1, "forename": "Chris", "surname": "A", "sex": "M"},
            {"record": 2, "forename": "Christopher", "surname": "A", "sex": "M"},
            {"record": 3, "forename": "Chris", "surname": "A", "sex": "F"},
        ]
    )
    groups = dict(session.execute("select record_no, forename_group from name_row").fetchall())
    assert groups[1] == groups[2]
    assert groups[3] != groups[1]


def test_record_numbers_follow_the_keys(standardised: Standardised) -> None:
    session = standardised([PERSON | {"record": 9}, PERSON | {"record": 2}, PERSON | {"record": 5}])
    assert session.execute("select record_no, record_key::text from record order by record_no").fetchall() == [
        (1, "00000000-0000-0000-0000-000000000002"),
        (2, "00000000-0000-0000-0000-000000000005"),
        (3, "00000000-0000-0000-0000-000000000009"),
    ]
