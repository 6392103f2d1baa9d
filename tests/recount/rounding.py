"""Rounding as a database rounds: a half goes away from nought."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def rounded(value: Decimal, to: str) -> Decimal:
    """A value with the decimals of `to`."""
    return value.quantize(Decimal(to), ROUND_HALF_UP)
