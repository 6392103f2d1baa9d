"""Deliveries that come late, out of order, again, or are withdrawn: the end is always that of the final set delivered in order."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import wipe
from tests.integration.deliveries import Row, golden_rows, pass_checks, query, write_inbox

from warehouse.admit import deliveries, stage, withdraw
from warehouse.admit.errors import DeliveryRefused
from warehouse.contracts.load import load_contract
from warehouse.database import connect
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
        pass_checks(delivery_id)
        stage.admit(delivery_id)
        return delivery_id


def contents(feed: str) -> dict[str, list[Any]]:
    """What the feed has in source zone, vault and quarantine, without the ids of deliveries and times."""
    found: dict[str, list[Any]] = {}
    for table in load_contract(feed).tables.values():
        for zone in ("source", "vault"):
            if query("select to_regclass(%s)", f"{zone}.{table.relation}") != [(None,)]:
                found[f"{zone}.{table.name}"] = query(f"select (to_jsonb(t) - '_delivery_id')::text from {zone}.{table.relation} as t order by 1")
    found["quarantine"] = query(
        "select d.night, table_name, row_number, rules, raw::text, record_key from quarantine.refused_row"
        " join ops.delivery as d using (delivery_id) order by 1, 2, 3"
    )
    found["admitted"] = query(
        "select night, table_name, rows_received, rows_admitted + rows_erased, rows_quarantined, rows_unchanged"
        " from ops.delivery join ops.delivery_file using (delivery_id) where status = 'admitted' order by 1, 2"
    )
    found["checks"] = query(
        "select night, table_name, rule, failed_rows from ops.check_result join ops.delivery using (delivery_id)"
        " where status = 'admitted' and failed_rows > 0 order by 1, 2, 3"
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


def other_orders(*numbers: int) -> list[tuple[int, ...]]:
    """Every order of the nights but their own, with which the others are compared."""
    return [order for order in permutations(numbers) if order != numbers]


# Every other order of three nights, and the orders of four that share no pair of neighbours: each order of each feed is a dozen admissions.
OF_FOUR = [(4, 3, 2, 1), (2, 4, 1, 3), (3, 1, 4, 2)]
ORDERS: dict[str, list[tuple[int, ...]]] = {
    "treatment": [*other_orders(2, 3, 4), *OF_FOUR],
    "police": [*other_orders(1, 2, 4), *OF_FOUR],
    "custody": other_orders(1, 2, 3),
}


@pytest.mark.parametrize("feed", FEEDS)
def test_nights_in_any_order(feed: str, in_order: Any, warehouse_db: Path, tmp_path: Path) -> None:
    for order in ORDERS[feed]:
        expected = in_order(feed, tuple(sorted(order)))
        wipe()
        agency = Agency(feed, tmp_path / "".join(map(str, order)))
        for number in order:
            agency.send(number, FEEDS[feed][number])
        assert contents(feed) == expected, f"in the order {order}"


# What happens between the nights: `resend` brings other content for the night first, `withdraw` takes a delivery back again.
DETOURS: dict[str, list[tuple[str, int]]] = {
    "the first night is put right at the end": [("wrong", 1), ("send", 2), ("send", 3), ("send", 1)],
    "a night is put right twice and comes late": [("send", 3), ("wrong", 2), ("send", 1), ("wrong again", 2), ("send", 2)],
    "a night that should not have come": [("send", 1), ("send", 2), ("wrong", 4), ("send", 3), ("reject", 4)],
    "a night rejected, then sent again": [("send", 2), ("send", 1), ("wrong", 3), ("reject", 3), ("send", 3)],
    "done again": [("send", 3), ("send", 1), ("send", 2), ("redo", 1), ("redo", 2)],
    "rejected by mistake": [("send", 1), ("send", 2), ("send", 3), ("reject", 2), ("redo", 2)],
}


@pytest.mark.parametrize("detour", DETOURS)
@pytest.mark.parametrize("feed", FEEDS)
def test_resubmissions_and_rejections_leave_no_trace(feed: str, detour: str, in_order: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = in_order(feed, (1, 2, 3))
    wipe()
    monkeypatch.setattr(withdraw, "judge", lambda delivery, contract: ([], {}))
    agency = Agency(feed, tmp_path)
    sent: dict[int, int] = {}
    for what, number in DETOURS[detour]:
        if what == "reject":
            withdraw.reject(sent[number], "sent by mistake", "an engineer")
        elif what == "redo":
            withdraw.redo(sent[number])
        else:
            files = FEEDS[feed][number] if what == "send" else WRONG[feed][len(what)]
            sent[number] = agency.send(number, files)
    assert {zone: rows for zone, rows in contents(feed).items() if zone != "checks"} == {zone: rows for zone, rows in expected.items() if zone != "checks"}


# Content that must leave no trace, by the length of what asks for it.
WRONG: dict[str, dict[int, Files]] = {
    "treatment": {5: {"ndtms": [client(1, ETHNIC="Z"), client(9), client(2, SEX="X")]}, 11: {"ndtms": [client(9, ETHNIC="A")]}},
    "police": {
        5: {"nominals": [nominal(1, "D"), nominal(9), nominal(8, SEX="X")], "aliases": [alias(1, 1, "D")]},
        11: {"nominals": [nominal(2, SURNAME="Wrong")]},
    },
    "custody": {5: {"receptions": [reception("A0001AA", 3, SURNAME="Wrong"), reception("A0009AA", 9)]}, 11: {"releases": [release_of("A0003AA", 9)]}},
}


def test_the_replaced_delivery_says_by_which(clean_db: Path, tmp_path: Path) -> None:
    police = Agency("police", tmp_path)
    first = police.send(1, WRONG["police"][5])
    assert query("select count(*) from quarantine.refused_row where delivery_id = %s", first) == [(1,)]
    second = police.send(1, POLICE[1])
    assert query("select status, superseded_by from ops.delivery order by delivery_id") == [("superseded", second), ("admitted", None)]
    assert query("select count(*) from quarantine.refused_row where delivery_id = %s", first) == [(0,)]
    assert stage.admit(first) == {}
    withdraw.reject(second, "the wrong extract", "an engineer")
    assert query("select status, message from ops.delivery where delivery_id = %s", second) == [("rejected", "Rejected by an engineer: the wrong extract")]
    assert query("select count(*) from source.police__nominals") == [(0,)]
    with pytest.raises(DeliveryRefused, match="nothing to withdraw"):
        withdraw.reject(second, "again", "an engineer")


def test_an_older_delivery_does_not_replace_a_newer_one_of_its_night(clean_db: Path, tmp_path: Path) -> None:
    folder = tmp_path / "older"
    older = receive("police", write_inbox(folder, "police", {"nominals": [nominal(1, SURNAME="Older")]}), night(1))
    assert older is not None
    newer = Agency("police", tmp_path).send(1, {"nominals": [nominal(1, SURNAME="Newer")]})
    pass_checks(older)
    assert stage.admit(older) == {}
    assert query("select surname from vault.police__nominals") == [("Newer",)]
    assert query("select status, superseded_by from ops.delivery where delivery_id = %s", older) == [("superseded", newer)]


def test_a_night_that_cannot_be_replayed_is_told_and_nothing_changes(clean_db: Path, tmp_path: Path) -> None:
    police = Agency("police", tmp_path)
    second = police.send(2, POLICE[2])
    with connect("loader") as connection:
        folder = deliveries.find(second, connection).folder
    folder.rename(tmp_path / "pruned")
    before = contents("police")
    with pytest.raises(DeliveryRefused, match=f"Delivery {second} of police for 2026-11-02.*removed by retention"):
        police.send(1, POLICE[1])
    after = contents("police")
    assert {zone: after[zone] for zone in after if zone != "checks"} == {zone: before[zone] for zone in before if zone != "checks"}


@pytest.mark.parametrize("feed", FEEDS)
def test_every_past_night_can_be_asked_for(feed: str, clean_db: Path, tmp_path: Path) -> None:
    agency = Agency(feed, tmp_path)
    relations = [table.relation for table in load_contract(feed).tables.values()]
    current: dict[int, list[set[Any]]] = {}
    for number in FEEDS[feed]:
        agency.send(number, FEEDS[feed][number])
        current[number] = [set(query(f"select record_key, row_key, _row_hash from source.{name} where _valid_to is null")) for name in relations]
    erased = {key for (key,) in query("select record_key from ops.erasure")}
    for number, tables in current.items():
        with connect("transformer") as connection:
            asked = [set(connection.execute(f"select record_key, row_key, _row_hash from source.{name}_as_at(%s)", [night(number)])) for name in relations]
            assert connection.execute("select last_night from ops.feed_coverage_as_at(%s)", [night(number)]).fetchall() == [(night(number),)]
        assert spared(asked, erased) == spared(tables, erased) and sum(map(len, asked)) > 2
    with connect("bi") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"select * from source.{relations[0]}_as_at(%s)", [night(1)])


def spared(tables: list[set[Any]], erased: set[Any]) -> list[set[Any]]:
    """The rows of records that were not erased later: what was erased is no longer there to be asked for."""
    return [{row for row in rows if row[0] not in erased} for rows in tables]


def test_rows_come_in_when_the_contract_allows_them(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    police = Agency("police", tmp_path)
    first = police.send(1, {"nominals": [nominal(1), nominal(2, SEX="X"), nominal(3, SURNAME="")]})
    police.send(2, {"nominals": [nominal(2, "U", ETHNIC_OBSERVED="9", SEX="X"), nominal(1, "U", SEX="U")]})
    contract = load_contract("police")
    wider = contract.model_copy(update={"code_lists": contract.code_lists | {"sex": contract.code_lists["sex"] | {"X": "Not stated"}}})
    monkeypatch.setattr(withdraw, "load_contract", lambda feed: wider)
    assert withdraw.release(first) == {"released": 1, "still_refused": 1, "replayed": 1}
    assert query("select sex, ethnic_observed, _valid_from, _valid_to from source.police__nominals where sex = 'X' order by 3") == [
        ("X", golden_rows("police", "nominals")[0]["ETHNIC_OBSERVED"], night(1), night(2)), ("X", "9", night(2), None),
    ]  # fmt: skip
    assert query("select rules from quarantine.refused_row") == [(["surname.required"],)]
    failed = "select failed_rows from ops.check_result join ops.delivery using (delivery_id) where rule = 'sex.codes' order by night"
    assert query(failed) == [(0,), (0,)]


def test_an_event_is_never_altered(clean_db: Path, tmp_path: Path) -> None:
    custody = Agency("custody", tmp_path)
    custody.send(1, CUSTODY[1])
    second = custody.send(2, CUSTODY[2])
    assert query("select establishment from source.custody__receptions where _valid_to is not null or establishment = 'XYZ'") == []
    kept = query("select row_number, rules, raw ->> 'establishment', record_key is not null from quarantine.refused_row")
    assert kept == [(2, ["event_changed"], "XYZ", True)]
    verdicts = "select table_name, severity, checked_rows, failed_rows from ops.check_result where delivery_id = %s and rule = 'event_changed' order by 1"
    assert query(verdicts, second) == [("receptions", "quarantine", 2, 1), ("releases", "quarantine", 1, 0)]
    assert query("select surname from vault.custody__receptions where _valid_to is null order by 1") == [("Other",), ("Sample",), ("Sample",)]
