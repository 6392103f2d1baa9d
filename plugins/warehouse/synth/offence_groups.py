"""The offence group of each offence that is drawn, from the project's reference list."""

from __future__ import annotations

import csv
from functools import lru_cache

from warehouse.settings import settings
from warehouse.synth.crime import offence_kinds


@lru_cache(maxsize=1)
def offence_groups() -> tuple[str, ...]:
    """The group of every kind of offence in `offences.csv`, in its order.

    Raises:
        KeyError: a kind has a code that is not in the reference list.
    """
    path = settings().dbt_project_dir / "seeds" / "reference" / "home_office_offences.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        group = {(int(r["offence_class"]), int(r["offence_subclass"])): r["offence_group"] for r in csv.DictReader(stream)}
    kinds = offence_kinds()
    return tuple(group[key] for key in zip(kinds.ho_class.tolist(), kinds.ho_subclass.tolist(), strict=True))
