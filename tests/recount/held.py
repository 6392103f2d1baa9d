"""What the agencies hold of each person on the first night, read by pandas from the files they deliver, with the generator's answer to
whose each record is. Nothing here comes from the warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

# Feed, table, delimiter, and the columns that make the agency's id of a record, or of the case that its people are in.
TABLES = {
    "ndtms": ("treatment", ",", ["AGNCY", "CLIENTID"]),
    "nominals": ("police", ",", ["NOMINAL_ID"]),
    "offences": ("police", ",", ["NOMINAL_ID"]),
    "arrests": ("police", ",", ["NOMINAL_ID"]),
    "claimants": ("benefits", "|", ["CLAIMANT_ID"]),
    "benefit_spells": ("benefits", "|", ["CLAIMANT_ID"]),
    "employment_spells": ("benefits", "|", ["CLAIMANT_ID"]),
    "people": ("housing", ",", ["CASE_ID", "PERSON_NO"]),
    "support_services": ("housing", ",", ["SERVICE_CLIENT_ID"]),
    "cases": ("housing", ",", []),
    "duties": ("housing", ",", []),
    "temporary_accommodation": ("housing", ",", []),
    "registrations": ("deaths", ",", ["REGISTRATION_ID"]),
    "receptions": ("custody", ",", ["PRISON_NO"]),
    "releases": ("custody", ",", ["PRISON_NO"]),
    "nominations": ("priority_offenders", ",", ["PPO_NO"]),
}
REFUSED = "N"
Record = dict[str, Any]


@dataclass
class Person:
    """Everything that is held of one person: rows of each table, columns by the agencies' names, dates as dates, None for nothing."""

    person: int
    rows: dict[str, list[Record]] = field(default_factory=dict)

    def of(self, table: str) -> list[Record]:
        """The person's rows of a table."""
        return self.rows.get(table, [])

    def has_record_in(self, *tables: str) -> bool:
        """Whether one of the tables holds a row of the person."""
        return any(self.rows.get(table) for table in tables)


def read(folder: Path, night: date) -> dict[int, Person]:
    """The people that some agency has a record of, by the number the generator gave them.

    Args:
        folder: what `warehouse generate` wrote: inbox and truth.
    """
    truth = pd.read_csv(folder / "truth" / "records.csv", dtype={"agency_record_id": str})
    whose = {feed: dict(zip(of.agency_record_id, of.true_person_id, strict=True)) for feed, of in truth.groupby("feed")}
    tables = {name: _table(folder, night, name, feed, delimiter) for name, (feed, delimiter, _) in TABLES.items()}
    people: dict[int, Person] = {}
    cases: dict[str, set[int]] = {}
    for name, (feed, _, key) in TABLES.items():
        if not key:
            continue
        for row in tables[name]:
            if row.get("CONSENT") == REFUSED:
                continue  # of this client nothing may be known
            person = int(whose[feed]["|".join(str(row[column]) for column in key)])
            people.setdefault(person, Person(person)).rows.setdefault(name, []).append(row)
            if name == "people":
                cases.setdefault(row["CASE_ID"], set()).add(person)
    for name in ("cases", "duties", "temporary_accommodation"):
        for row in tables[name]:
            for person in cases.get(row["CASE_ID"], ()):
                people[person].rows.setdefault(name, []).append(row)
    return people


def _table(folder: Path, night: date, name: str, feed: str, delimiter: str) -> list[Record]:
    """The rows of a delivered file."""
    (path,) = (folder / "inbox" / night.isoformat() / feed).glob(f"{name}_*")
    frame = pd.read_csv(path, sep=delimiter, dtype=str, keep_default_na=False, na_values=["", "NA"] if feed == "treatment" else [""])
    for column in frame.columns:
        sample = frame[column].dropna().head(1)
        if len(sample) and _is_date(sample.iloc[0]):
            frame[column] = pd.to_datetime(frame[column], format="%d/%m/%Y" if "/" in sample.iloc[0] else "%Y-%m-%d").dt.date
    frame = frame.astype(object).where(frame.notna(), None)
    rows: list[Record] = frame.to_dict("records")
    return rows


def _is_date(text: str) -> bool:
    return len(text) == 10 and (text[2] == text[5] == "/" or text[4] == text[7] == "-") and text.replace("/", "").replace("-", "").isdigit()
