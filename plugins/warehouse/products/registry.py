"""The products of a night, in the order they are made."""

from __future__ import annotations

from warehouse.products.product import Product

PRODUCTS: tuple[Product, ...] = ()


def table_names() -> tuple[str, ...]:
    """The tables of all products."""
    return tuple(table.name for product in PRODUCTS for table in product.tables)
