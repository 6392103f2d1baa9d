"""Bring the database to the state the stages expect: server, zones, and the tables of every feed."""

from __future__ import annotations

from warehouse.contracts import ddl
from warehouse.contracts.load import all_contracts
from warehouse.database import server, zones
from warehouse.database.connect import connect
from warehouse.database.errors import clean_errors
from warehouse.link.review import tables as review_tables
from warehouse.products import stage as products
from warehouse.settings import settings


def prepare() -> None:
    """Start the embedded server unless `WAREHOUSE_URL` names another; create or extend zones and feed tables. Idempotent.

    Raises:
        server.ServerError: the embedded server did not start.
        DatabaseFault: the database refused.
    """
    if not settings().url:
        server.start()
    zones.apply()
    review_tables.apply()
    with clean_errors("create the feeds' tables"), connect("loader") as connection:
        for contract in all_contracts():
            ddl.apply(contract, connection)
    products.prepare()
