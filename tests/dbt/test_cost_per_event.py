"""The interval of a cost for each success, as dbt's macro writes it, on people drawn at a known cost."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from jinja2 import Environment, FileSystemLoader
from numpy.typing import NDArray

from warehouse.settings import settings

Floats = NDArray[np.float64]

STUDIES = 2_000
Z_95 = 1.959964


def draw(people: int, share: float) -> tuple[Floats, Floats, float]:
    """Costs and successes (study x person), and the true cost for each success.

    Costs are skewed, as costs of treatment are, and whoever succeeds is cheaper: the two are not independent.
    """
    rng = np.random.default_rng(13)
    succeeded = (rng.random((STUDIES, people)) < share).astype(np.float64)
    cost = rng.lognormal(8.0 - 0.5 * succeeded, 0.8)
    mean = np.exp(8.0 + 0.32) * (1 - share) + np.exp(7.5 + 0.32) * share
    return cost, succeeded, float(mean / share)


def by_the_macro(cost: Floats, succeeded: Floats, side: str) -> Floats:
    """The macro's bound for each study, worked out by a database; NaN where it is null."""
    macros = Environment(loader=FileSystemLoader(settings().dbt_project_dir / "macros"), autoescape=False)
    macros.globals["var"] = {"z_95": Z_95}.get
    call = f"cost_per_event_bound('cost', 'squares', 'events', 'of_events', {cost.shape[1]}, '{side}')"
    expression = macros.from_string("{% from 'ratio_of_means.sql' import cost_per_event_bound with context %}{{ " + call + " }}").render()
    sums = {"cost": cost, "squares": cost**2, "events": succeeded, "of_events": cost * succeeded}
    table = pa.table({name: values.sum(axis=1) for name, values in sums.items()})
    with duckdb.connect() as connection:
        connection.register("sums", table)
        found = connection.execute(f"select ({expression})::double as bound from sums").fetchnumpy()["bound"]
    return np.ma.filled(found, np.nan)


@pytest.mark.parametrize(("people", "share"), [(400, 0.4), (150, 0.25), (60, 0.4), (120, 0.08)])
def test_the_interval_holds_the_true_cost_as_often_as_it_says(people: int, share: float) -> None:
    cost, succeeded, truth = draw(people, share)
    lower, upper = by_the_macro(cost, succeeded, "-"), by_the_macro(cost, succeeded, "+")
    bounded = ~np.isnan(lower)
    assert np.array_equal(bounded, ~np.isnan(upper))
    assert bounded.mean() > 0.85
    covered = ((lower <= truth) & (truth <= upper))[bounded].mean()
    assert 0.92 <= covered <= 0.98


def test_without_spread_of_cost_it_is_the_interval_of_the_share() -> None:
    """100 people at 10 pounds, 20 succeed: cost 50 each; the bounds are 10 over the bounds of the share by the normal approximation."""
    succeeded = np.zeros((1, 100))
    succeeded[0, :20] = 1
    cost = np.full((1, 100), 10.0)
    margin = Z_95 * np.sqrt(0.2 * 0.8 / 99)
    assert by_the_macro(cost, succeeded, "-")[0] == pytest.approx(10 / (0.2 + margin))
    assert by_the_macro(cost, succeeded, "+")[0] == pytest.approx(10 / (0.2 - margin))


def test_nobody_or_hardly_anybody_succeeding_has_no_interval() -> None:
    cost = np.full((2, 50), 10.0)
    succeeded = np.zeros((2, 50))
    succeeded[1, 0] = 1
    assert np.isnan(by_the_macro(cost, succeeded, "+")).all()
