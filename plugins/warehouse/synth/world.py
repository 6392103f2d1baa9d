"""One chunk of the world: the people and everything that really happened to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.synth.addresses import Addresses, make_addresses
from warehouse.synth.crime import Arrests, Offences, custody_spans, make_arrests, make_offences
from warehouse.synth.feed_benefits import build_benefits
from warehouse.synth.feed_custody import build_custody
from warehouse.synth.feed_deaths import build_deaths
from warehouse.synth.feed_housing import build_housing
from warehouse.synth.feed_police import build_police, make_nominals
from warehouse.synth.feed_priority_offenders import build_priority_offenders
from warehouse.synth.feed_treatment import build_treatment
from warehouse.synth.geography import Country
from warehouse.synth.homelessness import Cases, Duties, Services, Stays, make_cases, make_clients, make_duties, make_needs, make_services, make_stays
from warehouse.synth.income import Spells, make_benefit_spells, make_jobs, make_states
from warehouse.synth.mortality import Deaths, make_registered_deaths
from warehouse.synth.names import name_tables
from warehouse.synth.nights import Rows
from warehouse.synth.people import NEVER, People, Period, make_people
from warehouse.synth.priority_lists import Nominations, make_nominations
from warehouse.synth.prison_stays import PrisonStays, make_prison_stays
from warehouse.synth.treatment import Episodes, first_entries, make_deaths, make_episodes

# New topics go to the end: a topic's place is part of its seed.
TOPICS = (
    "people", "addresses", "treatment", "crime", "income", "housing", "feed_police", "feed_benefits", "feed_housing", "feed_treatment", "faults",
    "prison", "mortality", "feed_custody", "feed_deaths", "priority_lists", "feed_priority_offenders",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """What really happened to one chunk of people."""

    people: People
    addresses: Addresses
    episodes: Episodes
    offences: Offences
    arrests: Arrests
    spells: Spells
    jobs: Spells
    cases: Cases
    needs: tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]
    duties: Duties
    stays: Stays
    services: Services
    prison_stays: PrisonStays
    deaths: Deaths
    nominations: Nominations


def generator(seed: int, chunk: int, topic: str) -> np.random.Generator:
    """The random numbers of one topic of one chunk: a change in one topic leaves the others alone."""
    return np.random.default_rng([seed, chunk, TOPICS.index(topic)])


def make_world(seed: int, chunk: int, first_id: int, count: int, country: Country, span: Period, density: float) -> World:
    """Simulate one chunk of people.

    Args:
        chunk: number of the chunk, which with the seed fixes everything.
        first_id: true person id of its first person.
        count: an even number of people.
    """
    people = make_people(generator(seed, chunk, "people"), name_tables(), country, span, first_id, count, density)
    rng = generator(seed, chunk, "treatment")
    first = first_entries(rng, people, span)
    entry = np.full(count, NEVER, dtype=np.int64)
    entry[first[0]] = first[1]
    people.dies = make_deaths(rng, people, span, entry)
    episodes = make_episodes(rng, people, span, first)
    addresses = make_addresses(generator(seed, chunk, "addresses"), people, country, span)
    rng = generator(seed, chunk, "crime")
    offences = make_offences(rng, people, episodes, span)
    arrests = make_arrests(rng, people, offences, span)
    rng = generator(seed, chunk, "income")
    states = make_states(rng, people, episodes, span)
    custody = custody_spans(offences)
    spells = make_benefit_spells(rng, people, states, custody, span)
    jobs = make_jobs(rng, people, states, custody)
    rng = generator(seed, chunk, "housing")
    applicants, clients = make_clients(rng, people)
    cases = make_cases(rng, people, addresses, span, applicants)
    needs = make_needs(rng, people, cases)
    duties = make_duties(rng, people, cases, span)
    stays = make_stays(rng, people, cases, duties, span)
    services = make_services(rng, people, addresses, span, clients)
    prison_stays = make_prison_stays(generator(seed, chunk, "prison"), people, offences, arrests)
    deaths = make_registered_deaths(generator(seed, chunk, "mortality"), people, prison_stays)
    nominations = make_nominations(generator(seed, chunk, "priority_lists"), people, offences)
    return World(people, addresses, episodes, offences, arrests, spells, jobs, cases, needs, duties, stays, services, prison_stays, deaths, nominations)


def deliverable(world: World, seed: int, chunk: int, span: Period) -> dict[str, dict[str, Rows]]:
    """The rows of every table of every feed, as the agencies hold them."""
    names, w = name_tables(), world
    police = generator(seed, chunk, "feed_police")
    nominals = make_nominals(police, w.people, w.offences, w.arrests, span)
    first_record = nominals.first_made(w.people.count)
    return {
        "treatment": build_treatment(generator(seed, chunk, "feed_treatment"), w.people, names, w.addresses, w.episodes, span),
        "police": build_police(police, w.people, names, w.addresses, nominals, w.offences, w.arrests, span),
        "benefits": build_benefits(generator(seed, chunk, "feed_benefits"), w.people, names, w.addresses, w.spells, w.jobs, span),
        "housing": build_housing(generator(seed, chunk, "feed_housing"), w.people, names, w.addresses, w.cases, w.needs, w.duties, w.stays, w.services, span),
        "deaths": build_deaths(generator(seed, chunk, "feed_deaths"), w.people, names, w.addresses, w.deaths, span),
        "custody": build_custody(generator(seed, chunk, "feed_custody"), w.people, names, w.prison_stays, first_record, span),
        "priority_offenders": build_priority_offenders(
            generator(seed, chunk, "feed_priority_offenders"), w.people, names, w.addresses, w.nominations, first_record, span
        ),
    }
