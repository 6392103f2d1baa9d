"""Records that contradict each other never share a cluster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest
from tests.unit.link.conftest import Rows

from warehouse.link.cluster import clusters
from warehouse.link.conflicts import find_conflicts
from warehouse.link.errors import LinkageFault

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]
BORN = date(1985, 3, 2)


def chain(standardised: Standardised, *records: dict[str, Any]) -> dict[int, int]:
    """Cluster records that hang together in a chain, each edge weaker than the one before."""
    rows = [{"record": n, "forename": "Adam", "surname": "Marsh", "dob": BORN} | record for n, record in enumerate(records, 1)]
    session = standardised(rows)
    session.execute(
        "create or replace table edge as select i as record_l, i + 1 as record_r, 50.0 - i as match_weight from range(1, ?) as t(i)", [len(rows)]
    ).fetchall()
    find_conflicts(session, "edge", 500)
    clusters(session, "edge", "conflict", "cluster")
    return dict(session.execute("select record_no, cluster_no from cluster").fetchall())


def test_records_that_agree_stay_together(standardised: Standardised) -> None:
    assert chain(standardised, {"nino": "AB123457C"}, {}, {"nino": "AB123457C"}) == {1: 1, 2: 1, 3: 1}


def test_two_valid_ninos_never_share_a_cluster(standardised: Standardised) -> None:
    found = chain(standardised, {"nino": "AB123457C"}, {}, {"nino": "AB123458C"})
    assert found == {1: 1, 2: 1, 3: 3}


def test_a_dummy_nino_is_no_conflict(standardised: Standardised) -> None:
    assert len(set(chain(standardised, {"nino": "AB123457C"}, {}, {"nino": "AB000000C"}).values())) == 1


def test_two_pnc_ids_never_share_a_cluster(standardised: Standardised) -> None:
    found = chain(standardised, {"pnc_id": "1998/0123456G"}, {"pnc_id": "1998/0123457H"})
    assert found[1] != found[2]


@pytest.mark.parametrize(
    "other",
    [BORN, date(1985, 2, 3), date(1985, 3, 5), date(1958, 3, 2), date(1985, 1, 1)],
    ids=["same", "swapped", "other day", "other year", "default"],
)
def test_dates_of_birth_that_a_slip_explains_may_share_a_cluster(standardised: Standardised, other: date) -> None:
    found = chain(standardised, {}, {"dob": other})
    assert found[1] == found[2]


@pytest.mark.parametrize("other", [date(1972, 11, 19), date(1985, 11, 27)])
def test_impossible_dates_of_birth_never_share_a_cluster(standardised: Standardised, other: date) -> None:
    found = chain(standardised, {}, {"dob": other})
    assert found[1] != found[2]


def test_an_alias_with_the_other_date_makes_it_possible(standardised: Standardised) -> None:
    session = standardised(
        [
            {"record": 1, "forename": "Adam", "surname": "Marsh", "dob": BORN},
            {"record": 1, "is_main": False, "surname": "Marsh", "dob": date(1972, 11, 19)},
            {"record": 2, "forename": "Adam", "surname": "Marsh", "dob": date(1972, 11, 19)},
        ]
    )
    session.execute("create table edge as select 1 as record_l, 2 as record_r, 9.0 as match_weight").fetchall()
    find_conflicts(session, "edge", 500)
    assert session.execute("select count(*) from conflict").fetchall() == [(0,)]


def test_too_many_records_as_one_person_stop_the_night(standardised: Standardised) -> None:
    session = standardised([{"record": n, "forename": "Adam", "surname": "Marsh"} for n in range(1, 8)])
    session.execute("create table edge as select i as record_l, i + 1 as record_r, 9.0 as match_weight from range(1, 7) as t(i)").fetchall()
    with pytest.raises(LinkageFault, match="7 records hang together"):
        find_conflicts(session, "edge", 6)
