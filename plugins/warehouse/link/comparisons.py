"""What the models compare and which pairs they look at: untrained Splink settings.

Training (`train`) fills in the parameters and writes them to `models/*.json`; a night reads those files alone. Levels
use equality, `hamming` on ISO dates and Jaro-Winkler only where equality failed, because each costs ten times the one
before. Term frequencies on names, dates of birth and sectors let the night's own data say how telling an agreement is, so
that common values (1 January among them) and dense populations weigh less without retraining.
"""

from __future__ import annotations

import re
from typing import Any

Level = dict[str, Any]
Comparison = dict[str, Any]


def _null(condition: str) -> Level:
    return {"sql_condition": condition, "label_for_charts": "Missing", "is_null_level": True}


def _level(condition: str, label: str, term_frequency: str | None = None) -> Level:
    level: Level = {"sql_condition": condition, "label_for_charts": label}
    if term_frequency:
        level |= {"tf_adjustment_column": term_frequency, "tf_adjustment_weight": 1.0}
    return level


ELSE = {"sql_condition": "ELSE", "label_for_charts": "All else"}


def _missing(column: str) -> str:
    return f"{column}_l is null or {column}_r is null"


SWAPPED_NAMES = "forename_l = surname_r and surname_l = forename_r and forename_l <> surname_l"

MIDDLE_NAME_USED = "forename_l = middle_name_r or middle_name_l = forename_r"

FORENAME: Comparison = {
    "output_column_name": "forename",
    "comparison_description": "Forename, with nicknames, middle names and swapped names",
    "comparison_levels": [
        _null(_missing("forename")),
        _level("forename_l = forename_r", "Same", "forename"),
        _level("forename_group_l = forename_group_r", "Nickname or short form"),
        _level(MIDDLE_NAME_USED, "One is the other's middle name"),
        _level(SWAPPED_NAMES, "Forename and surname swapped"),
        _level("jaro_winkler_similarity(forename_l, forename_r) >= 0.9", "Very similar"),
        _level("jaro_winkler_similarity(forename_l, forename_r) >= 0.8 or forename_sound_l = forename_sound_r", "Similar or sounds alike"),
        ELSE,
    ],
}
SURNAME: Comparison = {
    "output_column_name": "surname",
    "comparison_description": "Surname; a swapped pair of names is judged by the forename comparison alone",
    "comparison_levels": [
        _null(f"{_missing('surname')} or ({SWAPPED_NAMES})"),
        _level("surname_l = surname_r", "Same", "surname"),
        _level("jaro_winkler_similarity(surname_l, surname_r) >= 0.92", "Very similar"),
        _level("surname_sound_l = surname_sound_r", "Sounds alike"),
        _level("jaro_winkler_similarity(surname_l, surname_r) >= 0.82", "Similar"),
        ELSE,
    ],
}
DAY_MONTH_SWAPPED = "left(dob_l, 4) = left(dob_r, 4) and substr(dob_l, 6, 2) = substr(dob_r, 9, 2) and substr(dob_l, 9, 2) = substr(dob_r, 6, 2)"
ONE_IS_DEFAULT = "left(dob_l, 4) = left(dob_r, 4) and (substr(dob_l, 6) = '01-01' or substr(dob_r, 6) = '01-01')"
DATE_OF_BIRTH: Comparison = {
    "output_column_name": "dob",
    "comparison_description": "Date of birth; 1 January is often a default and has levels of its own",
    "comparison_levels": [
        _null(_missing("dob")),
        _level("dob_l = dob_r and substr(dob_l, 6) = '01-01'", "Same, 1 January", "dob"),
        _level("dob_l = dob_r", "Same", "dob"),
        _level(ONE_IS_DEFAULT, "Same year, one is 1 January"),
        _level(DAY_MONTH_SWAPPED, "Day and month swapped"),
        _level("hamming(dob_l, dob_r) = 1", "One digit differs"),
        _level("left(dob_l, 7) = left(dob_r, 7) or substr(dob_l, 6) = substr(dob_r, 6)", "Only the day, or only the year, differs"),
        _level("left(dob_l, 4) = left(dob_r, 4) and substr(dob_l, 9) = substr(dob_r, 9)", "Only the month differs"),
        ELSE,
    ],
}
SEX: Comparison = {
    "output_column_name": "sex",
    "comparison_description": "Sex as recorded",
    "comparison_levels": [_null(_missing("sex")), _level("sex_l = sex_r", "Same"), ELSE],
}


