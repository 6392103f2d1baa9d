"""Every planted fault is caught by the rule that should catch it and by no other; a clean delivery raises nothing.

The faults are tables: `faults/<feed>.yaml` (explained in `planted.py`) for rows and shifts, `spoiled_files.py` for whole files.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from tests.conftest import wipe
from tests.integration.deliveries import query
from tests.scenarios.clean_deliveries import NIGHT, NIGHTS, Outcome, as_files, clean_sheets, deliver, generate, identifiers, nights_of, only
from tests.scenarios.planted import Fault, Planted, Sheets, exemplars, faults, in_many_rows, plant, shifts
from tests.scenarios.spoiled_files import FILE_FAULTS, SPOILED_TABLE, FileFault, Sent

from warehouse.admit import withdraw
from warehouse.contracts.load import feeds, load_contract, load_suite
from warehouse.settings import settings

pytestmark = pytest.mark.integration

FEEDS = feeds()
FAULTS = [fault for feed in FEEDS for fault in faults(feed)]
ON_ANY_NIGHT = [fault for fault in FAULTS if fault.after is None]
# The first fault of each kind in each feed, and those that need an earlier delivery.
ALONE = list({(fault.feed, fault.kind): fault for fault in reversed(FAULTS)}.values()) + [fault for fault in FAULTS if fault.after is not None]
SHIFTS = [shift for feed in FEEDS for shift in shifts(feed) if shift.after is None]
SHIFTS_FROM_BEFORE = [shift for feed in FEEDS for shift in shifts(feed) if shift.after is not None]
COPIES_BEFORE = 250
CLEAN_COPIES_AMONG_FAULTS = 100


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    generate(folder)
    return folder


def assert_nothing_is_given_away(outcome: Outcome, sheets: Sheets) -> None:
    """No message about the delivery holds a name, an id, a date of birth or another identifying value of it."""
    words = {word for message in outcome.messages for word in re.findall(r"[^\s,;:()'\"\[\]]+", message)} | set(outcome.messages)
    assert not words & identifiers(outcome.feed, sheets)


def quarantined_by(fault: Fault, planted: Planted) -> dict[tuple[str, int], list[str]]:
    """What quarantine has to hold of the fault, by table and row number."""
    rules = [rule for rule in fault.caught_by if not rule.endswith(".new_code")]
    return {(fault.table, number): rules for number in planted.rows[fault.id]} if fault.so == "quarantined" else {}


def assert_only_this_is_caught(outcome: Outcome, fault: Fault, planted: Planted) -> None:
    """The fault's rules alone found it, in its rows alone, and what had to follow followed."""
    assert outcome.failed == {(fault.table, rule): rows for rule, rows in fault.caught_by.items()}
    assert outcome.status == ("refused" if fault.so == "refused" else "admitted")
    assert outcome.quarantined == quarantined_by(fault, planted)
    assert_nothing_is_given_away(outcome, planted.sheets)
    if fault.so == "refused":
        assert any(f"[{rule}]" in message for rule in fault.caught_by for message in outcome.messages)


@pytest.mark.parametrize("feed", FEEDS)
def test_clean_deliveries_of_two_nights_raise_nothing(clean_db: Path, tmp_path: Path, generated: Path, feed: str) -> None:
    first, second = nights_of(generated, feed)
    for night in (first, second):
        sheets = clean_sheets(generated, feed, night)
        outcome = deliver(tmp_path / night.isoformat(), feed, as_files(feed, sheets, night), night)
        assert (outcome.status, outcome.failed, outcome.quarantined, outcome.messages) == ("admitted", {}, {}, [])
        assert outcome.adds_up


@pytest.fixture(scope="session")
def bad_night(warehouse_db: Path, generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Planted, Outcome]]:
    """A delivery of a feed with every fault of it, each in rows of its own, and what became of it."""

    @cache
    def delivered(feed: str) -> tuple[Planted, Outcome]:
        wipe()
        planted = plant([fault for fault in ON_ANY_NIGHT if fault.feed == feed], clean_sheets(generated, feed, NIGHT, copies=CLEAN_COPIES_AMONG_FAULTS))
        return planted, deliver(tmp_path_factory.mktemp(feed), feed, as_files(feed, planted.sheets, NIGHT), NIGHT)

    return delivered


@pytest.mark.parametrize("fault", ON_ANY_NIGHT, ids=lambda fault: fault.id)
def test_a_fault_in_rows_is_caught_by_its_rule_and_by_no_other(bad_night: Callable[[str], tuple[Planted, Outcome]], fault: Fault) -> None:
    planted, outcome = bad_night(fault.feed)
    (rule,) = fault.caught_by
    rows = planted.rows[fault.id]
    assert len(rows) == fault.caught_by[rule]
    assert {number: outcome.broken.get((fault.table, number)) for number in rows} == {number: [rule] for number in rows}
    assert {place: rules for place, rules in outcome.quarantined.items() if place[0] == fault.table and place[1] in rows} == quarantined_by(fault, planted)


@pytest.mark.parametrize("feed", FEEDS)
def test_of_all_faults_at_once_none_is_missed_and_none_is_invented(bad_night: Callable[[str], tuple[Planted, Outcome]], feed: str) -> None:
    planted, outcome = bad_night(feed)
    of_feed = [fault for fault in ON_ANY_NIGHT if fault.feed == feed]
    expected: Counter[tuple[str, str]] = Counter()
    for fault in of_feed:
        expected.update({(fault.table, rule): rows for rule, rows in fault.caught_by.items()})
    assert outcome.status == "admitted"
    assert outcome.failed == expected
    assert set(outcome.broken) == {(fault.table, number) for fault in of_feed for number in planted.rows[fault.id]}
    assert outcome.quarantined == {place: rules for fault in of_feed for place, rules in quarantined_by(fault, planted).items()}
    assert_nothing_is_given_away(outcome, planted.sheets)
    assert outcome.adds_up


