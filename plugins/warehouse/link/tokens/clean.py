"""From a delivered table (`delivered`: the contract's columns as text, `_row_no`, `_shown`) to table `clean`, which is encoded.

`clean` has one row per delivered row that may be shown: _row_no, a standardised column for every role, null where the table has no
such column, and own_dob and own_sex without what was borrowed. `_shown` is false where consent is withheld, or not said to be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.contracts.ddl import literal
from warehouse.contracts.model import Contract, Table
from warehouse.link.workspace import one_row

if TYPE_CHECKING:
    import duckdb

NAMES = ("forename", "middle_name", "surname", "previous_surname", "forename_initial", "surname_initial")
# The macro of `standardise.sql` that cleans each other role; a date of birth is parsed first.
MACROS = {
    "sex": "clean_sex", "nino": "clean_nino", "pnc_id": "clean_pnc_id",
    "postcode": "clean_postcode", "previous_postcode": "clean_postcode", "postcode_sector": "clean_sector",
}  # fmt: skip
STRPTIME = {"YYYY": "%Y", "MM": "%m", "DD": "%d"}


def clean(session: duckdb.DuckDBPyConnection, contract: Contract, table: Table) -> None:
    """Make table `clean` from `delivered`.

    A date of birth or sex that a row lacks is that of its record in table `known` (_known_key, _known_dob, _known_sex), where that is told: so
    further names borrow them. Names are standardised once each, however often they occur.
    """
    held = [role for role in NAMES if column_of(table, role)]
    texts = " union ".join(f"select {value_of(contract, table, role)} as _text from delivered where _shown" for role in held) or "select null::varchar as _text"
    session.execute(
        f"""
        create or replace temp table name_text as
        select _text, clean_name(_text) as _name
        from ({texts})
        where _text is not null
        """
    ).fetchall()
    joins = " ".join(f"left join name_text as of_{role} on of_{role}._text = {value_of(contract, table, role)}" for role in held)
    names = ", ".join(f"{_name(role) if role in held else 'null::varchar'} as {role}" for role in NAMES)
    others = ", ".join(f"{cleaned(contract, table, role)} as {role}" for role in MACROS if role != "sex")
    session.execute(
        f"""
        create or replace temp table clean as
        select
            _row_no, {names}, {others},
            {cleaned(contract, table, "dob")} as own_dob, {cleaned(contract, table, "sex")} as own_sex,
            coalesce(own_dob, _known_dob) as dob, coalesce(own_sex, _known_sex) as sex
        from delivered {joins} left join known on _known_key = {agency_key(table)}
        where _shown
        """
    ).fetchall()


def measure(session: duckdb.DuckDBPyConnection, contract: Contract, table: Table) -> dict[str, tuple[int, int]]:
    """For each identifier of the table, how many values were given and how many of them are usable (from `delivered` and `clean`)."""
    roles = [role for role in (*NAMES, *MACROS, "dob") if column_of(table, role)]
    given = one_row(session, f"select {', '.join(f'count({value_of(contract, table, role)})' for role in roles)} from delivered where _shown")
    usable = one_row(session, f"select {', '.join(f'count(own_{role})' if role in ('dob', 'sex') else f'count({role})' for role in roles)} from clean")
    return dict(zip(roles, zip(given, usable, strict=True), strict=True))


def cleaned(contract: Contract, table: Table, role: str) -> str:
    """SQL for the standardised value of a role other than a name, null where the table has no such column."""
    value = value_of(contract, table, role)
    if role == "dob":
        date_format = contract.format.date_format
        for part, code in STRPTIME.items():
            date_format = date_format.replace(part, code)
        return f"clean_dob(try_strptime({value}, {literal(date_format)})::date, getvariable('night'))"
    return f"{MACROS[role]}({value})"


def value_of(contract: Contract, table: Table, role: str) -> str:
    """SQL for the text of a role's column, null where it holds a null token or the table has no such column."""
    name = column_of(table, role)
    return text_of(contract, name) if name else "null::varchar"


def text_of(contract: Contract, name: str) -> str:
    """SQL for the text of a column, null where it holds a null token."""
    value = f'trim("{name}")'
    for token in dict.fromkeys(["", *contract.format.null_tokens]):
        value = f"nullif({value}, {literal(token)})"
    return value


def column_of(table: Table, role: str) -> str | None:
    """The name of the column that plays a role."""
    return next((column.name for column in table.columns if column.role == role), None)


def agency_key(table: Table) -> str:
    """SQL for the agency's own id of the record."""
    return "concat_ws('|', " + ", ".join(f'trim("{name}")' for name in table.keys["record_key"]) + ")"


def _name(role: str) -> str:
    return f"left(of_{role}._name, 1)" if role.endswith("_initial") else f"of_{role}._name"
