"""The sections of the products, in the order the report shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from warehouse.publish.catalogue import relations
from warehouse.publish.report.blocks import Section


@dataclass(frozen=True)
class ProductSection:
    """A product's part of the report: the published tables it reads, and the function that reads and draws them."""

    tables: tuple[str, ...]
    section: Callable[[Connection[Any]], Section]


SECTIONS: tuple[ProductSection, ...] = ()


def product_sections(connection: Connection[Any]) -> list[Section]:
    """The sections of all products whose tables are published.

    Args:
        connection: as analyst.
    """
    published = relations(connection, "published").keys()
    return [product.section(connection) for product in SECTIONS if published >= set(product.tables)]