@pytest.mark.parametrize("fault", ALONE, ids=lambda fault: fault.id)
def test_a_fault_alone_in_a_clean_delivery_fails_one_rule(clean_db: Path, tmp_path: Path, generated: Path, fault: Fault) -> None:
    clean = only(fault.table, clean_sheets(generated, fault.feed, NIGHT), fault.feed)
    night, planted = NIGHT, plant([fault], clean)
    if fault.after is not None:
        before = plant([replace(fault, set={})], clean)
        assert deliver(tmp_path / "before", fault.feed, as_files(fault.feed, before.sheets, night), night).failed == {}
        night = NIGHTS[1]
    outcome = deliver(tmp_path / "inbox", fault.feed, as_files(fault.feed, planted.sheets, night), night)
    assert_only_this_is_caught(outcome, fault, planted)
    assert outcome.adds_up


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: shift.id)
def test_a_fault_in_many_rows_is_told_as_what_it_is(clean_db: Path, tmp_path: Path, shift: Fault) -> None:
    planted = in_many_rows(shift)
    outcome = deliver(tmp_path, shift.feed, as_files(shift.feed, planted.sheets, NIGHT), NIGHT)
    assert_only_this_is_caught(outcome, shift, planted)


def have_two_deliveries(feed: str, table: str, inboxes: Path) -> None:
    """See that two clean deliveries of the feed, each of 250 exemplars of a table, are admitted, and nothing else."""
    if query("select feed, count(*) from ops.delivery where status = 'admitted' group by feed") == [(feed, 2)]:
        return
    wipe()
    sheets = {table: exemplars(feed, COPIES_BEFORE)[table]}
    for night in NIGHTS[:2]:
        outcome = deliver(inboxes / night.isoformat(), feed, as_files(feed, sheets, night), night)
        assert (outcome.status, outcome.failed) == ("admitted", {})


@pytest.mark.parametrize("shift", SHIFTS_FROM_BEFORE, ids=lambda shift: shift.id)
def test_a_shift_against_earlier_deliveries_is_told(warehouse_db: Path, tmp_path: Path, shift: Fault) -> None:
    have_two_deliveries(shift.feed, shift.table, tmp_path)
    planted = in_many_rows(shift)
    outcome = deliver(tmp_path / "inbox", shift.feed, as_files(shift.feed, planted.sheets, NIGHTS[2]), NIGHTS[2], admit=False)
    withdraw.reject(outcome.delivery_id, "the next scenario begins", "a test")
    assert outcome.failed == {(shift.table, rule): rows for rule, rows in shift.caught_by.items()}
    assert outcome.status == ("refused" if shift.so == "refused" else "checked")
    assert_nothing_is_given_away(outcome, planted.sheets)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("fault", FILE_FAULTS, ids=lambda fault: fault.fault)
def test_a_fault_of_a_whole_file_is_caught_by_its_rule_alone(clean_db: Path, tmp_path: Path, generated: Path, feed: str, fault: FileFault) -> None:
    sheets = only(SPOILED_TABLE[feed], clean_sheets(generated, feed, NIGHT), feed)
    sent = Sent(load_contract(feed), NIGHT, as_files(feed, sheets, NIGHT))
    outcome = deliver(tmp_path, feed, fault.spoil(sent), NIGHT)
    assert outcome.failed == fault.expected(sent)
    assert outcome.status == ("refused" if fault.so == "refused" else "admitted")
    assert outcome.quarantined == {}
    assert_nothing_is_given_away(outcome, sheets)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_file_of_implausible_size_is_refused(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feed: str) -> None:
    expectations = shutil.copytree(settings().expectations_dir, tmp_path / "expectations")
    limit = f'{feed},{SPOILED_TABLE[feed]},*,max_file_bytes,100,refuse,"No table of this test has more"\n'
    with (expectations / "thresholds.csv").open("a", encoding="utf-8") as thresholds:
        thresholds.write(limit)
    monkeypatch.setattr(settings(), "project_root", tmp_path)
    outcome = deliver(tmp_path / "inbox", feed, as_files(feed, exemplars(feed), NIGHT), NIGHT)
    assert (outcome.status, outcome.failed) == ("refused", {("", "max_file_bytes"): 1})


def test_a_full_refresh_of_a_time_long_past_is_refused(clean_db: Path, tmp_path: Path) -> None:
    half_a_year_later = date(2027, 5, 1)
    sheets = exemplars("treatment", COPIES_BEFORE)
    outcome = deliver(tmp_path, "treatment", as_files("treatment", sheets, half_a_year_later), half_a_year_later)
    assert (outcome.status, outcome.failed) == ("refused", {("ndtms", "wrong_period"): 1})


def test_every_business_rule_of_every_feed_has_a_planted_fault() -> None:
    planted = {(fault.feed, fault.table, rule) for fault in FAULTS for rule in fault.caught_by}
    of_the_suites = {(feed, part.table, rule.rule) for feed in FEEDS for part in load_suite(feed).tables for rule in part.expectations}
    assert of_the_suites
    assert of_the_suites - planted == set()
