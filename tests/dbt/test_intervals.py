"""The interval macros against scipy, for every count that a report may hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import jinja2
import numpy as np
import pytest
import yaml
from scipy.stats import binomtest, chi2

from warehouse.settings import settings

Macro = Callable[..., str]
COUNTS = range(400)
SIDES = ("-", "+")


@pytest.fixture(scope="module")
def macro() -> Callable[[str], Macro]:
    """Gives a macro of the dbt project by its name, rendered without dbt."""
    root = Path(settings().dbt_project_dir)
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["var"] = yaml.safe_load((root / "dbt_project.yml").read_text(encoding="utf-8"))["vars"].get
    texts = [path.read_text(encoding="utf-8") for path in sorted((root / "macros").glob("*.sql"))]
    module = environment.from_string("\n".join(texts)).module

    def of(name: str) -> Macro:
        found: Macro = getattr(module, name)
        return found

    return of


def computed(expression: str, **columns: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The expression's value for each row of the columns."""
    names = ", ".join(columns)
    values = ", ".join(f"({', '.join(map(str, row))})" for row in zip(*columns.values(), strict=True))
    rows = duckdb.sql(f"select ({expression})::double from (values {values}) as t ({names})").fetchall()
    return np.array([value for (value,) in rows])


@pytest.mark.parametrize("side", SIDES)
def test_bounds_of_a_count_are_exact_below_ten_and_near_it_above(macro: Callable[[str], Macro], side: str) -> None:
    exact = chi2.ppf(0.025, 2 * np.array(COUNTS)) / 2 if side == "-" else chi2.ppf(0.975, 2 * np.array(COUNTS) + 2) / 2
    found = computed(macro("poisson_bound")("n", side), n=list(COUNTS))
    np.testing.assert_allclose(found[:10], np.nan_to_num(exact[:10]), atol=1e-6)
    np.testing.assert_allclose(found[10:], exact[10:], rtol=0.003)


def test_the_interval_of_one_stratum_is_that_of_its_count(macro: Callable[[str], Macro]) -> None:
    """Dobson's interval of a rate over one age band is Byar's of its deaths, whatever the person-years."""
    for side in SIDES:
        dobson = macro("dobson_bound")("n / 50.0", "n / 2500.0", "n", side)
        byar = macro("byar_bound")("n", side)
        counts = list(COUNTS)[1:]
        np.testing.assert_allclose(computed(dobson, n=counts), computed(byar, n=counts) / 50, rtol=1e-9)


@pytest.mark.parametrize("side", SIDES)
def test_bounds_of_a_proportion_are_wilsons(macro: Callable[[str], Macro], side: str) -> None:
    pairs = [(successes, trials) for trials in (1, 5, 37, 250, 10_000) for successes in range(0, trials + 1, max(1, trials // 20))]
    successes, trials = (list(column) for column in zip(*pairs, strict=True))
    intervals = [binomtest(k, n).proportion_ci(method="wilson") for k, n in pairs]
    wilson = np.array([interval.low if side == "-" else interval.high for interval in intervals])
    found = computed(macro("wilson_bound")("successes", "trials", side), successes=successes, trials=trials)
    np.testing.assert_allclose(found, 100 * wilson, atol=0.051)
