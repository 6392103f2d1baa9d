"""Errors of linkage, without people's values.

DuckDB repeats offending values and whole statements in its messages, so they are reduced to what was being done and
the kind of error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LinkageFault(Exception):
    """Linkage cannot go on; the message says why and what to do, and holds no person's value."""


class PairBudgetExceeded(LinkageFault):
    """The blocking rules would compare more pairs than the policy allows."""


@contextmanager
def clean_duckdb_errors(doing: str) -> Iterator[None]:
    """Turn DuckDB errors raised inside into `LinkageFault`, dropping their message.

    Args:
        doing: what is being tried, as the end of "while trying to ...".
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise LinkageFault(f"DuckDB error while trying to {doing}: {type(error).__name__}") from None
