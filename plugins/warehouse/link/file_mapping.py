"""How to read a file of person records that the warehouse has no contract for: the mapping given to `warehouse linkage score`."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.link.errors import LinkageFault

TEXT_ROLES = ("forename", "surname", "middle_name", "sex", "postcode", "number")


class Mapping(BaseModel):
    """Which column plays which role. Roles without a column are left out of the comparison."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(description="Column with the record's id, unique in its file")
    forename: str | None = None
    surname: str | None = None
    middle_name: str | None = None
    dob: str | None = None
    date_format: str = Field(default="%Y-%m-%d", description="Of the date of birth, from %Y, %m and %d")
    sex: str | None = None
    postcode: str | None = None
    number: str | None = Field(default=None, description="A number that one register gave to one person")
    texts: list[str] = Field(default=[], description="Columns of further text about the person, such as street and town")
    uk: bool = Field(default=True, description="Whether postcodes are British; others are compared as they are written")
    same_person: str | None = Field(default=None, description="Regular expression: ids whose first match is the same text are one person's")
    right: dict[str, str] = Field(default={}, description="Role to column where the right file names it differently")

    def column(self, role: str, side: str) -> str | None:
        """The column of a role in the left or the right file."""
        named: str | None = getattr(self, role)
        return self.right.get(role, named) if side == "right" else named

    def date_pattern(self) -> tuple[str, str]:
        """A pattern for dates as the file writes them, and what to put in their place to have ISO dates.

        Text is turned into text, so that 31 February still agrees with 3 February in all but a digit.
        """
        order = re.findall(r"%[Ymd]", self.date_format)
        pattern = re.escape(self.date_format)
        for part, digits in (("%Y", 4), ("%m", 2), ("%d", 2)):
            pattern = pattern.replace(re.escape(part), f"([0-9]{{{digits}}})")
        return f"^{pattern}$", "-".join(f"\\{order.index(part) + 1}" for part in ("%Y", "%m", "%d"))


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        LinkageFault: it is not a mapping, or maps neither names nor a number.
    """
    try:
        mapping = Mapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise LinkageFault(f"{path.name} is not a mapping of columns to roles: {error}") from None
    if not (mapping.surname and mapping.forename and mapping.dob):
        raise LinkageFault(f"{path.name} must say which columns hold forename, surname and dob (date of birth)")
    if sorted(re.findall(r"%\w", mapping.date_format)) != ["%Y", "%d", "%m"]:
        raise LinkageFault(f"date_format in {path.name} must be made of %Y, %m and %d, each once")
    return mapping
