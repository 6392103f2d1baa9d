"""The rates that drive the population, read from `rates.yaml`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict

from warehouse.synth.arrays import Floats

CERTAINTIES = ("published", "derived", "recalled", "assumed")


class Rate(BaseModel):
    """One rate, table or distribution with where it comes from.

    `certainty`: published (read in a source), derived (worked out from published ones), recalled, or assumed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Any
    certainty: str
    source: str


@lru_cache(maxsize=1)
def all_rates() -> dict[str, Rate]:
    """Every rate by its name, such as `treatment.death_per_year`."""
    with (Path(__file__).parent / "rates.yaml").open(encoding="utf-8") as stream:
        sections: dict[str, dict[str, Any]] = yaml.safe_load(stream)
    return {f"{section}.{name}": Rate.model_validate(rate) for section, rates in sections.items() for name, rate in rates.items()}


def rate(name: str) -> float:
    """A single number.

    Raises:
        KeyError: there is no rate of this name.
    """
    return float(all_rates()[name].value)


def table(name: str) -> dict[str, Any]:
    """A rate that is a mapping, such as shares by group."""
    value: dict[str, Any] = all_rates()[name].value
    return value


def vector(name: str) -> Floats:
    """The values of a mapping or list as an array, in the order of the file."""
    value = all_rates()[name].value
    return np.array(list(value.values()) if isinstance(value, dict) else value, dtype=np.float64)


def matrix(name: str) -> Floats:
    """A table of lists or mappings as rows of an array, in the order of the file."""
    rows = [list(row.values()) if isinstance(row, dict) else row for row in all_rates()[name].value.values()]
    return np.array(rows, dtype=np.float64)
