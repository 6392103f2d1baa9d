"""The contract of a feed that delivers tokens, made from the contract of what the agency holds.

Identifiers become columns of tokens: each keeps its name with `_TOKEN` after it and its role likewise. Initials, sex and parts of
the date of birth appear only inside the joint token; address lines are left out. What a contract shares with analysis (sex,
year of birth) stays as a plain column. Agency ids stay as they are: record keys are made of them.
"""

from __future__ import annotations

from typing import Any

from warehouse.contracts.model import TOKEN_SUFFIX, Column, Contract, Table

HEX = "[0-9a-f]"
WHOLE = f"{HEX}{{16}}"
MAYBE = f"({WHOLE})?"
CODES = f"({HEX}{{8}})*"
# How each packed token is written; parts are separated by full stops, lists are written without a separator.
PATTERNS = {
    "forename": f"^{WHOLE}\\.{WHOLE}\\.{MAYBE}\\.{CODES}$",
    "middle_name": f"^{WHOLE}$",
    "surname": f"^{WHOLE}\\.{MAYBE}\\.{CODES}$",
    "previous_surname": f"^{WHOLE}\\.{MAYBE}\\.{CODES}$",
    "dob": f"^{WHOLE}\\.{MAYBE}\\.1?$",
    "nino": f"^{WHOLE}$",
    "pnc_id": f"^{WHOLE}$",
    "postcode": f"^{WHOLE}\\.{WHOLE}\\.{WHOLE}\\.{WHOLE}$",
    "previous_postcode": f"^{WHOLE}\\.{WHOLE}\\.{WHOLE}\\.{WHOLE}$",
    "postcode_sector": f"^\\.{WHOLE}\\.{WHOLE}\\.{WHOLE}$",
    "joint": f"^{MAYBE}\\.{MAYBE}\\.({WHOLE})*\\.{MAYBE}\\.{MAYBE}\\.{MAYBE}\\.{MAYBE}\\.{MAYBE}\\.({WHOLE})*$",
}
TOKEN_ROLES = tuple(role for role in PATTERNS if role != "joint")
# Kept by the agency: what they say that linkage needs is in the joint token.
WITHHELD_ROLES = ("forename_initial", "surname_initial", "address_line")
NAME_ROLES = {"forename", "surname", "forename_initial", "surname_initial"}
JOINT, PREVIOUS_JOINT, TOKEN_SET = "JOINT_TOKEN", "PREVIOUS_JOINT_TOKEN", "TOKEN_SET"
YEAR_OF_BIRTH = "YEAR_OF_BIRTH"


def token_contract(contract: Contract) -> dict[str, Any]:
    """The contract of the tokenised feed, as plain values for its YAML file.

    Raises:
        ValueError: the contract describes tokens already, or a key is made of a column that becomes a token.
    """
    if any(is_token(column) for table in contract.tables.values() for column in table.columns):
        raise ValueError(f"The contract of {contract.feed} describes tokens already; give the contract of the clear columns")
    values = contract.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude={"tables", "consent"})
    values["description"] = f"{contract.description.strip()} Identifiers are delivered as keyed tokens (`warehouse tokenise`)."
    values["format"] = contract.format.model_dump(mode="json") | {"encoding": "utf-8"}
    if contract.consent is not None:
        left = {name for table in contract.tables.values() for name in (column["name"] for column in _columns(table))}
        values["consent"] = contract.consent.model_dump(mode="json") | {"keep": [name for name in contract.consent.keep if name in left]}
    values["tables"] = {name: _table(table) for name, table in contract.tables.items()}
    Contract.model_validate(values)
    return values


def is_token(column: Column) -> bool:
    """Whether a column holds tokens."""
    return column.role is not None and (column.role.endswith(TOKEN_SUFFIX) or column.role == "token_set")


def is_tokenised(table: Table) -> bool:
    """Whether a table of clear identifiers gets columns of tokens."""
    return "record_key" in table.keys and any(column.role in PATTERNS or column.role in WITHHELD_ROLES for column in table.columns)


def has_joint(table: Table) -> bool:
    """Whether a table describes a person well enough for a joint token: a name, and a date of birth of its own or of its record."""
    return is_tokenised(table) and bool(NAME_ROLES & {column.role for column in table.columns})


def token_columns(table: Table) -> list[tuple[str, str]]:
    """The columns of tokens that a table of clear identifiers gets: name in the file, role; in the file's order."""
    if not is_tokenised(table):
        return []
    found = [(column.name + "_TOKEN", str(column.role)) for column in table.columns if column.role in TOKEN_ROLES]
    if has_joint(table):
        found.append((JOINT, "joint"))
        if any(column.role == "previous_surname" for column in table.columns):
            found.append((PREVIOUS_JOINT, "previous_joint"))
    return found


def kept_columns(table: Table) -> list[Column]:
    """The columns that a tokenised table keeps as they are: no identifiers but agency ids, and sex where it is shared."""
    return [column for column in table.columns if not column.is_identifier or column.role == "agency_id" or column.share == "as_is"]


def shares_birth_year(table: Table) -> bool:
    """Whether the year of birth is shared with analysis."""
    return any(column.share == "birth_year" for column in table.columns)


def _table(table: Table) -> dict[str, Any]:
    lost = {name for key in table.keys.values() for name in key} - {column.name for column in kept_columns(table)}
    if lost:
        raise ValueError(f"Keys of {table.relation} are made of identifiers, which become tokens: {', '.join(sorted(lost))}")
    return {"file": table.file, "grain": table.grain, "keys": table.keys, "columns": _columns(table)}


def _columns(table: Table) -> list[dict[str, Any]]:
    columns = [_kept(column) for column in kept_columns(table)]
    if shares_birth_year(table):
        columns.append({"name": YEAR_OF_BIRTH, "type": "integer", "min": 1900, "max": 2100, "description": "Year of birth"})
    columns += [
        {"name": name, "type": "text", "role": role + TOKEN_SUFFIX, "pattern": _pattern(role), "description": f"Keyed tokens of the {_words(role)}"}
        for name, role in token_columns(table)
    ]
    if is_tokenised(table):
        mark = {"role": "token_set", "required": True, "pattern": f"^[0-9]+-{HEX}{{8}}$"}
        columns.append({"name": TOKEN_SET, "type": "text", "description": "Version of the tokens and what tells their key from others"} | mark)
    return columns


def _kept(column: Column) -> dict[str, Any]:
    dropped = {"share", "role"} if column.share == "as_is" else set()
    return column.model_dump(mode="json", exclude_none=True, exclude_defaults=True, exclude=dropped)


def _pattern(role: str) -> str:
    return PATTERNS["joint" if role == "previous_joint" else role]


def _words(role: str) -> str:
    return {"joint": "initials, sex and date of birth together", "previous_joint": "initials by the previous surname, sex and date of birth together"}.get(
        role, role.replace("_", " ")
    )
