"""What may be told about small numbers of people."""

from __future__ import annotations

import pytest

from warehouse.publish.disclosure import journeys, people, share, told_share
from warehouse.publish.facts import Outcome, Tally


def outcome(**tallies: tuple[int, int]) -> Outcome:
    return Outcome("settled", "Settled", "", "", "", {status: Tally(*tally) for status, tally in tallies.items()})


@pytest.mark.parametrize(("count", "words"), [(0, "fewer than 5"), (4, "fewer than 5"), (5, "5"), (1234, "1,234"), (None, "not known")])
def test_people(count: int | None, words: str) -> None:
    assert people(count) == words


def test_many_journeys_of_few_people_are_not_told() -> None:
    assert journeys(Tally(journeys=40, people=4)) == "fewer than 5"
    assert journeys(Tally(journeys=42, people=20)) == "40"


def test_a_share_comes_from_rounded_counts() -> None:
    told = share(outcome(yes=(61, 60), no=(189, 150)))
    assert told is not None
    assert (told.numerator, told.denominator, told.rate) == (60, 250, 0.24)
    low, high = told.interval()
    assert (round(low, 4), round(high, 4)) == (0.1912, 0.2966)


@pytest.mark.parametrize(
    ("yes", "no", "words"),
    [
        ((3, 3), (200, 200), "fewer than 5"),
        ((200, 200), (3, 3), "withheld"),
        ((200, 200), (9, 4), "withheld"),
        ((0, 0), (0, 0), "fewer than 5"),
    ],
)
def test_few_people_on_either_side_withhold_the_share_and_its_total(yes: tuple[int, int], no: tuple[int, int], words: str) -> None:
    small = outcome(yes=yes, no=no)
    assert share(small) is None
    assert told_share(small) == (words, "withheld")
