"""Database errors without people's values.

Postgres repeats the offending value in its messages and SQLAlchemy repeats statements and parameters, so neither may
reach a log. What remains is enough to find the cause: what was being done, the SQLSTATE and the constraint or table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc


class DatabaseFault(Exception):
    """A database error reduced to facts that hold no person's value."""

    def __init__(self, doing: str, sqlstate: str | None = None, place: str | None = None) -> None:
        self.doing, self.sqlstate, self.place = doing, sqlstate, place
        detail = f"SQLSTATE {sqlstate}" if sqlstate else "no SQLSTATE: the connection failed or was lost"
        super().__init__(f"Database error while trying to {doing}: {detail}" + (f", at {place}" if place else ""))

    def __reduce__(self) -> tuple[type[DatabaseFault], tuple[str, str | None, str | None]]:
        return DatabaseFault, (self.doing, self.sqlstate, self.place)


def _clean(doing: str, error: psycopg.Error) -> DatabaseFault:
    diag = error.diag
    place = diag.constraint_name or ".".join(p for p in (diag.schema_name, diag.table_name, diag.column_name) if p) or None
    return DatabaseFault(doing, error.sqlstate, place)


@contextmanager
def clean_errors(doing: str) -> Iterator[None]:
    """Turn database errors raised inside into `DatabaseFault`, dropping message, statement and parameters.

    Args:
        doing: what is being tried, as the end of "while trying to ...".
    """
    try:
        yield
    except psycopg.Error as error:
        raise _clean(doing, error) from None
    except sqlalchemy.exc.DBAPIError as error:
        raise (_clean(doing, error.orig) if isinstance(error.orig, psycopg.Error) else DatabaseFault(doing)) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise DatabaseFault(f"{doing} ({type(error).__name__})") from None


def describe(error: psycopg.Error) -> str:
    """What to tell the person who wrote a query: the server's own words where they are about the statement (class 42: syntax,
    names, privileges), else the SQLSTATE alone, since other messages repeat values."""
    if error.sqlstate and error.sqlstate.startswith("42") and error.diag.message_primary:
        return error.diag.message_primary
    return str(_clean("run the query", error))
