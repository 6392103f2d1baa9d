"""A DuckDB session with evidence about made-up records, for the tests of linkage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import duckdb
import pytest

from warehouse.link import evidence
from warehouse.link.extract import RAW_EVIDENCE

NIGHT = date(2026, 11, 1)
Rows = list[dict[str, Any]]


def key(number: int) -> UUID:
    """The record key of the nth made-up record; keys sort by their number, so record numbers follow them."""
    return UUID(int=number)


@pytest.fixture
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


@pytest.fixture
def standardised(session: duckdb.DuckDBPyConnection) -> Callable[[Rows], duckdb.DuckDBPyConnection]:
    """A function that standardises rows of raw evidence; `record` is the record's number, `feed` police unless said."""

    def standardise(rows: Rows) -> duckdb.DuckDBPyConnection:
        session.execute(RAW_EVIDENCE).fetchall()
        for row in rows:
            filled = {"feed": "police", "is_named": True, "is_main": True} | row
            filled["record_key"] = key(filled.pop("record"))
            columns = ", ".join(filled)
            session.execute(f"insert into raw_evidence ({columns}) values ({', '.join('?' * len(filled))})", list(filled.values())).fetchall()
        evidence.build(session, NIGHT)
        return session

    return standardise
