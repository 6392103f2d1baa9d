"""Which vault tables and columns feed the linkage, read from the roles in the contracts.

Nothing here or later knows a feed by name: a table takes part when its contract gives it a vault relation with at least
one linkage role. A *population* is the set of records that share one definition of `record_key`, for example all
tables of a feed keyed by one id; it is *named* when one of its tables holds forename and surname, and *minimal* when
all it has is initials.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import vault_grain

LINKAGE_ROLES = (
    "forename", "middle_name", "surname", "previous_surname", "forename_initial", "surname_initial",
    "dob", "sex", "postcode", "previous_postcode", "postcode_sector", "nino", "pnc_id",
)  # fmt: skip
NAMES = {"forename", "surname"}
INITIALS = {"forename_initial", "surname_initial"}


@dataclass(frozen=True)
class LinkTable:
    """One vault table that feeds the linkage.

    `columns` maps each role to the column that plays it. `is_main` tells a table that describes the record itself from
    one that adds further names or addresses to it.
    """

    feed: str
    relation: str
    population: tuple[str, ...]
    columns: dict[str, str]
    is_main: bool
    is_named: bool


def link_tables(contracts: Iterable[Contract]) -> list[LinkTable]:
    """The vault tables that feed the linkage, in order of their names.

    Raises:
        ValueError: a population has neither names nor initials, so its records cannot be linked.
    """
    taking_part = [(contract, table) for contract in contracts for table in contract.tables.values() if vault_grain(contract, table) and _roles(table)]
    roles_of: dict[tuple[str, ...], set[str]] = {}
    for _, table in taking_part:
        roles_of.setdefault(_population(table), set()).update(_roles(table))
    for population, roles in roles_of.items():
        if not (roles >= NAMES or roles >= INITIALS):
            raise ValueError(f"Records of {population[0]} keyed by {', '.join(population[1:])} have neither names nor initials to link on")
    tables = [
        LinkTable(
            feed=contract.feed,
            relation=table.relation,
            population=_population(table),
            columns=_roles(table),
            is_main=vault_grain(contract, table) == "record",
            is_named=roles_of[_population(table)] >= NAMES,
        )
        for contract, table in taking_part
    ]
    return sorted(tables, key=lambda table: table.relation)


def _population(table: Table) -> tuple[str, ...]:
    return (table.feed, *table.keys["record_key"])


def _roles(table: Table) -> dict[str, str]:
    return {column.role: column.field for column in table.columns if column.role in LINKAGE_ROLES}
