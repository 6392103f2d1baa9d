"""The interval of a ratio of two rates of the same people, as dbt's macro writes it, on people drawn at a known ratio."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from jinja2 import Environment, FileSystemLoader
from numpy.typing import NDArray

from warehouse.settings import settings

Floats = NDArray[np.float64]

TRUE_RATIO = 0.67
STUDIES, PEOPLE = 1_000, 300
Z_95 = 1.959964


def draw() -> tuple[Floats, Floats, Floats, Floats]:
    """Events after and before, and years after and before, of the people of many studies (study x person).

    Half of a person's rate lasts and half is drawn anew when treatment starts: few people bring most of the events, and not the
    same people on both sides.
    """
    rng = np.random.default_rng(11)
    shape = (STUDIES, PEOPLE)
    lasting = rng.gamma(0.5, 2.0, shape)
    years_before, years_after = rng.uniform(0.5, 2.0, shape), rng.uniform(0.5, 2.0, shape)
    before = rng.poisson(0.4 * (lasting + rng.gamma(0.5, 2.0, shape)) * years_before).astype(np.float64)
    after = rng.poisson(0.4 * (lasting + rng.gamma(0.5, 2.0, shape)) * years_after * TRUE_RATIO).astype(np.float64)
    return after, before, years_after, years_before


def by_the_macro(a: Floats, b: Floats, s: Floats, t: Floats) -> Floats:
    """What the macro makes of each study's sums, worked out by a database."""
    macros = Environment(loader=FileSystemLoader(settings().dbt_project_dir / "macros"), autoescape=False)
    expression = macros.from_string("{% from 'rate_ratio.sql' import log_rate_ratio_variance %}{{ log_rate_ratio_variance(people) }}").render(people=PEOPLE)
    single = {"a": a, "b": b, "s": s, "t": t}
    products = {"aa": a * a, "ab": a * b, "bb": b * b, "a_s": a * s, "a_t": a * t, "b_s": b * s, "b_t": b * t, "ss": s * s, "st": s * t, "tt": t * t}
    sums = pa.table({name: values.sum(axis=1) for name, values in (single | products).items()})
    with duckdb.connect() as connection:
        connection.register("sums", sums)
        found: Floats = connection.execute(f"select {expression} as variance from sums").fetchnumpy()["variance"]
    return found


def test_the_interval_holds_the_true_ratio_as_often_as_it_says() -> None:
    a, b, s, t = draw()
    total_a, total_b, total_s, total_t = (values.sum(axis=1, keepdims=True) for values in (a, b, s, t))
    person_by_person = ((a / total_a - s / total_s - b / total_b + t / total_t) ** 2).sum(axis=1) * PEOPLE / (PEOPLE - 1)
    variance = by_the_macro(a, b, s, t)
    np.testing.assert_allclose(variance, person_by_person, rtol=1e-6)

    error = np.abs(np.log(total_a / total_s / (total_b / total_t) / TRUE_RATIO)).ravel()
    poisson = (1 / total_a + 1 / total_b).ravel()
    assert 0.93 <= np.mean(error <= Z_95 * np.sqrt(variance)) <= 0.97
    # what the macro is for: the usual formula is too sure of itself
    assert np.mean(error <= Z_95 * np.sqrt(poisson)) < 0.92
