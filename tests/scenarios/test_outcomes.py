"""The outcomes of one night, checked two ways.

Hand-written people (tests/golden/histories, one small file each) live among a synthetic population. All of it goes through the real stages:
receive, admit, link, model. First each hand-written person says what the marts must show, and why. Then everybody is linked by the truth,
as a second night, and the outcomes must be those of an independent recount (tests/recount), to the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import wipe
from tests.histories.marts import Persons, disagreements, persons_of, why
from tests.histories.read import Delivered, History, append, delivered, histories
from tests.recount.compare import RECOUNTED, coverage, differences, read_mart, recount
from tests.recount.held import Person, read
from tests.recount.night import admit, model
from tests.recount.reports import REPORTS, given_away, read_report, recount_report

from warehouse.database import connect
from warehouse.link import guards
from warehouse.link import stage as linkage
from warehouse.link.errors import LinkageFault
from warehouse.model import runner
from warehouse.synth.generate import generate

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 1)
BY_TRUTH = NIGHT + timedelta(days=1)
PEOPLE = 1_500
SEED = 29
HISTORIES = histories()
SCHEMA = "marts_blue"


@pytest.fixture(scope="module")
def told() -> Delivered:
    """What the agencies deliver about the hand-written people."""
    return delivered(HISTORIES)


@pytest.fixture(scope="module")
def population(warehouse_db: Path, tmp_path_factory: pytest.TempPathFactory, told: Delivered) -> Iterator[Path]:
    """The night on which the agencies delivered all these people, linked and modelled; gives the folder of files and truth."""
    wipe()
    folder = tmp_path_factory.mktemp("outcomes")
    generate(folder, PEOPLE, 1, SEED, first_night=NIGHT)
    append(told, folder, NIGHT)
    admit(folder / "inbox" / NIGHT.isoformat(), NIGHT)
    linkage.link(NIGHT)
    model(NIGHT)
    yield folder
    wipe()


@pytest.fixture(scope="module")
def persons(population: Path, told: Delivered) -> Persons:
    """The persons that linkage made of the records of each history."""
    return persons_of(told.records)


def test_no_row_was_refused(population: Path) -> None:
    """What a history says, and what the recount reads, is what the warehouse was told."""
    with connect("engineer") as connection:
        refused = connection.execute("select table_name, sum(rows_quarantined) from ops.delivery_file group by 1 having sum(rows_quarantined) > 0").fetchall()
    assert refused == []


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
def test_the_marts_say_what_happened(persons: Persons, history: History) -> None:
    own = persons[history.number]
    others = set[object]().union(*(found for number, found in persons.items() if number != history.number))
    found = [f"linkage made {len(own)} persons of the records, not {history.persons}"] if len(own) != history.persons else []
    found += ["linkage made one person of these records and another history's"] if own & others else []
    found += [line for wanted in history.expect for line in disagreements(wanted, own, SCHEMA)]
    if found:
        pytest.fail(why(history, found), pytrace=False)


def test_a_truth_that_does_not_know_every_record_is_refused(population: Path, persons: Persons, tmp_path: Path) -> None:
    known = (population / "truth" / "records.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "records.csv").write_text("\n".join(known[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(LinkageFault, match=r"does not know 1 records of the vault, and gives 0 to more than one person"):
        linkage.score(BY_TRUTH, tmp_path / "records.csv")


@pytest.fixture(scope="module")
def linked_by_truth(population: Path, persons: Persons) -> Path:
    """The next night, without a delivery: linked by the truth and modelled; gives the file of the truth."""
    truth = population / "truth" / "records.csv"
    guards.accept(BY_TRUTH, "churn", "The links are the truth from tonight", "test")
    assert linkage.link(BY_TRUTH, truth)["links_are_the_truth"] == 1
    model(BY_TRUTH)
    return truth


@pytest.fixture(scope="module")
def people(population: Path) -> dict[int, Person]:
    """What the agencies hold of each person, for the recount."""
    return read(population, NIGHT)


def test_by_the_truth_everybody_is_who_they_are(linked_by_truth: Path, told: Delivered) -> None:
    by_truth = persons_of(told.records)
    assert all(len(found) == 1 for number, found in by_truth.items() if found)
    assert len(set[object]().union(*by_truth.values())) == sum(map(len, by_truth.values()))
    with connect("engineer") as connection:
        told_in_ops = connection.execute("select night, value from ops.linkage_metric where metric = 'links_are_the_truth'").fetchall()
    assert told_in_ops == [(BY_TRUTH, 1.0)]


@pytest.mark.parametrize("topic", RECOUNTED)
def test_the_marts_agree_with_the_recount_to_the_row(topic: str, linked_by_truth: Path, people: dict[int, Person]) -> None:
    counted = recount(topic, people, coverage(people))
    assert len(counted) > 10
    assert differences(counted, read_mart(topic, SCHEMA, list(counted.columns), linked_by_truth)) == []


@pytest.mark.parametrize("topic", REPORTS)
def test_the_reports_agree_with_the_recount_to_the_cell(topic: str, linked_by_truth: Path, people: dict[int, Person]) -> None:
    counted = recount_report(topic, people, coverage(people))
    assert len(counted) > 10
    assert differences(counted, read_report(topic, SCHEMA, list(counted.columns))) == []


def test_what_is_published_of_exit_reasons_is_rounded_and_gives_nothing_away(linked_by_truth: Path) -> None:
    made = runner.invoke(("run", "--select", "published_exit_reasons"), {"slot": "blue", "as_at": BY_TRUTH.isoformat()})
    assert made.error is None and [str(result) for result in made.results if result.has_failed] == []
    keys = ["end_financial_year", "area_level", "area_code", "drug_group", "exit_reason"]
    asked = ", ".join([*keys, "journeys"])
    with connect("admin") as connection:
        exact = connection.execute(f"select {asked} from {SCHEMA}.rpt_exit_reasons where certainty = 'balanced' and area_level != 'provider'").fetchall()
        told = connection.execute(f"select {asked} from published_blue.published_exit_reasons").fetchall()
    frames = [pd.DataFrame(rows, columns=[*keys, "journeys"]) for rows in (exact, told)]
    assert len(frames[1]) > 100 and frames[1]["journeys"].notna().sum() > 5
    assert given_away(*frames, keys, ["drug_group", "exit_reason"], "journeys") == []
