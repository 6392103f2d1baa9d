"""Why a delivery was not admitted."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DeliveryRefused(Exception):
    """The delivery as a whole cannot be admitted. The message names feed, file, rule and what to do; never a person's value."""


class AdmitFault(Exception):
    """The warehouse, not the agency, is at fault: a check could not be run or the rows do not add up. Nothing was admitted."""


@contextmanager
def full_disk_told(doing: str, folder: Path) -> Iterator[None]:
    """Turn the system's error on a full disk into one that says where to make room.

    Args:
        doing: what is being tried, as the end of "could not ...".
        folder: where it is written.

    Raises:
        AdmitFault: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise disk_is_full(doing, folder) from None


def disk_is_full(doing: str, folder: Path) -> AdmitFault:
    """The error on a full disk, to be raised."""
    return AdmitFault(f"Could not {doing}: the disk of {folder} is full. Make room there and run the step again")
