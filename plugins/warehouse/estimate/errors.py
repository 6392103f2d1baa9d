"""Errors of estimation. Messages hold counts and names of columns, never a person's value."""

from __future__ import annotations


class EstimateFault(Exception):
    """The figure cannot be estimated from what was given; the message says why."""


class TooFewPeople(EstimateFault):
    """The group is below the size under which no figure is given."""
