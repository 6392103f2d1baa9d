"""What a feed's contract and its suite of cross-column rules may say, as strict models.

A contract (`expectations/<agency>/<feed>.yaml`) holds everything that is particular to a feed; no Python names one.
A key the model does not know is an error, so that a misspelt rule cannot pass for no rule.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictStr, StringConstraints, field_validator, model_validator

# Postgres cuts names at 63 characters; 45 leaves room for the suffixes of landing tables, markers and dbt's own tables.
LONGEST_NAME = 45
DELETED = "D"
CHANGE_CODES = frozenset({"I", "U", DELETED})
# Encodings a file may have, all supersets of ASCII, with Postgres' names for them.
POSTGRES_ENCODINGS = {"utf-8": "UTF8", "windows-1252": "WIN1252", "iso-8859-1": "LATIN1", "iso-8859-15": "LATIN9"}

Severity = Literal["refuse", "quarantine", "warn"]
ColumnType = Literal["text", "code", "integer", "date", "flag"]
Role = Literal[
    "forename", "middle_name", "surname", "previous_surname", "forename_initial", "surname_initial",
    "dob", "sex", "nino", "pnc_id", "address_line", "postcode", "previous_postcode", "postcode_sector",
    "agency_id", "change_type",
    # Columns of keyed tokens that stand for identifiers (link/tokens); several things together are a joint token.
    "forename_token", "middle_name_token", "surname_token", "previous_surname_token", "dob_token", "nino_token", "pnc_id_token",
    "postcode_token", "previous_postcode_token", "postcode_sector_token", "joint_token", "previous_joint_token", "token_set",
]  # fmt: skip
TOKEN_SUFFIX = "_token"
# Names that become parts of SQL names.
SqlName = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*$", max_length=LONGEST_NAME)]
FileColumnName = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=LONGEST_NAME)]
CodeList = dict[StrictStr, StrictStr]


class Strict(BaseModel):
    """Base of all contract parts: no unknown keys, no change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Strict):
    """One column of a file, named and typed as the agency sends it.

    `role` says which identifier the column is (it then goes to the vault), `share` which part of an identifier the
    source zone may hold too. `ahead` says that a date may lie after the night of the delivery, as a planned one does.
    `severity` is what happens when one of the column's rules fails.
    """

    name: FileColumnName
    type: ColumnType
    description: str
    codes: str | None = None
    role: Role | None = None
    share: Literal["as_is", "birth_year"] | None = None
    required: bool = False
    pattern: str | None = None
    min: int | date | None = None
    max: int | date | None = None
    ahead: bool = False
    severity: Severity = "quarantine"

    @property
    def field(self) -> str:
        """The column's name in the warehouse: the file's name in lower case."""
        return self.name.lower()

    @property
    def is_identifier(self) -> bool:
        """Whether the column identifies a person or a record, and so may not be in the source zone as it is."""
        return self.role is not None and self.role != "change_type"

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"pattern is not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="before")
    @classmethod
    def _bounds_have_the_columns_type(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("type") == "date":
            return values | {bound: date.fromisoformat(values[bound]) for bound in ("min", "max") if isinstance(values.get(bound), str)}
        return values

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (self.type == "code") != (self.codes is not None):
            raise ValueError("a column of type code names its code list in 'codes', and no other column does")
        if self.pattern is not None and self.type != "text":
            raise ValueError("only text columns have a pattern")
        bound_type = {"integer": int, "date": date}.get(self.type)
        for bound in (self.min, self.max):
            if bound is not None and (bound_type is None or not isinstance(bound, bound_type)):
                raise ValueError("min and max are whole numbers of an integer column, or dates of a date column")
        if self.ahead and self.type != "date":
            raise ValueError("only a date can lie ahead of the night")
        if self.share is not None and not self.is_identifier:
            raise ValueError("only a column with an identifier's role can be shared")
        if self.share == "birth_year" and self.role != "dob":
            raise ValueError("birth_year can only be shared from a date of birth")
        if self.role == "dob" and self.type != "date":
            raise ValueError("a date of birth is a date column")
        if self.role == "change_type" and not (self.type == "code" and self.required):
            raise ValueError("a change type is a required code column")
        return self


class Table(Strict):
    """One table of a feed: a file per delivery.

    `keys` name the columns that each pseudonymous key is made of: `row_key` tells rows apart; `record_key`, where there
    is one, is the agency's own record of a person.
    """

    feed: SqlName
    name: SqlName
    file: str = Field(min_length=1)
    grain: str
    keys: dict[SqlName, Annotated[list[str], Field(min_length=1)]]
    columns: Annotated[list[Column], Field(min_length=1)]

    @property
    def relation(self) -> str:
        """The table's name in the landing, vault and source schemas."""
        return f"{self.feed}__{self.name}"

    @property
    def change_type(self) -> Column | None:
        """The column that says insert, update or delete, in a feed that delivers changes."""
        return next((c for c in self.columns if c.role == "change_type"), None)

    def column(self, name: str) -> Column:
        """The column with this file name.

        Raises:
            KeyError: the table has no such column.
        """
        return next((c for c in self.columns if c.name == name), None) or self._no_column(name)

    def key_columns(self, key: str) -> list[Column]:
        """The columns a key is made of, in the order that enters its hash."""
        return [self.column(name) for name in self.keys[key]]

    def _no_column(self, name: str) -> Column:
        raise KeyError(f"{self.relation} has no column {name}")

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if len(self.relation) > LONGEST_NAME:
            raise ValueError(f"the name '{self.relation}' is longer than {LONGEST_NAME} characters")
        fields = [c.field for c in self.columns] + ["birth_year" for c in self.columns if c.share == "birth_year"] + list(self.keys)
        twice = sorted({f for f in fields if fields.count(f) > 1})
        if twice:
            raise ValueError(f"these names occur more than once among columns and keys, in lower case: {', '.join(twice)}")
        roles = [c.role for c in self.columns if c.role not in (None, "agency_id")]
        if len(roles) != len(set(roles)):
            raise ValueError("each role except agency_id may be given to one column of a table")
        return self

    @model_validator(mode="after")
    def _keys_agree(self) -> Self:
        if "row_key" not in self.keys:
            raise ValueError("keys must hold a row_key")
        names = {c.name for c in self.columns}
        for key, columns in self.keys.items():
            missing = [c for c in columns if c not in names]
            if missing:
                raise ValueError(f"{key} is made of columns that the table does not have: {', '.join(missing)}")
        if not any(c.required for c in self.key_columns("row_key")):
            raise ValueError("at least one column of row_key must be required")
        return self


class Delivery(Strict):
    """How the feed comes.

    `snapshot` holds everything each time: what is missing has been withdrawn. `changes` holds inserts, updates and
    deletes. `events` holds what happened since the delivery before: its rows are never altered or withdrawn.
    """

    kind: Literal["snapshot", "changes", "events"]
    cadence: Literal["daily", "weekly", "monthly"]
    late_after_days: int = Field(ge=0)
    coverage_lag_days: int = Field(default=0, ge=0)


class Arrival(Strict):
    """When a delivery counts as arrived, and how it may be wrapped.

    `manifest`: `required` deliveries are taken only when the manifest they bring is fulfilled; `optional` ones also when
    their files have not changed for `settle_seconds`. `encryption`: whether files must be, may be or never are PGP-encrypted.
    """

    manifest: Literal["required", "optional"] = "optional"
    settle_seconds: int = Field(default=60, ge=0)
    encryption: Literal["required", "optional", "none"] = "optional"


class Format(Strict):
    """How the files are written. `date_format` is made of YYYY, MM, DD and separators."""

    encoding: str
    delimiter: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1)]
    null_tokens: list[StrictStr]
    date_format: str

    @property
    def postgres_encoding(self) -> str:
        """Postgres' name of the encoding."""
        return POSTGRES_ENCODINGS[self.encoding]

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str) -> str:
        if encoding not in POSTGRES_ENCODINGS:
            raise ValueError(f"encoding must be one of {', '.join(POSTGRES_ENCODINGS)}")
        return encoding

    @field_validator("date_format")
    @classmethod
    def _date_format_is_whole(cls, date_format: str) -> str:
        if sorted(re.findall("YYYY|MM|DD", date_format)) != ["DD", "MM", "YYYY"] or re.search("[A-Za-z0-9]", re.sub("YYYY|MM|DD", "", date_format)):
            raise ValueError("date_format holds YYYY, MM and DD once each, with separators between them")
        return date_format


