"""Which pairs the models look at. A rule only nominates pairs: linking them is for the model, the guard and the conflicts.

Initials, date of birth and sex alone are shared by strangers in any large population, so every rule of the minimal model
also asks for a place in common (see `attributor_only`, which a test holds against every rule).
"""

from __future__ import annotations

import re

# Rules see rows of names; rows of the same record are not pairs.
OTHER_RECORD = "l.record_no <> r.record_no"


# Lists of values of which any one may agree.
LISTS = ("sectors", "districts", "areas")


def _named(*conditions: str) -> str:
    return " and ".join([*conditions, OTHER_RECORD])


def same(*columns: str) -> str:
    """Equality of each column, as a blocking condition."""
    return " and ".join(f"l.{column} = r.{column}" for column in columns)


NAMED_RULES = (
    _named(same("nino")),
    _named(same("pnc_id")),
    _named(same("surname_sound", "dob")),
    _named(same("forename_group", "dob", "sex")),
    # A mistaken or missing date of birth: full names and a place, or most of the date.
    _named(same("forename_group", "surname", "districts")),
    _named(same("forename_group", "surname_sound", "birth_year")),
    _named(same("forename_group", "surname_sound", "birth_day")),
    # Swapped names.
    _named("l.forename = r.surname", "l.surname = r.forename", same("birth_year")),
)

MINIMAL_RULES = (
    same("dob", "initials", "areas"),
    same("dob", "sectors"),
    same("dob", "districts", "surname_initial"),
    same("dob", "districts", "forename_initial"),
    same("initials", "sex", "sectors", "birth_year"),
    same("initials", "sex", "sectors", "birth_day"),
    same("initials", "sex", "districts", "birth_month"),
)

ATTRIBUTOR = {"initials", "forename_initial", "surname_initial", "short_initials", "dob", "birth_year", "birth_month", "birth_day", "sex"}


def attributor_only(rule: str) -> bool:
    """Whether a rule asks for nothing beyond initials, date of birth and sex, on which no two records may ever be linked."""
    columns = set(re.findall(r"\bl\.(\w+)", rule)) - {"record_no", "unit_no"}
    return columns <= ATTRIBUTOR
