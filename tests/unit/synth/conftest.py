"""Small populations that several tests read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.synth.population import FAULTY_PEOPLE, NIGHTS, PEOPLE, SEED

from warehouse.synth.generate import generate


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights of 2,000 people, as they should be."""
    out = tmp_path_factory.mktemp("population")
    generate(out, PEOPLE, NIGHTS, SEED)
    return out


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights of 4,000 people with planted faults."""
    out = tmp_path_factory.mktemp("faulty")
    generate(out, FAULTY_PEOPLE, NIGHTS, SEED, faults=True)
    return out
