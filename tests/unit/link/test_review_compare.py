"""What a steward sees of two sides: what agrees, what differs, and where."""

from __future__ import annotations

from uuid import uuid4

from warehouse.link.review.compare import Line, lines
from warehouse.link.review.decisions import Identifiers, Pair


def compared(left: list[Identifiers], right: list[Identifiers]) -> dict[str, Line]:
    return {line.name: line for line in lines(Pair(uuid4(), tuple(left), tuple(right), None))}


def marked(line: Line) -> list[str]:
    """The marked pieces of the left side."""
    return [part.text for value in line.left for part in value if part.differs]


def test_lines_without_values_are_left_out_and_one_sided_ones_are_told() -> None:
    found = compared([{"forename": "Ann", "nino": "AB123456C"}], [{"forename": "ANN"}])
    assert list(found) == ["Forename", "NINO"]
    assert found["Forename"].agreement == "same"
    assert found["NINO"].agreement == "missing"
    assert marked(found["NINO"]) == []


def test_the_letters_that_differ_are_marked() -> None:
    line = compared([{"surname": "Smyth"}], [{"surname": "SMITH"}])["Surnames"]
    assert line.agreement == "differs"
    assert marked(line) == ["y"]


def test_any_value_of_a_side_may_agree() -> None:
    line = compared([{"surname": "Jones"}, {"surname": "Brown"}], [{"surname": "BROWN"}])["Surnames"]
    assert line.agreement == "same"
    assert ["".join(part.text for part in value) for value in line.left] == ["Brown", "Jones"]


def test_a_value_written_two_ways_is_told_once() -> None:
    line = compared([{"surname": "O'Neill"}, {"surname": "ONEILL"}], [{"surname": "Oneill"}])["Surnames"]
    assert len(line.left) == 1
    assert line.agreement == "same"


def test_an_initial_agrees_with_the_names_it_begins() -> None:
    assert compared([{"forename_initial": "A"}], [{"forename": "Ann"}])["Forename"].agreement == "same"
    assert compared([{"forename_initial": "B"}], [{"forename": "Ann"}])["Forename"].agreement == "differs"
    assert compared([{"forename": "A"}], [{"forename": "Ann"}])["Forename"].agreement == "differs", "a name of one letter is no initial"


def test_places_are_compared_as_far_as_the_coarser_one_goes() -> None:
    assert compared([{"postcode_sector": "NE1 4"}], [{"postcode": "NE1 4AB"}])["Places"].agreement == "same"
    assert compared([{"postcode": "NE1 4AA"}], [{"postcode": "NE1 4AB"}])["Places"].agreement == "differs"
    line = compared([{"postcode": "NE1 4AA"}, {"previous_postcode": "CF2 1AA"}], [{"postcode": "NE1 5XX"}])["Places"]
    assert marked(line) == ["CF2 1AA", "4AA"], "the district that both have is not marked"


def test_an_earlier_surname_agrees_with_todays_of_the_other() -> None:
    assert compared([{"surname": "Brown", "previous_surname": "Jones"}], [{"surname": "JONES"}])["Surnames"].agreement == "same"
