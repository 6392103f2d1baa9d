"""The small populations that tests of the generator read, and the layouts of their files."""

from __future__ import annotations

from datetime import date, timedelta

from warehouse.contracts.load import load_contract
from warehouse.synth.files import Layout, layouts
from warehouse.synth.generate import FIRST_NIGHT

PEOPLE, FAULTY_PEOPLE, NIGHTS, SEED = 2_000, 4_000, 3, 11
LAYOUTS: dict[tuple[str, str], Layout] = layouts()
NIGHT_DATES: list[date] = [FIRST_NIGHT + timedelta(days=k) for k in range(NIGHTS)]


def nights_of(feed: str) -> list[date]:
    """The nights on which a feed delivers: all of them, or the first alone for a feed that comes by the week or month."""
    return NIGHT_DATES if load_contract(feed).delivery.cadence == "daily" else NIGHT_DATES[:1]
