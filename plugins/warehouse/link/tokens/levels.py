"""What the conditions of a saved model, its blocking rules and the twin guard become on tokens.

A model keeps its comparisons, levels, labels and trained weights; only the SQL of conditions that look inside a value changes:
similar spelling becomes shared pairs of letters, parts of a date become tokens of those parts. Equality stays as it is. A
condition that tokens cannot answer is an error, never silently another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from warehouse.link.errors import LinkageFault

# Dice's coefficient of shared pairs of letters that tells the same pairs of names alike as a Jaro-Winkler similarity does.
# Matched on pairs of records of one person and of chance pairs by `benchmarks/linkage/hashed.py --match-similarities`.
DICE_FOR_JARO_WINKLER = {
    "forename": {0.8: 0.45, 0.9: 0.625},
    "surname": {0.82: 0.525, 0.92: 0.7},
}

# A part of a date of birth in common, in the spellings that models use. Longer conditions first: some hold others.
_SAME_YEAR = r"left\(dob_l, 4\) = left\(dob_r, 4\)"
_DATES = (
    (rf"{_SAME_YEAR} and substr\(dob_l, 6, 2\) = substr\(dob_r, 9, 2\) and substr\(dob_l, 9, 2\) = substr\(dob_r, 6, 2\)", "dob_l = dob_swapped_r"),
    (rf"{_SAME_YEAR} and substr\(dob_l, 9\) = substr\(dob_r, 9\)", "birth_year_day_l = birth_year_day_r"),
    (_SAME_YEAR, "birth_year_l = birth_year_r"),
    (r"left\(dob_l, 7\) = left\(dob_r, 7\)", "birth_month_l = birth_month_r"),
    (r"substr\(dob_l, 6\) = substr\(dob_r, 6\)", "birth_day_l = birth_day_r"),
    (r"substr\(dob_([lr]), 6\) = '01-01'", r"is_default_dob_\1"),
    (r"is_default_dob\(dob_([lr])\)", r"is_default_dob_\1"),
    (r"hamming\(dob_l, dob_r\) = 1", "list_has_any(dob_digits_l, dob_digits_r)"),
)
# Initials and sex agree as tokens where the date of birth does. Where it does not, a part of the date in common, which is a token
# with initials and sex, says that they agree; without one, nothing is known of sex.
_SAME_PART = "birth_year_l = birth_year_r or birth_month_l = birth_month_r or birth_day_l = birth_day_r"
_PERSON = (
    (r"^initials_l = initials_r$", f"initials_l = initials_r or {_SAME_PART}"),
    (r"^sex_l is null or sex_r is null$", f"sex_l is null or sex_r is null or dob_l is distinct from dob_r and ({_SAME_PART}) is not true"),
    (r"^sex_l = sex_r$", f"sex_l = sex_r or {_SAME_PART}"),
)
# How common initials are cannot be counted from tokens that hold the date of birth too.
_UNCOUNTED = {"initials"}
_JARO_WINKLER = re.compile(r"jaro_winkler_similarity\((?:(\w+)_l, \1_r|l\.(\w+), r\.\2)\) >= ([0-9.]+)")
# The guard lets a single letter stand for a name that begins with it. A name of one letter has two codes.
_SINGLE_LETTER = re.compile(r"\(length\(l\.(\w+)\) = 1 or length\(r\.\1\) = 1\) and left\(l\.\1, 1\) = left\(r\.\1, 1\)")
_LOOKS_INSIDE = re.compile(r"\b(jaro_winkler_similarity|jaro_similarity|levenshtein|damerau_levenshtein|hamming|left|right|substr|substring|length)\s*\(")


def model_on_tokens(model: dict[str, Any]) -> dict[str, Any]:
    """The Splink settings of a saved model with its conditions asked of tokens.

    Raises:
        LinkageFault: a level cannot be asked of tokens.
    """
    translated = deepcopy(model)
    for comparison in translated["comparisons"]:
        for level in comparison["comparison_levels"]:
            level["sql_condition"] = condition_on_tokens(level["sql_condition"])
            if level.get("tf_adjustment_column") in _UNCOUNTED:
                del level["tf_adjustment_column"], level["tf_adjustment_weight"]
    return translated


def condition_on_tokens(condition: str) -> str:
    """One condition of a level.

    Raises:
        LinkageFault: tokens cannot answer it.
    """
    for clear, hashed in (*_PERSON, *_DATES):
        condition = re.sub(clear, hashed, condition)
    return _checked(_JARO_WINKLER.sub(_dice, condition))


def guard_on_tokens(statement: str) -> str:
    """The statement of the twin guard.

    Raises:
        LinkageFault: it asks what tokens cannot answer.
    """
    statement = _SINGLE_LETTER.sub(r"(len(l.\1_codes) = 2 or len(r.\1_codes) = 2) and l.\1_initial = r.\1_initial", statement)
    return _checked(_JARO_WINKLER.sub(_dice, statement))


def rules_on_tokens(rules: Iterable[str]) -> list[str]:
    """Blocking rules: a part of a date of birth is a token with initials and sex, so these need not be asked for beside it.

    Swapped names have swapped initials, and so no part of the date in common: they are nominated by the whole date.
    """
    return [_rule(rule) for rule in rules]


def _rule(rule: str) -> str:
    conditions = rule.split(" and ")
    part = next((c for c in conditions if c in _same("birth_year", "birth_month", "birth_day")), None)
    if part is None:
        return rule
    if "l.forename = r.surname" in conditions:
        return " and ".join("l.dob = r.dob" if c == part else c for c in conditions)
    return " and ".join(c for c in conditions if c not in _same("initials", "sex"))


def _same(*columns: str) -> list[str]:
    return [f"l.{column} = r.{column}" for column in columns]


def _dice(match: re.Match[str]) -> str:
    suffixed, dotted, threshold = match.groups()
    column = suffixed or dotted
    limits = DICE_FOR_JARO_WINKLER.get(column, {})
    limit = limits.get(float(threshold))
    if limit is None:
        raise LinkageFault(f"No similarity on tokens is known for Jaro-Winkler {threshold} of {column}. Match one with benchmarks/linkage/hashed.py")
    left, right = (f"{column}_codes_l", f"{column}_codes_r") if suffixed else (f"l.{column}_codes", f"r.{column}_codes")
    return f"dice({left}, {right}) >= {limit}"


def _checked(condition: str) -> str:
    found = _LOOKS_INSIDE.search(condition)
    if found:
        raise LinkageFault(f"A condition of the linkage model uses {found.group(1)} on a value, which tokens cannot answer: {condition}")
    return condition


def similarities(model_conditions: Sequence[str]) -> dict[str, set[float]]:
    """The Jaro-Winkler thresholds that conditions ask for, by column."""
    asked: dict[str, set[float]] = {}
    for condition in model_conditions:
        for suffixed, dotted, threshold in _JARO_WINKLER.findall(condition):
            asked.setdefault(suffixed or dotted, set()).add(float(threshold))
    return asked
