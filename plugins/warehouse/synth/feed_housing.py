"""The housing extract: homelessness cases in the shape of H-CLIC, and stays with housing-related support services."""

from __future__ import annotations

import numpy as np

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, YEAR, Ints, Text, blank, chance, date_texts, either, flags, following, join, numbers, pick, rank_within
from warehouse.synth.homelessness import (
    ACCOMMODATION,
    DECISIONS,
    DUTIES,
    DUTY_ENDS,
    LOSS_REASONS,
    NEEDS,
    SERVICES,
    TA_TYPES,
    Cases,
    Duties,
    Services,
    Stays,
)
from warehouse.synth.identity import corrections, identify, national_insurance
from warehouse.synth.ids import hashed, scrambled
from warehouse.synth.names import NameTables
from warehouse.synth.nights import Cells, Rows, known
from warehouse.synth.people import ETHNIC_CODES, People, Period
from warehouse.synth.rates import rate, table

ISO = "YYYY-MM-DD"
MAIN, PARTNER, CHILD = range(3)
# Children are people too, but live outside the population: their true ids start here, three for each adult.
CHILD_IDS = 1_000_000_000
CHILDREN_EACH = 3
CASE_SLOTS = 64


def build_housing(
    rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses,
    cases: Cases, needs: tuple[Ints, Ints], duties: Duties, stays: Stays, services: Services, span: Period,
) -> dict[str, Rows]:  # fmt: skip
    """The rows of the six housing tables."""
    count = len(cases.person)
    case_known = known(cases.day, rng.integers(0, 10, count), span.first_night)
    # Applications of a person are numbered by their order; the number set aside is scrambled.
    turn = np.minimum(np.arange(count) - np.searchsorted(cases.person, cases.person), CASE_SLOTS - 1)
    case_number = scrambled((people.person_id[cases.person] * CASE_SLOTS + turn) % 900_000_000, 4)
    return {
        "cases": _case_rows(rng, addresses, cases, case_known, case_number, span),
        "people": _people_rows(rng, people, names, addresses, cases, case_known, case_number, span),
        "support_needs": _need_rows(rng, needs, case_known, case_number, span),
        "temporary_accommodation": _stay_rows(rng, stays, case_known, case_number, span),
        "duties": _duty_rows(rng, duties, case_known, case_number, span),
        "support_services": _service_rows(rng, people, names, addresses, services, span),
    }


def _case_id(case_number: Ints) -> Text:
    return join("HC", numbers(case_number))


def _case_rows(rng: np.random.Generator, addresses: Addresses, cases: Cases, case_known: Ints, case_number: Ints, span: Period) -> Rows:
    fixed = corrections(rng, span.first_night, len(cases.person))
    unknown = chance(rng, rate("housing.reason_filled_in_later"), len(cases.person))

    def cells(rows: Ints, night: int) -> Cells:
        waiting = unknown[rows] & (fixed[rows] > night)
        return {
            "CASE_ID": _case_id(case_number[rows]),
            "LAD_CODE": addresses.country.area_codes(cases.area[rows]),
            "APPLICATION_DATE": date_texts(cases.day[rows], ISO),
            "ASSESSMENT_DECISION": pick(DECISIONS, cases.decision[rows]),
            "ACCOMMODATION_AT_APPLICATION": pick(ACCOMMODATION, cases.accommodation[rows]),
            "LOSS_REASON": pick(LOSS_REASONS, np.where(waiting, len(LOSS_REASONS) - 1, cases.loss[rows])),
        }

    return Rows(case_known, cells, [np.where(unknown, fixed, NEVER)])


