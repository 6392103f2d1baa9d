"""Links compared with the truth, with groups of people, and with pairs that people have judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from tests.unit.link.conftest import NIGHT, Rows, key

from warehouse.link import labels
from warehouse.link.errors import LinkageFault
from warehouse.link.evaluate import compare, compare_groups

Standardised = Callable[[Rows], duckdb.DuckDBPyConnection]
# Ann has records 1 to 3, of which 3 was left out; Bob has 4, wrongly linked to Ann's; clients 5 (Ann's, linked) and 6 (nobody's, unlinked).
NAMED = {"forename": "Ann", "surname": "Marsh", "dob": date(1980, 3, 2), "sex": "F"}
CLIENT = {"feed": "treatment", "is_named": False, "forename_initial": "A", "surname_initial": "M", "dob": date(1980, 3, 2), "sex": "F"}
RECORDS: Rows = [{"record": n} | NAMED for n in (1, 2, 3)] + [{"record": 4} | NAMED | {"dob": date(1980, 1, 1)}] + [{"record": n} | CLIENT for n in (5, 6)]
CLUSTERS = {1: 1, 2: 1, 3: 3, 4: 1, 5: 1, 6: 6}
TRUTH = """feed,table,agency_record_id,true_person_id
police,p,A1,100
police,p,A2,100
police,p,A3,100
police,p,A4,200
treatment,t,A5,100
treatment,t,A6,300
"""
PEOPLE = """true_person_id,dob,sex,ethnic
100,1980-03-02,F,A
200,1961-11-02,M,H
300,2010-05-01,F,Z
"""


@pytest.fixture
def linked(standardised: Standardised) -> duckdb.DuckDBPyConnection:
    session = standardised(RECORDS)
    session.execute("create table person_node (record_no int, feed varchar, cluster_no int)").fetchall()
    session.execute("create table agency_id (record_key uuid, feed varchar, agency_key varchar)").fetchall()
    for number, cluster in CLUSTERS.items():
        feed = "treatment" if number > 4 else "police"
        session.execute("insert into person_node select record_no, feed, ? from record where record_key = ?", [cluster, key(number)]).fetchall()
        session.execute("insert into agency_id values (?, ?, ?)", [key(number), feed, f"A{number}"]).fetchall()
    return session


def test_links_are_compared_with_the_truth(linked: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text(TRUTH, encoding="utf-8")
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    measured = compare(linked, tmp_path / "records.csv")
    # Records 1, 2 and 4 make three pairs, of which one is right; Ann's three records should make three.
    assert measured["named_pair_precision"] == pytest.approx(1 / 3)
    assert measured["named_pair_recall"] == pytest.approx(1 / 3)
    assert (measured["client_to_person_precision"], measured["client_to_person_recall"], measured["client_false_links_of_unknown"]) == (1, 1, 0)

    by_group = {m.name: m.value for m in compare_groups(linked, tmp_path / "people.csv", NIGHT)}
    # Of Ann's links, two are to Bob's record; all of Bob's are wrong.
    assert by_group["named_pair_precision (sex F)"] == pytest.approx(2 / 4)
    assert by_group["named_pair_precision (sex M)"] == 0
    assert by_group["named_pair_recall (ethnic group White)"] == pytest.approx(2 / 6)
    for group in ("age 60 to 64", "ethnic group Asian", "recorded on 1 January yes"):
        assert by_group[f"named_records ({group})"] == 1
    assert by_group["client_to_person_recall (age 40 to 49)"] == 1
    assert by_group["client_false_links_of_unknown (age under 20)"] == 0
    assert "named_pair_recall (sex M)" not in by_group


@pytest.mark.parametrize(
    "text",
    [
        "record_key_l,record_key_r,verdict\n{1},{2},same\n{1},{3},Same\n{1},{4},different\n{2},{3},cannot tell\n{1},unknown,same\n",
        "feed_l,agency_id_l,feed_r,agency_id_r,verdict\npolice,A1,police,A2,same\npolice,A1,police,A3,same\npolice,A4,police,A1,different\npolice,A1,police,A9,same\n",
    ],
    ids=["by key", "by agency id"],
)
def test_links_are_compared_with_judged_pairs(linked: duckdb.DuckDBPyConnection, tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(text.format(None, *(key(n) for n in (1, 2, 3, 4))), encoding="utf-8")
    labels.load_labels(linked, file)
    assert labels.measure_labels(linked) == {"pairs": 3, "pairs_same": 2, "precision": 0.5, "recall": 0.5}


@pytest.mark.parametrize(("text", "message"), [("a,b\n1,2\n", "need the columns"), ("record_key_l,record_key_r,verdict\nx,y,same\n", "No labelled pair")])
def test_labels_that_say_nothing_are_refused(linked: duckdb.DuckDBPyConnection, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LinkageFault, match=message):
        labels.load_labels(linked, file)
