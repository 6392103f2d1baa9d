"""What the scheduler imports for its tasks must exist, or every task would import it by itself again and nobody would notice."""

from importlib.util import find_spec

import pytest

from warehouse.orchestrate.preload import LIBRARIES


@pytest.mark.parametrize("library", LIBRARIES)
def test_it_exists(library: str) -> None:
    assert find_spec(library) is not None
