"""The contracts' roles decide which vault tables feed the linkage."""

from __future__ import annotations

import pytest

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.link.roles import link_tables


def contract(columns: list[dict[str, object]]) -> Contract:
    return Contract.model_validate(
        {
            "feed": "clinic",
            "title": "t",
            "owner": "o",
            "description": "d",
            "source": "s",
            "delivery": {"kind": "snapshot", "cadence": "daily", "late_after_days": 1},
            "format": {"encoding": "utf-8", "delimiter": ",", "null_tokens": [""], "date_format": "YYYY-MM-DD"},
            "tables": {
                "patients": {
                    "file": "patients*.csv",
                    "grain": "patient",
                    "keys": {"record_key": ["ID"], "row_key": ["ID"]},
                    "columns": [{"name": "ID", "type": "text", "role": "agency_id", "required": True, "description": "Id"}, *columns],
                }
            },
        }
    )


def column(name: str, role: str) -> dict[str, object]:
    return {"name": name, "type": "text", "role": role, "description": role}


def test_a_new_feed_takes_part_by_its_contract_alone() -> None:
    (table,) = link_tables([contract([column("GIVEN", "forename"), column("FAMILY", "surname")])])
    assert (table.relation, table.columns, table.is_main, table.is_named) == ("clinic__patients", {"forename": "given", "surname": "family"}, True, True)


def test_records_with_initials_alone_are_minimal() -> None:
    (table,) = link_tables([contract([column("F", "forename_initial"), column("S", "surname_initial")])])
    assert not table.is_named


def test_records_without_any_name_cannot_be_linked() -> None:
    with pytest.raises(ValueError, match="neither names nor initials"):
        link_tables([contract([column("PC", "postcode")])])


def test_tables_that_add_names_or_addresses_belong_to_the_named_records_of_their_feed() -> None:
    found = {table.relation: table for table in link_tables(all_contracts())}
    assert found["police__nominals"].is_main
    for further in ("police__aliases", "police__addresses"):
        assert found[further].is_named
        assert not found[further].is_main
        assert found[further].population == found["police__nominals"].population
    assert not found["treatment__ndtms"].is_named
    assert found["housing__people"].population != found["housing__support_services"].population
    assert "police__offences" not in found