def _people_rows(
    rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, cases: Cases, case_known: Ints, case_number: Ints, span: Period
) -> Rows:
    """Everyone in a case: the main applicant first, then a partner, then children."""
    count = len(cases.person)
    size = 1 + (cases.partner >= 0) + cases.children
    case = np.repeat(np.arange(count), size)
    place = rank_within(size)
    role = np.where(place == 0, MAIN, np.where((place == 1) & (cases.partner[case] >= 0), PARTNER, CHILD))
    person = np.where(role == PARTNER, cases.partner[case], cases.person[case])
    child = place - 1 - (cases.partner[case] >= 0)
    fixed = corrections(rng, span.first_night, len(case))
    identity = identify(rng, people, names, "housing", person, cases.day[case], fixed)
    nino = blank(national_insurance(rng, people, "housing", person), role != MAIN)
    # A child is the same child in every case of its parent: name, sex and birth follow from the parent and its number.
    child_hash = hashed(people.person_id[person], child)
    first_day = cases.day[np.searchsorted(cases.person, cases.person[case])]
    child_born = first_day - 30 - child_hash % int(15 * YEAR)
    child_sex = child_hash // 7 % 2
    child_forename = _child_forenames(people, names, person, child_hash, child_sex)
    true_id = np.where(role == CHILD, CHILD_IDS + people.person_id[person] * CHILDREN_EACH + np.maximum(child, 0), people.person_id[person])
    ethnic_known = chance(rng, 0.93, len(case))
    is_child = role == CHILD

    def cells(rows: Ints, night: int) -> Cells:
        written = identity.at(rows, night)
        young = is_child[rows]
        family_name = names.surnames.take(people.surname_at(person[rows], cases.day[case[rows]]))
        return {
            "CASE_ID": _case_id(case_number[case[rows]]),
            "PERSON_NO": numbers(place[rows] + 1),
            "RELATIONSHIP": pick(["A", "P", "C"], role[rows]),
            "FORENAME": either(young, names.forenames.take(child_forename[rows]), written.forename),
            "SURNAME": either(young, family_name, written.surname),
            "DOB": date_texts(np.where(young, child_born[rows], written.born), ISO),
            "SEX": pick(["M", "F"], np.where(young, child_sex[rows], identity.sex[rows])),
            "NINO": nino.take(rows),
            "POSTCODE": addresses.postcodes(cases.address[case[rows]]),
            "ETHNIC": pick(ETHNIC_CODES, people.ethnic[person[rows]], ~ethnic_known[rows]),
        }

    def record_id(rows: Ints) -> Text:
        return join(_case_id(case_number[case[rows]]), "|", numbers(place[rows] + 1))

    mended = np.where(is_child, NEVER, identity.corrected_on)
    return Rows(case_known[case], cells, [mended], None, (true_id, record_id))


