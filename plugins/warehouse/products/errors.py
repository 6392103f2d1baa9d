"""What can go wrong when estimates are made."""

from __future__ import annotations

from traceback import extract_tb

from warehouse.estimate.errors import EstimateFault


class EstimateFailed(Exception):
    """A product could not be made. Names the product and the place of the fault, never a value."""

    def __init__(self, product: str, fault: Exception) -> None:
        place = extract_tb(fault.__traceback__)[-1]
        # The messages of our own estimators hold no value.
        told = str(fault) if isinstance(fault, EstimateFault) else type(fault).__name__
        super().__init__(f"{product}: {told} ({place.filename.rsplit('/', 1)[-1]}, line {place.lineno})")
