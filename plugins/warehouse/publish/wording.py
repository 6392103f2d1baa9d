"""Facts in words that the console and the report share."""

from __future__ import annotations

from datetime import date

from warehouse.publish.facts import OtherDelivery


def other_delivery(other: OtherDelivery, night: date) -> str:
    """What became of a delivery besides the one that counts for the night."""
    name = f"delivery {other.delivery_id}" + ("" if other.night == night else f" for {other.night}")
    fates = {
        "admitted": "came late and was put in its place",
        "superseded": "was replaced by a corrected one",
        "rejected": "was withdrawn",
        "refused": "was refused",
        "duplicate": "repeats an earlier one",
    }
    return f"{name} {fates.get(other.status, f'is {other.status}')}"
