"""The answers, kept in a folder that no stage reads: whose each record is, who the people are and what happened to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from warehouse.contracts.load import load_contract
from warehouse.synth.arrays import NEVER, Ints, Text, date_texts, flags, pick
from warehouse.synth.mortality import causes
from warehouse.synth.names import name_tables
from warehouse.synth.nights import Rows, has_been_delivered
from warehouse.synth.people import ETHNIC_CODES, GROUP_NAMES, Period
from warehouse.synth.priority_lists import STRANDS
from warehouse.synth.prison_stays import RECEPTIONS
from warehouse.synth.world import World

EVENTS = pa.schema([("true_person_id", pa.int64()), ("event", pa.string()), ("start_date", pa.date32()), ("end_date", pa.date32()), ("detail", pa.string())])
RECORDS = pa.schema([("feed", pa.string()), ("table", pa.string()), ("agency_record_id", pa.string()), ("true_person_id", pa.int64())])
OUTCOME_NAMES = ("completed", "dropped_out", "transferred", "custody", "withdrawn", "declined", "other", "died", "still_in")


@dataclass
class Truth:
    """Writers of the truth's files, filled chunk by chunk."""

    folder: Path
    records: pa_csv.CSVWriter
    people: pa_csv.CSVWriter | None = None
    events: pq.ParquetWriter | None = field(default=None)

    def add(self, world: World, feeds: dict[str, dict[str, Rows]], span: Period, last_night: int) -> None:
        """Add a chunk: its records delivered up to the last night, its people and their events up to that day."""
        for feed, tables in feeds.items():
            for name, rows in tables.items():
                if rows.record is not None:
                    delivered = has_been_delivered(rows, last_night, span.first_night, load_contract(feed).delivery.cadence)
                    self.records.write_table(_records(feed, name, rows.record, delivered))
        people = _people(world, last_night)
        if self.people is None:
            self.people = pa_csv.CSVWriter(self.folder / "people.csv", people.schema)
        self.people.write_table(people)
        if self.events is None:
            self.events = pq.ParquetWriter(self.folder / "events.parquet", EVENTS)
        self.events.write_table(_events(world, last_night))

    def close(self) -> None:
        """Finish the files."""
        self.records.close()
        if self.people is not None:
            self.people.close()
        if self.events is not None:
            self.events.close()


def begin(out: Path) -> Truth:
    """Start the truth anew."""
    folder = out / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    return Truth(folder, pa_csv.CSVWriter(folder / "records.csv", RECORDS))


def _records(feed: str, name: str, record: tuple[Ints, Callable[[Ints], Text]], delivered: Ints) -> pa.Table:
    """Each agency record once, with the person it is about."""
    person, record_id = record
    table = pa.table({"agency_record_id": record_id(delivered), "true_person_id": person[delivered]})
    once = table.group_by(["agency_record_id", "true_person_id"], use_threads=False).aggregate([])
    count = len(once)
    return pa.table(
        [pa.array([feed] * count, pa.string()), pa.array([name] * count, pa.string()), once["agency_record_id"], once["true_person_id"]], schema=RECORDS
    )


def _people(world: World, last_night: int) -> pa.Table:
    people, names = world.people, name_tables()
    here = world.addresses.at(np.arange(people.count), np.full(people.count, last_night))
    return pa.table(
        {
            "true_person_id": people.person_id,
            "forename": names.forenames.take(people.forename),
            "surname": names.surnames.take(people.surname_at(np.arange(people.count), np.full(people.count, last_night))),
            "birth_surname": names.surnames.take(people.surname),
            "dob": date_texts(people.born, "YYYY-MM-DD"),
            "sex": pick(["M", "F"], people.sex),
            "ethnic": pick(ETHNIC_CODES, people.ethnic),
            "lad_code": world.addresses.area_codes(here),
            "drug_group": pick(GROUP_NAMES, people.group),
            "died": date_texts(np.where(people.dies <= last_night, people.dies, NEVER), "YYYY-MM-DD"),
            "has_twin": flags(people.relation == 3),
        }
    )


def _events(world: World, last_night: int) -> pa.Table:
    w = world
    person_id = w.people.person_id
    outcomes = pick(OUTCOME_NAMES, w.episodes.outcome)
    custody = np.flatnonzero(w.offences.custody_start < NEVER)
    dead = np.flatnonzero(w.people.dies < NEVER)
    moved = np.flatnonzero(w.addresses.before(np.arange(len(w.addresses.person)))[1])
    parts: list[tuple[str, Ints, Ints, Ints, Text | None]] = [
        ("treatment_episode", w.episodes.person, w.episodes.triage, w.episodes.discharge, outcomes),
        ("proven_offence", w.offences.person, w.offences.day, w.offences.disposal_day, None),
        ("custody", w.offences.person[custody], w.offences.custody_start[custody], w.offences.custody_end[custody], None),
        ("benefit", w.spells.person, w.spells.start, w.spells.end, pick(("UC", "ESA", "IS", "JSA", "PIP", "DLA", "HB"), w.spells.benefit)),
        ("job", w.jobs.person, w.jobs.start, w.jobs.end, None),
        ("homelessness_application", w.cases.person, w.cases.day, w.cases.day, None),
        ("support_service", w.services.person, w.services.start, w.services.end, None),
        ("move", w.addresses.person[moved], w.addresses.start[moved], w.addresses.start[moved], None),
        ("death", dead, w.people.dies[dead], w.people.dies[dead], None),
        ("death_registration", w.deaths.person, w.deaths.registered, w.deaths.registered, pick(causes().underlying, w.deaths.cause)),
        ("prison_stay", w.prison_stays.person, w.prison_stays.start, w.prison_stays.end, pick(RECEPTIONS, w.prison_stays.reception)),
        ("priority_nomination", w.nominations.person, w.nominations.nominated, w.nominations.removed, pick(STRANDS, w.nominations.strand)),
    ]
    return pa.concat_tables([_event_table(name, person_id[person], start, end, detail, last_night) for name, person, start, end, detail in parts])


def _event_table(name: str, person_id: Ints, start: Ints, end: Ints, detail: Text | None, last_night: int) -> pa.Table:
    keep = np.flatnonzero(start <= last_night)
    count = len(keep)
    return pa.table(
        [
            pa.array(person_id[keep]),
            pa.array([name] * count, pa.string()),
            _dates(start[keep], last_night),
            _dates(end[keep], last_night),
            detail.take(keep) if detail is not None else pa.nulls(count, pa.string()),
        ],
        schema=EVENTS,
    )


def _dates(days: Ints, last_night: int) -> pa.Array:
    """Days as dates; null for what has not happened by the last night."""
    return pa.array(days.astype(np.int32), mask=days > last_night).cast(pa.date32())
