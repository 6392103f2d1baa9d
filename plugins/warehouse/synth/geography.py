"""Where people live: local authorities, their partnerships and forces, and a made-up but well-formed postcode map.

Authorities are taken whole, in the order of REGION_ORDER, so that a small population fills a few areas well. The code
lists are the project's reference seeds. Postcodes are synthetic: their areas are real letters of the region, the numbers
are dealt out so that as many adults share a sector and a day of birth as would among `sector_people` real residents.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warehouse.settings import settings
from warehouse.synth.arrays import Floats, Ints, Text, join, pick

REGION_ORDER = (
    "North East", "Yorkshire and The Humber", "North West", "West Midlands", "East Midlands", "London", "East of England", "South East", "South West",
)  # fmt: skip
# The Tyne and Wear and Northumberland authorities come first: their partnership codes are known.
FIRST_AREAS = ("E08000037", "E06000057", "E08000023", "E08000024", "E08000021", "E08000022", "E06000047")
# Partnership codes read in a published source (domain notes, section 1.3); the others are made, see `_partnership_codes`.
KNOWN_PARTNERSHIPS = {"E08000037": "A09B", "E06000057": "A10B", "E08000023": "A11B", "E08000024": "A12B"}
POSTCODE_AREAS = {
    "North East": "NE SR DH TS DL", "Yorkshire and The Humber": "LS YO HU BD HX HD WF S DN HG", "North West": "M L CH WA WN BL OL SK PR BB FY LA CA CW",
    "West Midlands": "B CV DY HR ST TF WR WS WV", "East Midlands": "NG DE LE LN NN", "London": "E EC N NW SE SW W WC BR CR DA EN HA IG KT RM SM TW UB",
    "East of England": "CB CM CO IP LU NR PE SG SS AL WD HP",
    "South East": "BN CT GU ME MK OX PO RG RH SL SO TN", "South West": "BA BH BS DT EX GL PL SN SP TA TQ TR",
}  # fmt: skip
DEFAULT_POPULATION = 250_000
SECTORS_PER_DISTRICT = 4
_UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
UNITS = [a + b for a in _UNIT_LETTERS for b in _UNIT_LETTERS]


@dataclass(frozen=True)
class Area:
    """One local authority of the synthetic country."""

    lad_code: str
    region: str
    population: float
    partnership: str
    force: str


@dataclass(frozen=True)
class Country:
    """The areas in use and their postcode sectors. `sector_area` holds the area of each sector, `first_sector` the reverse."""

    areas: tuple[Area, ...]
    weights: Floats
    sectors: tuple[str, ...]
    first_sector: Ints
    sector_count: Ints
    streets: tuple[str, ...]

    def sectors_in(self, rng: np.random.Generator, area: Ints) -> Ints:
        """A sector drawn for each area index."""
        return self.first_sector[area] + (rng.random(len(area)) * self.sector_count[area]).astype(np.int64)

    def sector_texts(self, sector: Ints) -> Text:
        """The sectors as text, such as "NE8 2"."""
        return pick(self.sectors, sector)

    def postcodes(self, sector: Ints, unit: Ints) -> Text:
        """Full postcodes, such as "NE8 2AB"."""
        return join(self.sector_texts(sector), pick(UNITS, unit))

    def area_codes(self, area: Ints) -> Text:
        """Local authority district codes."""
        return pick([a.lad_code for a in self.areas], area)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _partnership_codes(utlas: list[tuple[str, str]]) -> dict[str, str]:
    """A partnership code for every upper-tier authority: the known ones, else region letter and a running number.

    Args:
        utlas: (upper-tier code, region) in a fixed order.
    """
    codes = dict(KNOWN_PARTNERSHIPS)
    taken = set(codes.values())
    for utla, region in utlas:
        letter = "ABCDEFGHJ"[REGION_ORDER.index(region)]
        codes.setdefault(utla, next(f"{letter}{n:02d}B" for n in range(1, 100) if f"{letter}{n:02d}B" not in taken))
        taken.add(codes[utla])
    return codes


def all_areas() -> list[Area]:
    """Every current English local authority, in the order in which a growing population fills them."""
    reference = settings().dbt_project_dir / "seeds" / "reference"
    forces = {r["utla_code"]: r["pfa_code"] for r in _rows(reference / "police_force_areas.csv")}
    current = [r for r in _rows(reference / "local_authorities.csv") if r["country"] == "England" and r["is_current"] == "TRUE"]
    partnerships = _partnership_codes(sorted({(r["utla_code"], r["region_name"]) for r in current}))
    ranked = sorted(current, key=lambda r: (_place_in_queue(r["lad_code"]), REGION_ORDER.index(r["region_name"]), r["lad_code"]))
    return [
        Area(r["lad_code"], r["region_name"], float(r["population_2020"] or DEFAULT_POPULATION), partnerships[r["utla_code"]], forces[r["utla_code"]])
        for r in ranked
    ]


def _place_in_queue(lad_code: str) -> int:
    return FIRST_AREAS.index(lad_code) if lad_code in FIRST_AREAS else len(FIRST_AREAS)


def _deal_sectors(areas: list[Area], counts: Ints) -> list[str]:
    """Sector names for all areas, laid end to end: four sectors to a district, districts dealt from the region's postcode areas."""
    letters = "ABCDEFGHJKLMNOPRSTUWY"
    real = {code for codes in POSTCODE_AREAS.values() for code in codes.split()}
    spare = (a + b for a in letters for b in letters if a + b not in real)
    pools = {region: iter([f"{code}{n}" for code in codes.split() for n in range(1, 100)]) for region, codes in POSTCODE_AREAS.items()}
    overflow = (f"{code}{n}" for code in spare for n in range(1, 100))
    names: list[str] = []
    for area, count in zip(areas, counts, strict=True):
        districts = [next(pools[area.region], None) or next(overflow) for _ in range(-(-int(count) // SECTORS_PER_DISTRICT))]
        names += [f"{district} {digit}" for district in districts for digit in range(1, SECTORS_PER_DISTRICT + 1)][: int(count)]
    return names


def country(people: int, density: float, people_per_area: int, sector_people: int, sectors_per_area: int) -> Country:
    """The areas and sectors for a population of this size and density.

    Args:
        people: adults in the population.
        density: how many times the people per day of birth are raised.
        people_per_area: adults wanted in an area before another one is opened.
        sector_people: residents of a sector at ordinary density.
        sectors_per_area: the least number of sectors of an area.
    """
    areas = all_areas()[: max(1, people // people_per_area)]
    weights = np.array([a.population for a in areas])
    weights = weights / weights.sum()
    counts = np.maximum(sectors_per_area, np.round(people * density * weights / sector_people)).astype(np.int64)
    streets = [r["street"] for r in _rows(Path(__file__).parent / "names" / "streets.csv")]
    return Country(tuple(areas), weights, tuple(_deal_sectors(areas, counts)), np.cumsum(counts) - counts, counts, tuple(streets))
