"""Two records side by side: one line for each kind of identifier, with what both have and where they differ.

Made for a reader's eyes and nothing else: no score is computed here, and none is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from warehouse.link.review.decisions import Identifiers, Pair

Agreement = Literal["same", "differs", "missing"]
# What a line shows, and the roles whose values it holds. Initials stand with the names they begin, and
# earlier surnames with today's: which of them an agency holds depends on when it met the person.
LINES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Forename", ("forename", "forename_initial")),
    ("Middle names", ("middle_name",)),
    ("Surnames", ("surname", "previous_surname", "surname_initial")),
    ("Date of birth", ("dob",)),
    ("Sex", ("sex",)),
    ("Places", ("postcode", "previous_postcode", "postcode_sector")),
    ("NINO", ("nino",)),
    ("PNC id", ("pnc_id",)),
)
INITIALS = {"forename_initial", "surname_initial"}
FULL_POSTCODE = re.compile(r"\d[A-Z]{2}$")


@dataclass(frozen=True)
class Part:
    """A piece of a value; `differs` when the other side has nothing like it."""

    text: str
    differs: bool


@dataclass(frozen=True)
class Line:
    """One kind of identifier: what each side holds, and whether they agree in any of it."""

    name: str
    left: tuple[tuple[Part, ...], ...]
    right: tuple[tuple[Part, ...], ...]
    agreement: Agreement


def lines(pair: Pair) -> list[Line]:
    """The lines of a pair that either side has something for."""
    found = []
    for name, roles in LINES:
        left, right = (_values(side, roles) for side in (pair.left, pair.right))
        if left or right:
            rule = PLACE if name == "Places" else TEXT
            found.append(Line(name, _marked(left, right, rule), _marked(right, left, rule), _judge(left, right, rule)))
    return found


def _values(side: Sequence[Identifiers], roles: Iterable[str]) -> list[str]:
    """The distinct values of a side, most frequent first; what differs in capitals or spaces alone is told once."""
    seen: dict[str, list[str]] = {}
    for row in side:
        for role in roles:
            if role in row:
                value = f"{row[role]}." if role in INITIALS else row[role]
                seen.setdefault(_plain(value), []).append(value)
    return [min(values) for _, values in sorted(seen.items(), key=lambda item: (-len(item[1]), item[0]))]


def _judge(left: Sequence[str], right: Sequence[str], rule: Rule) -> Agreement:
    if not left or not right:
        return "missing"
    return "same" if any(rule.agree(a, b) for a in left for b in right) else "differs"


def _marked(values: Sequence[str], others: Sequence[str], rule: Rule) -> tuple[tuple[Part, ...], ...]:
    """Values in parts, marked where the other side has values and none is like it."""
    return tuple((Part(value, False),) if not others or any(rule.agree(value, other) for other in others) else rule.mark(value, others) for value in values)


def _mark_letters(value: str, others: Sequence[str]) -> tuple[Part, ...]:
    """Mark the letters that the most similar of the other values does not have."""
    nearest = max((SequenceMatcher(None, _capitals(value), _capitals(other), autojunk=False) for other in others), key=SequenceMatcher.ratio)
    return tuple(Part(value[start:end], tag != "equal") for tag, start, end, _, _ in nearest.get_opcodes() if end > start)


def _mark_place(value: str, others: Sequence[str]) -> tuple[Part, ...]:
    """Mark a whole postcode, or what follows its district where the other side knows the district."""
    district, space, rest = value.partition(" ")
    is_known = any(other.partition(" ")[0].upper() == district.upper() for other in others)
    return (Part(district + space, False), Part(rest, True)) if is_known and rest else (Part(value, True),)


def _capitals(value: str) -> str:
    """A value in capital letters, of the same length; the few letters that have no single capital stay."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in value)


def _plain(value: str) -> str:
    """A value in capital letters and digits alone, accents removed."""
    return re.sub(r"[^A-Z0-9]", "", unicodedata.normalize("NFKD", value).upper())


def _agree(a: str, b: str) -> bool:
    """Whether two values say the same; an initial agrees with every name that it begins."""
    short, long = sorted((_plain(a), _plain(b)), key=len)
    is_initial = len(short) == 1 and (a.endswith(".") or b.endswith("."))
    return short == long or (is_initial and long.startswith(short))


def _agree_place(a: str, b: str) -> bool:
    """Whether two postcodes or sectors are one place as far as the coarser of them says."""
    (place_a, is_full_a), (place_b, is_full_b) = ((_plain(value), FULL_POSTCODE.search(_plain(value)) is not None) for value in (a, b))
    if is_full_a == is_full_b:
        return place_a == place_b
    return (place_a[:-2] if is_full_a else place_a) == (place_b[:-2] if is_full_b else place_b)


@dataclass(frozen=True)
class Rule:
    """How values of a line are compared, and how those that differ are marked."""

    agree: Callable[[str, str], bool]
    mark: Callable[[str, Sequence[str]], tuple[Part, ...]]


TEXT, PLACE = Rule(_agree, _mark_letters), Rule(_agree_place, _mark_place)
