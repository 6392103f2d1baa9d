"""Make the zones: schemas, roles with their own logins, grants, and the tables that belong to no one feed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from warehouse.database.connect import ROLES, connect, login
from warehouse.database.errors import clean_errors
from warehouse.settings import settings


def apply() -> None:
    """Create or bring up to date every zone. Idempotent.

    Raises:
        DatabaseFault: the administrator's login may not create roles and schemas, or the server refused.
    """
    with clean_errors("create the roles and zones"), connect("admin") as connection:
        # Two processes may arrive together (a DAG and a command): one waits for the other.
        connection.execute("select pg_advisory_xact_lock(hashtext('warehouse.zones'))")
        connection.execute("set local client_min_messages = warning")
        for role in ROLES:
            if role != "admin":
                _ensure_login(connection, role)
        connection.execute(sql.SQL("grant {} to current_user").format(sql.SQL(", ").join(sql.Identifier(login(r)) for r in ROLES if r != "admin")))
        connection.execute((Path(__file__).with_name("zones.sql")).read_text(encoding="utf-8"))
        for role in ROLES:
            if role != "admin":
                connection.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(connection.info.dbname), sql.Identifier(login(role))))
        # dbt makes its schemas if they are missing, so its role may create some.
        connection.execute(sql.SQL("grant create on database {} to {}").format(sql.Identifier(connection.info.dbname), sql.Identifier(login("transformer"))))


def _ensure_login(connection: Connection[Any], role: str) -> None:
    known = connection.execute("select 1 from pg_roles where rolname = %s", [login(role)]).fetchone()
    verb = "alter" if known else "create"
    connection.execute(
        sql.SQL("{} role {} login password {}").format(sql.SQL(verb), sql.Identifier(login(role)), sql.Literal(settings().secret(f"password_{role}")))
    )
