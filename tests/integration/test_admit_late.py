"""Deliveries that come late, out of order, again, or are withdrawn: the end is always that of the final set delivered in order."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import wipe
from tests.integration.deliveries import Row, golden_rows, query, write_inbox

from warehouse.admit import stage
from warehouse.contracts.load import load_contract
from warehouse.receive.stage import receive

pytestmark = pytest.mark.integration

FIRST = date(2026, 11, 1)
Files = dict[str, list[Row]]
Nights = dict[int, Files]


def night(number: int) -> date:
    """The date of a numbered night."""
    return FIRST + timedelta(days=number - 1)


def client(number: int, **values: str) -> Row:
    """A good treatment row of a client of its own."""
    return golden_rows("treatment", "ndtms")[0] | {"CLIENTID": str(number), "CLIENT": f"L{number}", "EPISODID": str(number)} | values


def nominal(number: int, change: str = "I", **values: str) -> Row:
    """A row of a police nominal; a deletion has its key alone."""
    key = {"CHANGE_TYPE": change, "NOMINAL_ID": f"N{number}"}
    return key if change == "D" else golden_rows("police", "nominals")[0] | key | values


def alias(number: int, place: int, change: str = "I", **values: str) -> Row:
    """A row of an alias of a nominal."""
    key = {"CHANGE_TYPE": change, "NOMINAL_ID": f"N{number}", "ALIAS_NO": str(place)}
    return key if change == "D" else {"ALIAS_TYPE": "A", "FORENAME": "Other", "SURNAME": "Name"} | key | values


def reception(prison_no: str, number: int, **values: str) -> Row:
    """A reception into prison."""
    row = {
        "FORENAME": "Ann",
        "SURNAME": "Sample",
        "DOB": "1980-04-12",
        "SEX": "F",
        "RECEPTION_DATE": "2026-01-01",
        "RECEPTION_TYPE": "N",
        "ESTABLISHMENT": "ABC",
    }
    return row | {"PRISON_NO": prison_no, "RECEPTION_ID": str(number)} | values


def release_of(prison_no: str, number: int, **values: str) -> Row:
    """A release from prison."""
    row = {"RECEPTION_DATE": "2026-01-01", "RELEASE_DATE": "2026-02-01", "RELEASE_TYPE": "CR", "ESTABLISHMENT": "ABC"}
    return row | {"PRISON_NO": prison_no, "RELEASE_ID": str(number)} | values


# A snapshot feed: changed, gone, back again, refused on a night, identifiers changed, two rows of one client, no consent.
TREATMENT: Nights = {
    1: {"ndtms": [client(1, ETHNIC="A"), client(2, PC="AB1 2"), client(3), client(4), client(4, EPISODID="40"), client(5)]},
    2: {"ndtms": [client(1, ETHNIC="B"), client(2, PC="AB3 4"), client(4), client(5, SEX="X"), client(6)]},
    3: {"ndtms": [client(1, ETHNIC="A"), client(2, PC="AB1 2"), client(3), client(4, EPISODID="40"), client(5), client(6, CONSENT="N")]},
    4: {"ndtms": [client(1, ETHNIC="A"), client(3, ETHNIC="C"), client(4), client(5, ETHNIC="D"), client(6), client(7, CONSENT="N")]},
}
# A feed of changes: an update of what is not there yet, deletions, both vault grains, a file that stays away.
POLICE: Nights = {
    1: {"nominals": [nominal(1), nominal(2), nominal(3)], "aliases": [alias(1, 1), alias(1, 2)]},
    2: {"nominals": [nominal(1, "U", SURNAME="Second"), nominal(2, "D"), nominal(4)], "aliases": [alias(1, 1, "U", SURNAME="Third"), alias(1, 2, "D")]},
    3: {"nominals": [nominal(2, ETHNIC_OBSERVED="4"), nominal(3, "D"), nominal(5, SURNAME="")]},
    4: {"nominals": [nominal(1, "U", SURNAME="Second"), nominal(3), nominal(4, "U", SEX="U")], "aliases": [alias(1, 2), alias(4, 1)]},
}
# A feed of events: the first content of a key stands, whatever comes later; names differ between receptions.
CUSTODY: Nights = {
    1: {"receptions": [reception("A0001AA", 1), reception("A0002AA", 2)], "releases": [release_of("A0001AA", 1)]},
    2: {"receptions": [reception("A0001AA", 3, SURNAME="Other"), reception("A0002AA", 2, ESTABLISHMENT="XYZ")], "releases": [release_of("A0002AA", 2)]},
    3: {"receptions": [reception("A0002AA", 2, ESTABLISHMENT="XYZ"), reception("A0003AA", 4)], "releases": [release_of("A0001AA", 1)]},
}
FEEDS = {"treatment": TREATMENT, "police": POLICE, "custody": CUSTODY}


class Agency:
    """Sends numbered nights of a feed, each file under a name of its own."""

    def __init__(self, feed: str, folder: Path) -> None:
        self.feed, self.folder, self.sent = feed, folder, 0

    def send(self, number: int, files: Files) -> int:
        """Deliver the files for a night and take them through every step; the delivery's id."""
        self.sent += 1
        columns = load_contract(self.feed).tables
        inbox = write_inbox(self.folder / f"sent_{self.sent}", self.feed, {name: files.get(name, []) for name in columns})
        delivery_id = receive(self.feed, inbox, night(number))
        assert delivery_id is not None
        for step in (stage.load, stage.check, stage.admit):
            step(delivery_id)
        return delivery_id


