"""The treatment extract in the NDTMS layout: one wide row per client, episode, modality, and review or TOP interview.

Rows of an episode: one bare row until a modality is referred; then one for each modality and review of it; and one for
each TOP interview, which repeats the episode's first modality. A client who withholds consent has one row with the
provider, the client id and the refusal, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from warehouse.synth.addresses import Addresses
from warehouse.synth.arrays import NEVER, Ints, Text, blank, date_texts, flags, join, numbers, pick
from warehouse.synth.geography import Area
from warehouse.synth.ids import hashed
from warehouse.synth.names import NameTables
from warehouse.synth.ndtms_answers import answers, interview_answers, review_flags
from warehouse.synth.ndtms_episodes import (
    PROVIDERS_PER_PARTNERSHIP,
    Forms,
    Interventions,
    Records,
    make_interventions,
    make_interviews,
    make_records,
    make_reviews,
    provider_codes,
)
from warehouse.synth.nights import Cells, Rows
from warehouse.synth.people import ETHNIC_CODES, People, Period
from warehouse.synth.treatment import COMPLETED, DROPPED_OUT, Episodes

UK_DATE = "DD/MM/YYYY"
REFERRAL_SOURCES = ("3", "4", "5", "6", "8", "13", "22", "11", "2", "15")
NATIONS = ("GBR", "IRL", "POL", "ROU", "IND", "PAK", "BGD", "NGA", "JAM", "LTU")


@dataclass(frozen=True)
class Layout:
    """Where each row of the file comes from: episode, modality, review and interview (-1 for none)."""

    episode: Ints
    modality: Ints
    review: Ints
    interview: Ints
    first_known: Ints
    withdrawn: Ints


def build_treatment(rng: np.random.Generator, people: People, names: NameTables, addresses: Addresses, episodes: Episodes, span: Period) -> dict[str, Rows]:
    """The rows of the treatment table."""
    records = make_records(rng, people, names, addresses, episodes, span)
    modalities = make_interventions(rng, episodes, records)
    reviews = make_reviews(rng, episodes, modalities)
    interviews = make_interviews(rng, episodes)
    layout = _layout(rng, records, modalities, reviews, interviews)
    opinion = answers(rng, people, episodes)
    review_answers = review_flags(rng, modalities, reviews)
    interview_values = interview_answers(rng, people, episodes, interviews)
    codes = provider_codes(PROVIDERS_PER_PARTNERSHIP * len({a.partnership for a in addresses.country.areas}))

    def record_id(rows: Ints) -> Text:
        client = records.client[layout.episode[rows]]
        return join(pick(codes, records.client_provider[client]), "|", numbers(records.client_number[client]))

    def cells(rows: Ints, night: int) -> Cells:
        episode = layout.episode[rows]
        modality, review, interview = layout.modality[rows], layout.review[rows], layout.interview[rows]
        base = (
            _client_cells(people, addresses, records, codes, episode, night)
            | _episode_cells(people, addresses.country.areas, addresses, episodes, records, episode, night)
            | {name: values.take(episode) for name, values in opinion.items()}
            | _modality_cells(episodes, records, modalities, modality, episode, night)
            | _form_cells(records, reviews, interviews, modalities, modality, review, interview)
            | {name: blank(values.take(np.maximum(review, 0)), review < 0) for name, values in review_answers.items() if len(values)}
            | {name: blank(values.take(np.maximum(interview, 0)), interview < 0) for name, values in interview_values.items() if len(values)}
        )
        refused = ~records.client_consents[records.client[episode]]
        return {name: values if name in ("AGNCY", "CLIENTID", "CONSENT") else blank(values, refused) for name, values in base.items()}

    person = people.person_id[episodes.person][layout.episode]
    return {"ndtms": Rows(layout.first_known, cells, [], layout.withdrawn, (person, record_id))}


def _layout(rng: np.random.Generator, records: Records, modalities: Interventions, reviews: Forms, interviews: Forms) -> Layout:
    """Lay out the rows, and from which night to which each is delivered."""
    episodes = len(records.provider)
    none = np.full(episodes, -1)
    appears = np.maximum(modalities.referred, records.registered[modalities.episode])
    modality_of_episode = np.full(episodes, NEVER)
    np.minimum.at(modality_of_episode, modalities.episode, appears)
    bare = (np.arange(episodes), none, none, none, records.registered, modality_of_episode)
    # A modality without a review yet has a row of its own until the first review comes.
    review_known = np.maximum(reviews.day + rng.integers(0, 6, len(reviews.day)), records.registered[modalities.episode[reviews.parent]])
    review_known = np.maximum(review_known, appears[reviews.parent])
    first_review = np.full(len(modalities.episode), NEVER)
    np.minimum.at(first_review, reviews.parent, review_known)
    every = np.arange(len(modalities.episode))
    unreviewed = (modalities.episode, every, np.full(len(every), -1), np.full(len(every), -1), appears, first_review)
    of_review = modalities.episode[reviews.parent]
    count = len(reviews.parent)
    reviewed = (of_review, reviews.parent, np.arange(count), np.full(count, -1), review_known, np.full(count, NEVER))
    first_modality = np.full(episodes, -1)
    first_modality[modalities.episode[::-1]] = every[::-1]
    count = len(interviews.parent)
    interview_known = np.maximum(interviews.day + rng.integers(0, 15, count), records.registered[interviews.parent])
    shown = first_modality[interviews.parent]
    interview_known = np.where(shown >= 0, np.maximum(interview_known, appears[np.maximum(shown, 0)] if len(appears) else interview_known), interview_known)
    interviewed = (interviews.parent, shown, np.full(count, -1), np.arange(count), interview_known, np.full(count, NEVER))
    columns = [np.concatenate(c) for c in zip(bare, unreviewed, reviewed, interviewed, strict=True)]
    episode, modality, review, interview, first_known, until = columns
    until = np.minimum(until, records.withdrawn[episode])
    refused = ~records.client_consents[records.client[episode]]
    # Of a client who withholds consent, one row is sent: that of the first episode, from the day it is registered.
    first_episode = np.full(len(records.client_person), episodes)
    np.minimum.at(first_episode, records.client, np.arange(episodes))
    is_bare = np.arange(len(episode)) < episodes
    only = is_bare & (first_episode[records.client[episode]] == episode)
    until = np.where(refused & only, NEVER, until)
    keep = (first_known < until) & (~refused | only)
    order = np.lexsort((interview[keep], review[keep], modality[keep], episode[keep], records.client_number[records.client[episode[keep]]]))
    return Layout(*(c[keep][order] for c in (episode, modality, review, interview, first_known, until)))


def _client_cells(people: People, addresses: Addresses, records: Records, codes: list[str], episode: Ints, night: int) -> Cells:
    client = records.client[episode]
    person = records.client_person[client]
    written = records.identity.at(client, night)
    nation = np.where((people.ethnic[person] > 2) & (hashed(people.person_id[person]) % 10 < 3), hashed(person) % len(NATIONS), 0)
    nation = np.where(people.ethnic[person] == 2, 2 + hashed(person) % 2, nation)
    number = records.client_number[client]
    return {
        "FINITIAL": pc.utf8_upper(pc.utf8_slice_codeunits(written.forename, 0, 1)),
        "SINITIAL": pc.utf8_upper(pc.utf8_slice_codeunits(written.surname, 0, 1)),
        "DOB": date_texts(written.born, UK_DATE),
        "SEX": pick(["M", "F"], records.identity.sex[client]),
        "ETHNIC": pick(ETHNIC_CODES, np.where(hashed(number, person) % 100 < 3, len(ETHNIC_CODES) - 1, people.ethnic[person])),
        "NATION": pick(NATIONS, nation),
        "AGNCY": pick(codes, records.client_provider[client]),
        "CLIENT": join("R", numbers(number % 100_000)),
        "CLIENTID": numbers(number),
        "CONSENT": flags(records.client_consents[client]),
        "PC": blank(addresses.sectors(records.address[episode]), hashed(number, episode) % 100 < 3),
    }


def _episode_cells(people: People, areas: tuple[Area, ...], addresses: Addresses, episodes: Episodes, records: Records, episode: Ints, night: int) -> Cells:
    area = addresses.area[records.address[episode]]
    left = records.discharge_known[episode] <= night
    drugs = records.drugs[episode]
    gp = hashed(area, episodes.person[episode]) % 40
    return {
        "EPISODID": numbers(hashed(records.client_number[records.client[episode]], episodes.triage[episode], episodes.side[episode]) % 10_000_000_000),
        "REFLD": date_texts(records.referral[episode], UK_DATE),
        "PREVTR": flags((episodes.journey[episode] > 1) | (hashed(episodes.person[episode]) % 10 < 4)),
        "DAT": pick([a.partnership for a in areas], area),
        "LA": addresses.country.area_codes(area),
        "GPPTCE": join("A8", pc.utf8_lpad(numbers(area % 100 * 40 + gp), 4, "0")),
        "DRUG1": numbers(drugs[:, 0]),
        "DRUG2": numbers(drugs[:, 1]),
        "DRUG3": numbers(drugs[:, 2]),
        "RFLS": pick(REFERRAL_SOURCES, records.source[episode]),
        "TRIAGED": date_texts(episodes.triage[episode], UK_DATE),
        "TOPCC": flags(episodes.side[episode] == 0),
        "DISD": date_texts(np.where(left, episodes.discharge[episode], NEVER), UK_DATE),
        "DISRSN": blank(numbers(records.reason[episode]), ~left),
    }


def _modality_cells(episodes: Episodes, records: Records, modalities: Interventions, modality: Ints, episode: Ints, night: int) -> Cells:
    if len(modalities.episode) == 0:
        return {}
    none = modality < 0
    row = np.maximum(modality, 0)
    left = records.discharge_known[episode] <= night
    over = (modalities.end[row] < NEVER) & ((modalities.end[row] < episodes.discharge[episode]) | left) & (modalities.end[row] + 5 <= night)
    outcome = episodes.outcome[episode]
    exit_status = np.select([outcome == COMPLETED, outcome == DROPPED_OUT], [0, 1], 2)
    exit_status = np.where(modalities.end[row] < episodes.discharge[episode], 0, exit_status)
    started = modalities.start[row] <= night
    pharmacological = modalities.kind[row] == 94
    setting = np.where(episodes.side[episode] == 1, 2, np.where(pharmacological & (hashed(row) % 10 < 3), 1, 6))

    def of_modality(values: Text) -> Text:
        return blank(values, none)

    return {
        "MODAL": of_modality(numbers(modalities.kind[row])),
        "REFMODDT": of_modality(date_texts(modalities.referred[row], UK_DATE)),
        "MODSET": of_modality(numbers(setting)),
        "MODID": of_modality(_modality_ids(records, modalities, row, episode)),
        "FAOMODDT": of_modality(date_texts(modalities.offered[row], UK_DATE, night)),
        "MODST": of_modality(date_texts(modalities.start[row], UK_DATE, night)),
        "MODEND": of_modality(date_texts(np.where(over & started, modalities.end[row], NEVER), UK_DATE)),
        "MODEXIT": blank(pick(["A", "B", "C"], exit_status), none | ~over | ~started),
    }


def _modality_ids(records: Records, modalities: Interventions, row: Ints, episode: Ints) -> Text:
    number = hashed(records.client_number[records.client[episode]], modalities.referred[row], modalities.kind[row])
    return numbers(number % 10_000_000_000)


def _form_cells(records: Records, reviews: Forms, interviews: Forms, modalities: Interventions, modality: Ints, review: Ints, interview: Ints) -> Cells:
    cells: Cells = {}
    if len(reviews.parent):
        row = np.maximum(review, 0)
        cells["SUBMODDT"] = blank(date_texts(reviews.day[row], UK_DATE), review < 0)
        cells["SUBMID"] = blank(numbers(hashed(modalities.episode[reviews.parent[row]] + 31, reviews.day[row], reviews.parent[row])), review < 0)
        first_modality = (review >= 0) & (modalities.number[np.maximum(modality, 0)] == 0)
        parent = reviews.parent[row]
        hours = hashed(modalities.episode[parent]) % 20
        cells["TITDATE"] = blank(date_texts(modalities.start[parent], UK_DATE), ~first_modality)
        cells["TITREAT"] = blank(pick(["1", "2", "3"], np.select([hours == 0, hours < 3], [2, 1], 0)), ~first_modality)
        cells["TITID"] = blank(numbers(hashed(modalities.episode[parent] + 57, modalities.start[parent])), ~first_modality)
    if len(interviews.parent):
        row = np.maximum(interview, 0)
        cells["TOPDATE"] = blank(date_texts(interviews.day[row], UK_DATE), interview < 0)
        cells["TOPID"] = blank(numbers(hashed(interviews.parent[row] + 91, interviews.day[row], interviews.stage[row])), interview < 0)
        cells["TRSTAGE"] = blank(pick(["S", "R", "E"], interviews.stage[row]), interview < 0)
    return cells
