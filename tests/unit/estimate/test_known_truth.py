"""The check for cherry-picking on referrals of the generator; the other estimators, with more people and seeds: `benchmarks/estimators`."""

from __future__ import annotations

from benchmarks.estimators.known_truth import COUNTRY, NIGHT, biased_outcomes, cherry_picking, setting

from warehouse.synth.geography import country
from warehouse.synth.names import name_tables
from warehouse.synth.people import make_people, period
from warehouse.synth.rates import rate
from warehouse.synth.world import generator

SEED, PEOPLE = 1, 20_000


def test_the_complex_whom_the_generator_turns_away_are_found() -> None:
    span = period(NIGHT)
    people = make_people(generator(SEED, 0, "people"), name_tables(), country(PEOPLE, *COUNTRY), span, 0, PEOPLE, 1.0)
    assert cherry_picking("nobody picked", people, SEED, span, 0.0).holds
    with setting("treatment.outcomes_by_group", biased_outcomes()):
        found = cherry_picking("complex turned away", people, SEED, span, -20.0)
    assert found.holds and found.high < 0


def test_a_setting_is_as_it_was_afterwards() -> None:
    before = rate("feeds.treatment")
    with setting("feeds.treatment", 0.5):
        assert rate("feeds.treatment") == 0.5
    assert rate("feeds.treatment") == before
