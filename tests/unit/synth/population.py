"""The small populations that tests of the generator read, and the layouts of their files."""

from __future__ import annotations

from datetime import date, timedelta

from warehouse.synth.files import Layout, layouts
from warehouse.synth.generate import FIRST_NIGHT

PEOPLE, FAULTY_PEOPLE, NIGHTS, SEED = 2_000, 4_000, 3, 11
LAYOUTS: dict[tuple[str, str], Layout] = layouts()
NIGHT_DATES: list[date] = [FIRST_NIGHT + timedelta(days=k) for k in range(NIGHTS)]
