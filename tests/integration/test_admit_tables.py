"""The vault and source tables follow their contract: made, extended, never silently changed."""

from pathlib import Path

import pytest
from tests.integration.deliveries import query

from warehouse.contracts import ddl
from warehouse.contracts.load import ContractError, load_contract
from warehouse.contracts.model import Column, Contract
from warehouse.database import connect

pytestmark = pytest.mark.integration


def with_column(contract: Contract, table: str, column: Column) -> Contract:
    """The contract with one more column, or with a column in place of the one of that name."""
    columns = [c for c in contract.tables[table].columns if c.name != column.name] + [column]
    return contract.model_copy(update={"tables": contract.tables | {table: contract.tables[table].model_copy(update={"columns": columns})}})


def test_a_new_column_is_added_once(warehouse_db: Path) -> None:
    contract = with_column(load_contract("benefits"), "claimants", Column(name="PREFERS_EMAIL", type="flag", description="Wants e-mail"))
    with connect("loader") as connection:
        ddl.apply(contract, connection)
        ddl.apply(contract, connection)
        found = connection.execute("select data_type from information_schema.columns where column_name = 'prefers_email'").fetchall()
        connection.rollback()
    assert found == [("boolean",)]


def test_a_changed_type_is_an_error_that_names_the_column(warehouse_db: Path) -> None:
    contract = with_column(load_contract("benefits"), "claimants", Column(name="LAD_CODE", type="integer", description="District"))
    with connect("loader") as connection, pytest.raises(ContractError, match=r"source\.benefits__claimants .* lad_code is text, the contract says integer"):
        ddl.apply(contract, connection)


def test_only_the_zones_reader_may_read_a_feeds_tables(warehouse_db: Path) -> None:
    may = "select has_table_privilege(%s, %s, 'select')"
    for role, relation, allowed in [
        ("wh_transformer", "source.benefits__claimants", True),
        ("wh_transformer", "vault.benefits__claimants", False),
        ("wh_linker", "vault.benefits__claimants", True),
        ("wh_linker", "source.benefits__claimants", False),
        ("wh_analyst", "source.benefits__claimants", False),
    ]:
        assert query(may, role, relation) == [(allowed,)], (role, relation)
