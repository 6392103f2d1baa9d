"""The upper-tier authority, region and country of the codes of places that agencies send, by the published lists of the Office for National
Statistics. Wales has no regions: the country stands in."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

REFERENCE = Path(__file__).parents[2] / "dbt_project/seeds/reference"
ENGLAND, WALES = "E92000001", "W92000004"


class Place(NamedTuple):
    """Where a client lives."""

    authority: str
    region: str
    country: str


# Clients whose home is not known count for England.
UNKNOWN = Place("unknown", "unknown", ENGLAND)


def place_of(code: str | None) -> Place:
    """The place of a district, former district or upper-tier authority."""
    return _places().get(code or "", UNKNOWN)


@cache
def _places() -> dict[str, Place]:
    found = {row["utla_code"]: _place(row) for row in _rows("police_force_areas")}
    return found | {row["lad_code"]: found[row["utla_code"]] for row in _rows("local_authorities") if row["utla_code"] in found}


def _place(row: dict[str, str]) -> Place:
    country = WALES if row["country"] == "Wales" else ENGLAND
    return Place(row["utla_code"], row["region_code"] or WALES, country)


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
