"""Values that stand for "we do not know" never link anybody, however many records share them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
from tests.unit.link.conftest import Rows

from warehouse.link.models import policy
from warehouse.link.score import score_evidence

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]
FIRST_OF_JANUARY = date(1980, 1, 1)
# People who share nothing with the planted ones, so that there is a population to be found in.
CROWD: Rows = [
    {"record": 1000 + n, "forename": f"Q{chr(65 + n % 20)}X", "surname": f"Z{chr(65 + n % 23)}", "dob": date(1950 + n % 30, 1 + n % 12, 20), "sex": "M"}
    for n in range(60)
]


UNKNOWN = {"forename": "Unknown", "surname": "N/K", "dob": FIRST_OF_JANUARY, "sex": "M"}
NEWBORN = {"forename": "Baby Girl", "dob": date(2026, 3, 2), "sex": "F", "postcode": "NE8 2AB"}
DUMMY_NUMBERS = {"nino": "AB123456C", "pnc_id": "2000/0000000A", "sex": "M"}
NOWHERE = {"dob": FIRST_OF_JANUARY, "sex": "M", "postcode": "ZZ99 3VZ"}
CLIENT = {"feed": "treatment", "is_named": False, "forename_initial": "X", "surname_initial": "X", "dob": FIRST_OF_JANUARY, "postcode_sector": "ZZ99 3"}

PLACEHOLDERS: dict[str, Rows] = {
    "unknown names without an abode": [UNKNOWN | {"postcode": "ZZ99 3VZ"}] * 3,
    "unknown names at one hostel": [UNKNOWN | {"postcode": "NE8 2AB"}] * 3,
    "newborns of one ward": [NEWBORN | {"surname": name} for name in ("Marsh", "Dale", "Pike")],
    "dummy numbers": [DUMMY_NUMBERS | {"forename": name, "surname": f"{name}son"} for name in ("Adam", "Luke", "Owen")],
    "one forename, 1 January, no abode": [NOWHERE | {"forename": "Mohammed", "surname": name} for name in ("Ali", "Khan", "Noor")],
    "clients of unknown initials": [CLIENT] * 3,
}


REAL = {"forename": "Adam", "surname": "Pike", "dob": date(1980, 3, 2), "sex": "M", "postcode": "NE8 2AB"}


def test_placeholders_link_nobody_and_real_values_do(standardised: Standardised) -> None:
    """All are planted beside each other, so that they could also be linked across, and beside one real pair, which must be found."""
    planted = [row for rows in PLACEHOLDERS.values() for row in rows]
    session = standardised([{"record": n} | row for n, row in enumerate([REAL, REAL, *planted], start=1)] + CROWD)
    score_evidence(session, policy())
    assert session.execute("select record_l, record_r from edge").fetchall() == [(1, 2)]
