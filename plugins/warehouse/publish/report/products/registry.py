"""The sections of the products, in the order the report shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from warehouse.publish.catalogue import relations
from warehouse.publish.report.blocks import Section
from warehouse.publish.report.products import (
    comparison,
    linkage_error,
    local_map,
    matched_reoffending,
    needs_assessment,
    pbr,
    pilots,
    pooled_treatment_budget,
    prevalence,
    priority_offending,
    time_to_event,
    value_for_money,
)


@dataclass(frozen=True)
class ProductSection:
    """A product's part of the report: the published tables it reads, and the function that reads and draws them."""

    tables: tuple[str, ...]
    section: Callable[[Connection[Any]], Section]


# Who is there, what it pays and costs, who does well, what makes the difference, and how far links carry.
SECTIONS: tuple[ProductSection, ...] = (
    ProductSection(needs_assessment.TABLES, needs_assessment.section),
    ProductSection(prevalence.TABLES, prevalence.section),
    ProductSection(local_map.TABLES, local_map.section),
    ProductSection(pbr.TABLES, pbr.section),
    ProductSection(pooled_treatment_budget.TABLES, pooled_treatment_budget.section),
    ProductSection(value_for_money.TABLES, value_for_money.section),
    ProductSection(comparison.TABLES, comparison.section),
    ProductSection(pilots.TABLES, pilots.section),
    ProductSection(matched_reoffending.TABLES, matched_reoffending.section),
    ProductSection(priority_offending.TABLES, priority_offending.section),
    ProductSection(time_to_event.TABLES, time_to_event.section),
    ProductSection(linkage_error.TABLES, linkage_error.section),
)

# Drawn for a product's page, marked as made up, where the night has nobody who may be shown.
EXAMPLES: tuple[Callable[[], Section], ...] = (matched_reoffending.example,)


def product_sections(connection: Connection[Any]) -> list[Section]:
    """The sections of all products whose tables are published.

    Args:
        connection: as analyst.
    """
    published = relations(connection, "published").keys()
    return [product.section(connection) for product in SECTIONS if published >= set(product.tables)]
