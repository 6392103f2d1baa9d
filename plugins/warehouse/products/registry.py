"""The products of a night, in the order they are made."""

from __future__ import annotations

from warehouse.products import (
    comparison,
    linkage_error,
    matched_reoffending,
    pbr,
    pilots,
    pooled_treatment_budget,
    prevalence,
    priority_offending,
    time_to_event,
)
from warehouse.products.product import Product

PRODUCTS: tuple[Product, ...] = (
    prevalence.PRODUCT,
    comparison.PRODUCT,
    linkage_error.PRODUCT,
    pilots.PRODUCT,
    matched_reoffending.PRODUCT,
    time_to_event.PRODUCT,
    pbr.PRODUCT,
    pooled_treatment_budget.PRODUCT,
    priority_offending.PRODUCT,
)


def table_names() -> tuple[str, ...]:
    """The tables of all products."""
    return tuple(table.name for product in PRODUCTS for table in product.tables)