class Consent(Strict):
    """Which rows may not be shared: those whose `column` holds `withheld`. Of them, only the columns in `keep` are admitted."""

    column: str
    withheld: StrictStr
    keep: Annotated[list[str], Field(min_length=1)]


class Contract(Strict):
    """The contract of one feed."""

    feed: SqlName
    title: str
    owner: str
    description: str
    source: str
    delivery: Delivery
    arrival: Arrival = Arrival()
    format: Format
    consent: Consent | None = None
    code_lists: dict[str, CodeList] = Field(default_factory=dict)
    tables: Annotated[dict[SqlName, Table], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _tables_know_their_names(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("tables"), dict):
            named = {name: {"feed": values.get("feed"), "name": name} | table for name, table in values["tables"].items() if isinstance(table, dict)}
            return values | {"tables": values["tables"] | named}
        return values

    @model_validator(mode="after")
    def _code_lists_exist(self) -> Self:
        for table in self.tables.values():
            for column in table.columns:
                if column.codes is not None and not self.code_lists.get(column.codes):
                    raise ValueError(f"{table.name}.{column.name} names a code list that does not exist or is empty: {column.codes}")
        return self

    @model_validator(mode="after")
    def _change_types_agree(self) -> Self:
        for table in self.tables.values():
            change = table.change_type
            if self.delivery.kind != "changes" and change is not None:
                raise ValueError(f"{table.name} has a change type, but the feed does not deliver changes")
            if self.delivery.kind == "changes" and (change is None or not set(self.codes(change)) <= CHANGE_CODES):
                raise ValueError(f"{table.name} needs a column with the role change_type and codes among {', '.join(sorted(CHANGE_CODES))}")
        return self

    @model_validator(mode="after")
    def _consent_columns_exist(self) -> Self:
        if self.consent is None:
            return self
        for table in self.tables.values():
            names = {c.name for c in table.columns}
            missing = {self.consent.column, *self.consent.keep} - names
            if missing:
                raise ValueError(f"consent names columns that {table.name} does not have: {', '.join(sorted(missing))}")
            lost = set(table.keys.get("record_key", [])) - set(self.consent.keep)
            if lost or self.consent.column not in self.consent.keep:
                raise ValueError(f"consent.keep must hold the consent column and the columns of {table.name}'s record_key")
        return self

    @model_validator(mode="after")
    def _files_differ(self) -> Self:
        patterns = [t.file for t in self.tables.values()]
        if len(patterns) != len(set(patterns)):
            raise ValueError("two tables have the same file pattern")
        return self

    def codes(self, column: Column) -> CodeList:
        """The code list of a column: code to meaning; empty when the column is not a code."""
        return self.code_lists[column.codes] if column.codes else {}


class SuiteRule(Strict):
    """One rule that a contract cannot say, as a Great Expectations expectation on the typed columns."""

    rule: SqlName
    expectation: Annotated[str, StringConstraints(pattern=r"^expect_[a-z_]+$")]
    kwargs: dict[str, Any]
    severity: Severity
    message: str
    reason: str


class TableSuite(Strict):
    """The rules of one table beyond its contract."""

    table: str
    expectations: Annotated[list[SuiteRule], Field(min_length=1)]


class Suite(Strict):
    """All rules of a feed beyond its contract: the parsed `<feed>.suite.yaml`."""

    tables: list[TableSuite]

    def rules(self, table: str) -> list[SuiteRule]:
        """The rules of one table, in the order of the file."""
        return [rule for suite in self.tables if suite.table == table for rule in suite.expectations]
