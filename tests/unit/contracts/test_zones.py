"""No identifier has a place in the source zone, and the vault has the grain that linkage needs."""

import pytest

from warehouse.contracts.ddl import source_layout, vault_layout
from warehouse.contracts.load import all_contracts, load_contract
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import source_columns, vault_columns, vault_grain

TABLES = [pytest.param(contract, table, id=table.relation) for contract in all_contracts() for table in contract.tables.values()]


@pytest.mark.parametrize(("contract", "table"), TABLES)
def test_the_source_zone_holds_identifiers_only_as_keys_or_as_the_contract_shares_them(contract: Contract, table: Table) -> None:
    shared = {"birth_year" if c.share == "birth_year" else c.field for c in table.columns if c.share}
    identifiers = {c.field for c in table.columns if c.is_identifier} - shared
    names = {c.name for c in source_columns(table)}
    assert not names & identifiers
    assert shared <= names and set(table.keys) <= names


@pytest.mark.parametrize(("contract", "table"), TABLES)
def test_every_column_has_a_zone(contract: Contract, table: Table) -> None:
    placed = {c.column.name for c in source_columns(table) + vault_columns(contract, table) if c.column}
    in_keys = {name for columns in table.keys.values() for name in columns}
    assert {c.name for c in table.columns if c.role != "change_type"} <= placed | in_keys


def test_a_snapshot_has_one_vault_row_for_the_distinct_identifiers_of_a_record() -> None:
    contract = load_contract("treatment")
    table = contract.tables["ndtms"]
    assert vault_grain(contract, table) == "record"
    names = [name for name, _ in vault_layout(contract, table)]
    identifiers = ["finitial", "sinitial", "dob", "sex", "agncy", "client", "clientid", "pc"]
    assert names == ["record_key", *identifiers, "_delivery_id", "_row_hash", "_valid_from", "_valid_to"]


def test_tables_that_add_names_to_a_record_keep_their_rows_in_the_vault() -> None:
    contract = load_contract("police")
    assert vault_grain(contract, contract.tables["aliases"]) == "row"
    assert [c.name for c in vault_columns(contract, contract.tables["aliases"])][:3] == ["record_key", "row_key", "nominal_id"]
    assert vault_grain(contract, contract.tables["nominals"]) == "record"
    assert vault_grain(contract, contract.tables["offences"]) is None


def test_types_of_the_source_zone() -> None:
    types = dict(source_layout(load_contract("treatment").tables["ndtms"]))
    expected = {"row_key": "uuid", "birth_year": "smallint", "refld": "date", "childwth": "integer", "consent": "boolean", "drug1": "text", "_valid_to": "date"}
    assert {name: types[name] for name in expected} == expected
