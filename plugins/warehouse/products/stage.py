"""Make the estimates of a build: read the frames, run the models, write the tables."""

from __future__ import annotations

import logging
import time
from datetime import date
from typing import TYPE_CHECKING

import sqlalchemy as sa

from warehouse.database import clean_errors, connect, url
from warehouse.products import tables
from warehouse.products.errors import EstimateFailed
from warehouse.products.product import Product
from warehouse.products.registry import PRODUCTS
from warehouse.products.schemas import BuildSchemas, of_slot
from warehouse.publish.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from warehouse.products.product import Frames

log = logging.getLogger(__name__)


def prepare() -> None:
    """Make the tables of estimates that are not there. Idempotent.

    Raises:
        DatabaseFault: the database refused.
    """
    with clean_errors("create the tables of estimates"), connect("transformer") as connection:
        connection.execute("set local client_min_messages = warning")
        for slot in SLOTS:
            for product in PRODUCTS:
                tables.create(connection, of_slot(slot).estimates, product.tables)


def estimate(night: date, schemas: BuildSchemas, products: tuple[Product, ...] = PRODUCTS) -> dict[str, int]:
    """Make every product's tables anew; running it again gives the same rows.

    A product's tables change together or not at all, and nothing reads them before publication.

    Args:
        night: the night the marts show.
        schemas: of the build; its marts are there.
        products: those to make.

    Returns:
        The rows written, by table.

    Raises:
        EstimateFailed: a product could not be made; its name and the kind of fault, no values.
        DatabaseFault: the database failed.
    """
    counts: dict[str, int] = {}
    for product in products:
        started = time.monotonic()
        made = _make(product, read(product, night, schemas), night)
        with clean_errors(f"write the estimates of {product.name}"), connect("transformer") as connection:
            counts |= {table.name: tables.replace(connection, schemas.estimates, table, made[table.name]) for table in product.tables}
        log.info("Estimated %s in %.1f s", product.name, time.monotonic() - started)
    return counts


def read(product: Product, night: date, schemas: BuildSchemas) -> Frames:
    """The frames a product reads.

    Raises:
        DatabaseFault: a table is missing or cannot be read.
    """
    import pandas as pd

    engine = sa.create_engine(sa.make_url(url("transformer")).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with clean_errors(f"read what {product.name} is made from"), engine.connect() as connection:
        return {name: pd.read_sql_query(sa.text(schemas.fill(query)), connection, params={"night": night}) for name, query in product.reads.items()}


def _make(product: Product, frames: Frames, night: date) -> Mapping[str, pd.DataFrame]:
    try:
        return product.estimate(frames, night)
    except Exception as fault:  # a library's message may repeat a value: its kind alone is told
        raise EstimateFailed(product.name, fault) from None
