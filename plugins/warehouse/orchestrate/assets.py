"""Every Airflow asset of the warehouse, in one place: an asset declared twice with another URI becomes inactive."""

from __future__ import annotations

from airflow.sdk import Asset


def source_of(feed: str) -> Asset:
    """The admitted rows of one feed; updated every night, also when nothing came, so that one silent agency does not stop the rest."""
    return Asset(name=f"source_{feed}", uri=f"warehouse://source/{feed}", group="warehouse")


PERSON_LINKS = Asset(name="person_links", uri="warehouse://linkage/person_link", group="warehouse")
MARTS = Asset(name="marts", uri="warehouse://marts", group="warehouse")
