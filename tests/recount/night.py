"""The stages of a night without Airflow."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from warehouse.admit import stage as admission
from warehouse.contracts.load import feeds
from warehouse.database import connect
from warehouse.model.stage import LAYERS, build
from warehouse.receive.stage import receive
from warehouse.settings import settings


def admit(inbox: Path, night: date) -> None:
    """Receive and admit what every feed delivered; every feed did."""
    for feed in feeds():
        delivery = receive(feed, inbox, night)
        assert delivery is not None
        admission.load(delivery)
        admission.check(delivery)
        admission.admit(delivery)


def model(night: date) -> None:
    """Build every layer up to the marts, in the slot that is not live; the code lists once in the life of a database."""
    for layer in LAYERS[int(_has_code_lists()) : LAYERS.index("marts") + 1]:
        build(night, layer)


def _has_code_lists() -> bool:
    wanted = {path.stem for path in (settings().dbt_project_dir / "seeds").rglob("*.csv")}
    with connect("admin") as connection:
        return wanted <= {name for (name,) in connection.execute("select tablename from pg_tables where schemaname = 'reference'").fetchall()}