def _in_common(column: str) -> str:
    return f"list_has_any({column}_l, {column}_r)"


def _place(*levels: Level) -> Comparison:
    return {
        "output_column_name": "place",
        "comparison_description": "The finest kind of place that both were ever known at",
        "comparison_levels": [_null(_missing("sectors")), *levels, ELSE],
    }


SAME_SECTOR = _level(_in_common("sectors"), "A sector in common")
SAME_DISTRICT = _level(_in_common("districts"), "A district in common")
PLACE: Comparison = _place(_level(_in_common("postcodes"), "A full postcode in common"), SAME_SECTOR, SAME_DISTRICT)
# Who has moved before may have moved once more; who was known in one place alone is more likely somebody else.
COARSE_PLACE: Comparison = _place(
    SAME_SECTOR,
    SAME_DISTRICT,
    _level(f"{_in_common('areas')} and (len(sectors_l) > 1 or len(sectors_r) > 1)", "A postcode area in common, one has moved"),
    _level(_in_common("areas"), "A postcode area in common"),
)
NINO: Comparison = {
    "output_column_name": "nino",
    "comparison_description": "National Insurance number without its suffix",
    "comparison_levels": [
        _null(_missing("nino")),
        _level("nino_l = nino_r", "Same"),
        ELSE,
    ],
}
PNC_ID: Comparison = {
    "output_column_name": "pnc_id",
    "comparison_description": "Police National Computer id",
    "comparison_levels": [_null(_missing("pnc_id")), _level("pnc_id_l = pnc_id_r", "Same"), ELSE],
}

# The minimal model compares one row of a client with one row of a person: initials, date of birth, sex and places.
INITIALS: Comparison = {
    "output_column_name": "initials",
    "comparison_description": "Initials of forename and surname; short forms may begin with another letter",
    "comparison_levels": [
        _null(_missing("initials")),
        _level("initials_l = initials_r", "Same", "initials"),
        _level(
            "surname_initial_l = surname_initial_r and (contains(short_initials_l, forename_initial_r) or contains(short_initials_r, forename_initial_l))",
            "Surname's the same, forename's that of a short form",
        ),
        _level("forename_initial_l = surname_initial_r and surname_initial_l = forename_initial_r", "Swapped"),
        _level("forename_initial_l = forename_initial_r", "Forename's alone"),
        _level("surname_initial_l = surname_initial_r", "Surname's alone"),
        ELSE,
    ],
}

NAMED = (FORENAME, SURNAME, DATE_OF_BIRTH, SEX, PLACE, NINO, PNC_ID)
MINIMAL = (INITIALS, DATE_OF_BIRTH, SEX, COARSE_PLACE)


def columns_read(condition: str) -> set[str]:
    """The columns that a level's condition, or a blocking rule, reads."""
    return set(re.findall(r"\b(\w+)_[lr]\b", condition)) | set(re.findall(r"\b[lr]\.(\w+)", condition))


def columns_of(comparison: Comparison) -> set[str]:
    """The columns that a comparison's missing level asks for: without any one of them it has nothing to compare."""
    (missing,) = (level["sql_condition"] for level in comparison["comparison_levels"] if level.get("is_null_level"))
    return set(re.findall(r"\b(\w+)_l is null", missing))


def number(column: str) -> Comparison:
    """A person's number of any register, for files that the warehouse has no contract for."""
    return {
        "output_column_name": column,
        "comparison_description": "A number that one register gave to one person",
        "comparison_levels": [
            _null(_missing(column)),
            _level(f"{column}_l = {column}_r", "Same"),
            _level(f"damerau_levenshtein({column}_l, {column}_r) <= 2", "At most two characters differ"),
            ELSE,
        ],
    }


def words(column: str) -> Comparison:
    """Free text about a person, such as a street or a town, for files that the warehouse has no contract for."""
    return {
        "output_column_name": column,
        "comparison_description": "Free text",
        "comparison_levels": [
            _null(_missing(column)),
            _level(f"{column}_l = {column}_r", "Same", column),
            _level(f"jaro_winkler_similarity({column}_l, {column}_r) >= 0.9", "Very similar"),
            _level(f"jaro_winkler_similarity({column}_l, {column}_r) >= 0.75", "Similar"),
            ELSE,
        ],
    }