def _child_forenames(people: People, names: NameTables, parent: Ints, child_hash: Ints, sex: Ints) -> Ints:
    """A forename of the parent's origin for each child, picked by its hash."""
    chosen = np.zeros(len(parent), dtype=np.int64)
    for (a_sex, origin, cohort), pool in names.forename_pools.items():
        if origin > 0 or cohort == 2:
            where = (sex == a_sex) & (people.origin[parent] == origin)
            chosen[where] = pool.index[child_hash[where] // 100 % len(pool.index)]
    return chosen


def _need_rows(rng: np.random.Generator, needs: tuple[Ints, Ints], case_known: Ints, case_number: Ints, span: Period) -> Rows:
    case, need = needs
    withdrawn = np.where(chance(rng, 0.05, len(case)), corrections(rng, span.first_night, len(case)) + 1, NEVER)

    def cells(rows: Ints, night: int) -> Cells:
        return {"CASE_ID": _case_id(case_number[case[rows]]), "NEED_CODE": pick(NEEDS, need[rows])}

    return Rows(case_known[case], cells, [], np.where(withdrawn > case_known[case], withdrawn, NEVER))


def _stay_rows(rng: np.random.Generator, stays: Stays, case_known: Ints, case_number: Ints, span: Period) -> Rows:
    count = len(stays.case)
    first_known = np.maximum(known(stays.start, rng.integers(0, 5, count), span.first_night), case_known[stays.case])
    end_known = np.where(stays.end < NEVER, np.maximum(stays.end + rng.integers(0, 12, count), first_known), NEVER)
    # At the latest when the next stay of the case is entered.
    end_known = np.maximum(np.minimum(end_known, following(first_known, stays.case)), first_known)
    number = hashed(case_number[stays.case], stays.start, stays.kind, np.arange(count) % 977)

    def cells(rows: Ints, night: int) -> Cells:
        return {
            "CASE_ID": _case_id(case_number[stays.case[rows]]),
            "STAY_ID": join("T", numbers(number[rows])),
            "TA_TYPE": pick(TA_TYPES, stays.kind[rows]),
            "ENTRY_DATE": date_texts(stays.start[rows], ISO),
            "EXIT_DATE": date_texts(np.where(end_known[rows] <= night, stays.end[rows], NEVER), ISO),
        }

    return Rows(first_known, cells, [end_known])


def _duty_rows(rng: np.random.Generator, duties: Duties, case_known: Ints, case_number: Ints, span: Period) -> Rows:
    count = len(duties.case)
    first_known = np.maximum(known(duties.start, rng.integers(0, 6, count), span.first_night), case_known[duties.case])
    end_known = np.where(duties.end < NEVER, np.maximum(duties.end + rng.integers(0, 15, count), first_known), NEVER)

    def cells(rows: Ints, night: int) -> Cells:
        ended = end_known[rows] <= night
        reason, secured = duties.reason[rows], duties.secured[rows]
        return {
            "CASE_ID": _case_id(case_number[duties.case[rows]]),
            "DUTY": pick(DUTIES, duties.duty[rows]),
            "START_DATE": date_texts(duties.start[rows], ISO),
            "END_DATE": date_texts(np.where(ended, duties.end[rows], NEVER), ISO),
            "END_REASON": pick(DUTY_ENDS, np.maximum(reason, 0), ~ended | (reason < 0)),
            "ACCOMMODATION_SECURED": pick(ACCOMMODATION, np.maximum(secured, 0), ~ended | (secured < 0)),
        }

    return Rows(first_known, cells, [end_known])


def _service_rows(rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, services: Services, span: Period) -> Rows:
    count = len(services.person)
    first_known = known(services.start, rng.integers(0, 15, count), span.first_night)
    end_known = np.where(services.end < NEVER, np.maximum(services.end + rng.integers(0, 20, count), first_known), NEVER)
    turn = np.minimum(np.arange(count) - np.searchsorted(services.person, services.person), CASE_SLOTS - 1)
    number = scrambled((people.person_id[services.person] * CASE_SLOTS + turn) % 900_000_000, 5)
    fixed = corrections(rng, span.first_night, count)
    identity = identify(rng, people, names, "support", services.person, services.start, fixed)
    nino = national_insurance(rng, people, "support", services.person)
    groups = tuple(next(iter(table("housing.client_groups").values())))

    def cells(rows: Ints, night: int) -> Cells:
        ended = end_known[rows] <= night
        written = identity.at(rows, night)
        return {
            "SERVICE_CLIENT_ID": join("SP", numbers(number[rows])),
            "FORENAME": written.forename,
            "SURNAME": written.surname,
            "DOB": date_texts(written.born, ISO),
            "SEX": pick(["M", "F"], identity.sex[rows]),
            "NINO": nino.take(rows),
            "POSTCODE": addresses.postcodes(services.address[rows]),
            "LAD_CODE": addresses.country.area_codes(services.area[rows]),
            "CLIENT_GROUP": pick(groups, services.client_group[rows]),
            "SERVICE_TYPE": pick(SERVICES, services.service[rows]),
            "ENTRY_DATE": date_texts(services.start[rows], ISO),
            "EXIT_DATE": date_texts(np.where(ended, services.end[rows], NEVER), ISO),
            "PLANNED_EXIT": flags(services.planned[rows], ~ended),
            "SETTLED_NEED": flags(services.need[rows]),
            "SETTLED_ACHIEVED": flags(services.achieved[rows], ~ended | ~services.need[rows]),
        }

    def record_id(rows: Ints) -> Text:
        return join("SP", numbers(number[rows]))

    return Rows(first_known, cells, [end_known, identity.corrected_on], None, (people.person_id[services.person], record_id))
