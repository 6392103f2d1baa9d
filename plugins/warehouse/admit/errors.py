"""Why a delivery was not admitted."""

from __future__ import annotations


class DeliveryRefused(Exception):
    """The delivery as a whole cannot be admitted. The message names feed, file, rule and what to do; never a person's value."""


class AdmitFault(Exception):
    """The warehouse, not the agency, is at fault: a check could not be run or the rows do not add up. Nothing was admitted."""
