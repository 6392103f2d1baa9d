"""Ids as agencies issue them. Running numbers are scrambled, so that order and closeness of ids tell nothing of the truth."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from warehouse.synth.arrays import Ints, Text, calendar, join, numbers, pick

_BIG_PRIME = 999_999_937
_SMALL_PRIME = 9_999_991
_PNC_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
_NINO_FIRST, _NINO_SECOND = "ABCEGHJKLMNOPRSTWXYZ", "ABCEGHJKLMNPRSTWXYZ"
_NINO_NEVER_ISSUED = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "OO"}
NINO_PREFIXES = [a + b for a in _NINO_FIRST for b in _NINO_SECOND if a + b not in _NINO_NEVER_ISSUED][:250]


def scrambled(serial: Ints, salt: int) -> Ints:
    """A different nine-digit number for each serial number below 10^9: multiplication modulo a prime."""
    return (serial * (271_828_183 + 2 * salt) + 314_159_265 + 7919 * salt) % _BIG_PRIME


def hashed(*parts: Ints) -> Ints:
    """A ten-digit number made from several, by the mixing step of SplitMix64; equal parts give equal numbers."""
    mixed = np.zeros(len(parts[0]), dtype=np.uint64)
    for part in parts:
        mixed = mixed + part.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed % np.uint64(10_000_000_000)).astype(np.int64)


def insurance_numbers(person_id: Ints) -> Text:
    """A National Insurance number for each person, such as AB123456C, one to one below 10^9 people."""
    value = scrambled(person_id, 11)
    prefix = pick(NINO_PREFIXES, value // 1_000_000 % 250)
    return join(prefix, padded(value % 1_000_000, 6), pick(list("ABCD"), value // 250_000_000))


def pnc_ids(person_id: Ints, first_known: Ints) -> Text:
    """A Police National Computer id: year of first record, seven-digit serial number and check letter (modulo 23)."""
    year = calendar(first_known)[0]
    serial = (person_id % _SMALL_PRIME) * 2_718_281 % _SMALL_PRIME
    check = (year % 100 * 10_000_000 + serial) % 23
    return join(numbers(year), "/", padded(serial, 7), pick(list(_PNC_LETTERS), check))


def padded(values: Ints, width: int) -> Text:
    """Numbers with leading zeros."""
    return pc.utf8_lpad(numbers(values), width, "0")