def contents(feed: str) -> dict[str, list[Any]]:
    """What the feed has in source zone, vault and quarantine, without the ids of deliveries and times."""
    found: dict[str, list[Any]] = {}
    for table in load_contract(feed).tables.values():
        for zone in ("source", "vault"):
            if query("select to_regclass(%s)", f"{zone}.{table.relation}") != [(None,)]:
                found[f"{zone}.{table.name}"] = query(f"select (to_jsonb(t) - '_delivery_id')::text from {zone}.{table.relation} as t order by 1")
    found["quarantine"] = query(
        "select d.night, table_name, row_number, rules, raw::text, record_key from quarantine.refused_row join ops.delivery as d using (delivery_id) order by 1, 2, 3"
    )
    found["admitted"] = query(
        "select night, table_name, rows_received, rows_admitted, rows_quarantined, rows_unchanged, rows_erased from ops.delivery join ops.delivery_file using (delivery_id)"
        " where status = 'admitted' and table_name not in ('nothing') order by 1, 2"
    )
    found["checks"] = query(
        "select night, table_name, rule, failed_rows from ops.check_result join ops.delivery using (delivery_id) where status = 'admitted' and failed_rows > 0 order by 1, 2, 3"
    )
    found["coverage"] = query("select feed, coverage_end, last_night from ops.feed_coverage")
    return found


@pytest.fixture(scope="module")
def in_order(warehouse_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, tuple[int, ...]], dict[str, list[Any]]]:
    """What the nights of a feed leave behind when they come in order, by feed and nights."""
    known: dict[tuple[str, tuple[int, ...]], dict[str, list[Any]]] = {}

    def delivered(feed: str, numbers: tuple[int, ...]) -> dict[str, list[Any]]:
        if (feed, numbers) not in known:
            wipe()
            agency = Agency(feed, tmp_path_factory.mktemp(feed))
            for number in numbers:
                agency.send(number, FEEDS[feed][number])
            known[feed, numbers] = contents(feed)
        return known[feed, numbers]

    return delivered


@pytest.mark.parametrize("feed", FEEDS)
def test_nights_in_any_order(feed: str, in_order: Any, warehouse_db: Path, tmp_path: Path) -> None:
    expected = in_order(feed, tuple(FEEDS[feed]))
    for order in list(permutations(FEEDS[feed]))[1:]:
        wipe()
        agency = Agency(feed, tmp_path / "".join(map(str, order)))
        for number in order:
            agency.send(number, FEEDS[feed][number])
        assert contents(feed) == expected, f"in the order {order}"
