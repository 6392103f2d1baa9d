"""Records with initials alone: pooled first, linked to the best person only when it leads clearly, never on the attributor alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest
from tests.unit.link.conftest import Rows

from warehouse.link import minimal
from warehouse.link.models import policy
from warehouse.link.score import score_evidence

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]
BORN = date(1985, 3, 17)
ANNE = {"forename": "Anne", "surname": "Marsh", "dob": BORN, "sex": "F"}
CLIENT = {"feed": "treatment", "is_named": False, "forename_initial": "A", "surname_initial": "M", "dob": BORN, "sex": "F"}
# People who share nothing with Anne, so that there is a population to be found in: one for each month and year.
CROWD = [
    {
        "record": 1000 + n,
        "forename": f"Q{chr(65 + n % 20)}X",
        "surname": f"Z{chr(65 + n % 23)}",
        "dob": date(1950 + n % 30, 1 + n % 12, 20),
        "sex": "M",
        "postcode": "LS1 4AB",
    }
    for n in range(60)
]


def links(standardised: Standardised, *rows: dict[str, Any]) -> set[tuple[int, int]]:
    """The pairs of records (by their number) that scoring links."""
    session = standardised([*rows, *CROWD])
    score_evidence(session, policy())
    number = "list_extract(string_split(record_key::text, '-'), 5)"
    found = session.execute(
        f"""
        select least(a, b), greatest(a, b)
        from (
            select {number.replace("record_key", "l.record_key")} as a, {number.replace("record_key", "r.record_key")} as b
            from edge as e inner join record as l on l.record_no = e.record_l inner join record as r on r.record_no = e.record_r where e.level <= 2
        )
        """
    ).fetchall()
    return {(int(a, 16), int(b, 16)) for a, b in found}


def test_a_client_is_linked_to_the_person_with_its_initials_birth_date_and_sector(standardised: Standardised) -> None:
    assert links(standardised, {"record": 1, "postcode": "NE8 2AB"} | ANNE, {"record": 9, "postcode_sector": "NE8 2"} | CLIENT) == {(1, 9)}


@pytest.mark.parametrize("place", [None, "EX4 4"], ids=["no place", "a place elsewhere"])
def test_initials_birth_date_and_sex_alone_never_link(standardised: Standardised, place: str | None) -> None:
    assert links(standardised, {"record": 1, "postcode": "NE8 2AB"} | ANNE, {"record": 9, "postcode_sector": place} | CLIENT) == set()


def test_initials_birth_date_and_sex_alone_never_join_two_clients(standardised: Standardised) -> None:
    one, other = ({"record": n, "postcode_sector": place} | CLIENT for n, place in ((8, "NE8 2"), (9, "EX4 4")))
    assert links(standardised, one, other, {"record": 8} | CLIENT, {"record": 9} | CLIENT) == set()


def test_two_persons_who_answer_alike_leave_the_client_alone(standardised: Standardised) -> None:
    persons = ({"record": n, "postcode": postcode} | ANNE | {"forename": name} for n, postcode, name in ((1, "NE8 2AB", "Anne"), (2, "NE8 2XY", "Abigail")))
    assert links(standardised, *persons, {"record": 9, "postcode_sector": "NE8 2"} | CLIENT) == set()


def test_an_earlier_address_finds_the_person(standardised: Standardised) -> None:
    earlier = {"record": 1, "is_main": False, "postcode": "DH1 3LE"}
    assert links(standardised, {"record": 1, "postcode": "NE8 2AB"} | ANNE, earlier, {"record": 9, "postcode_sector": "DH1 3"} | CLIENT) == {(1, 9)}


def test_a_former_surname_finds_the_person(standardised: Standardised) -> None:
    married = {"record": 1, "postcode": "NE8 2AB"} | ANNE | {"surname": "Dale", "previous_surname": "Marsh"}
    assert links(standardised, married, {"record": 9, "postcode_sector": "NE8 2"} | CLIENT) == {(1, 9)}


def test_clients_of_two_providers_are_pooled_and_found_together(standardised: Standardised) -> None:
    clients = [
        {"record": 8, "postcode_sector": "NE8 2"} | CLIENT,
        {"record": 9, "postcode_sector": "NE8 2"} | CLIENT,
        {"record": 9, "postcode_sector": "DH1 3"} | CLIENT,
    ]
    assert links(standardised, {"record": 1, "postcode": "DH1 3LE"} | ANNE, *clients) == {(8, 9), (1, 8)}


def test_places_of_one_client_make_one_row(standardised: Standardised) -> None:
    session = standardised([{"record": 9, "postcode_sector": "NE8 2"} | CLIENT, {"record": 9, "postcode_sector": "DH1 3"} | CLIENT])
    session.execute("create table named_cluster (record_no int, cluster_no int)").fetchall()
    session.execute(minimal.NO_CLIENT_CLUSTERS).fetchall()
    assert minimal.lay_out(session) == (1, 0)
    assert session.execute("select sectors, areas from client_row").fetchall() == [(["DH1 3", "NE8 2"], ["DH", "NE"])]
