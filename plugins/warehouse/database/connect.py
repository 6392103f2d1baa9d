"""Connections to the warehouse, one login per role.

`admin` is the owner of the database (from `WAREHOUSE_URL`, or of the embedded server); the other roles can do what
`zones` grants them and no more, so a stage opens its connections as its own role.
"""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

from warehouse.database import server
from warehouse.database.errors import clean_errors
from warehouse.settings import settings

ROLES = ("admin", "loader", "steward", "linker", "transformer", "analyst", "bi", "engineer")


def login(role: str) -> str:
    """The Postgres login of a role."""
    return f"wh_{role}"


def url(role: str) -> str:
    """The address of the warehouse for a role, as a plain `postgresql://` URL that psql and psycopg both read.

    Raises:
        ValueError: there is no such role.
        server.ServerError: no warehouse is configured or running.
    """
    if role not in ROLES:
        raise ValueError(f"There is no role called '{role}'. Roles: {', '.join(ROLES)}")
    address = sa.make_url(settings().url or server.admin_url())
    if role != "admin":
        address = address.set(username=login(role), password=settings().secret(f"password_{role}"))
    return address.set(drivername="postgresql").render_as_string(hide_password=False)


def connect(role: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """A psycopg connection for a role, for COPY and set-based SQL.

    Raises:
        DatabaseFault: the database did not accept the connection.
    """
    with clean_errors(f"connect as {role}"):
        return psycopg.connect(url(role), autocommit=autocommit, application_name=f"warehouse {role}")
