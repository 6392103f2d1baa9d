"""Repoint the views analysts read from one slot to the other, all of them or none.

Views are replaced in place while their columns allow it, so that grants and other people's views on them stay. A view
whose columns were taken away or retyped has to be dropped and made again, which is refused while others depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection, errors, sql

from warehouse.database.connect import login
from warehouse.publish.catalogue import Column, Relation, dependents, readers, relations
from warehouse.publish.errors import PublishRefused
from warehouse.publish.slots import LAYERS, physical_schema

READERS_OF_LAYER = {"marts": ("analyst",), "published": ("analyst", "bi")}


def view_columns(current: Relation | None, table: Relation) -> tuple[tuple[Column, ...], bool]:
    """The columns a view shall have over a table, and whether the view can be replaced in place.

    Postgres replaces a view only when its first columns stay as they are, so a view keeps the order it has and new
    columns come last. Columns withdrawn or retyped mean a new view with the table's own order.
    """
    if current is None:
        return table.columns, True
    built = {column.name: column for column in table.columns}
    kept = [column for column in current.columns if column.name in built and built[column.name].type == column.type]
    if len(kept) < len(current.columns):
        return table.columns, False
    known = {column.name for column in kept}
    return (*(built[column.name] for column in kept), *(column for column in table.columns if column.name not in known)), True


def lock_views(connection: Connection[Any], queues: bool) -> None:
    """Take every published view (and so the tables under them) away from readers for the rest of this transaction.

    A transaction that has read one view keeps it until it ends, so a reader sees the old marts or the new, never some of
    each.

    Args:
        queues: wait for readers as long as the caller's `statement_timeout` allows; else fail at once if there are any.

    Raises:
        psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled: readers hold a view.
    """
    views = [sql.Identifier(layer, name) for layer in LAYERS for name in sorted(_views(connection, layer))]
    if views:
        statement = "lock table {} in access exclusive mode" if queues else "lock table {} in access exclusive mode nowait"
        connection.execute(sql.SQL(statement).format(sql.SQL(", ").join(views)))


def repoint(connection: Connection[Any], slot: str, tables: dict[str, dict[str, Relation]]) -> dict[str, int]:
    """Make `marts.*` and `published.*` show the given tables of a slot, inside the caller's transaction.

    Args:
        tables: the tables to show, by layer and name; a view of any other name is dropped.

    Returns:
        How many views there are now, and how many of them were created, replaced because their columns changed, dropped.

    Raises:
        PublishRefused: other people's views depend on a view that has to be dropped, or a view's name is taken.
    """
    counts = {"views": 0, "created": 0, "columns_changed": 0, "dropped": 0}
    statements: list[sql.Composable] = []
    for layer in LAYERS:
        current = _views(connection, layer)
        for name in sorted(current.keys() - tables[layer].keys()):
            _refuse_if_used(connection, layer, name, "its table no longer exists")
            statements.append(sql.SQL("drop view {}").format(sql.Identifier(layer, name)))
            counts["dropped"] += 1
        for name, table in tables[layer].items():
            columns, in_place = view_columns(current.get(name), table)
            allowed = {login(role) for role in READERS_OF_LAYER[layer]}
            if not in_place:
                _refuse_if_used(connection, layer, name, f"its columns changed ({_difference(current[name], table)})")
                allowed |= set(readers(connection, layer, name))
                statements.append(sql.SQL("drop view {}").format(sql.Identifier(layer, name)))
            statements.extend(_show(layer, slot, table, columns, sorted(allowed)))
            counts["views"] += 1
            counts["created"] += name not in current
            counts["columns_changed"] += not in_place
    try:
        connection.execute(sql.SQL(";\n").join(statements))
    except errors.DependentObjectsStillExist:
        raise PublishRefused("Not published: a function or type of someone else depends on a view that has to be dropped") from None
    return counts


def _views(connection: Connection[Any], layer: str) -> dict[str, Relation]:
    found = relations(connection, layer)
    tables = [f"{layer}.{relation.name}" for relation in found.values() if not relation.is_view]
    if tables:
        raise PublishRefused(f"Not published: {', '.join(tables)} is a table, but schema {layer} may hold published views only")
    return found


def _refuse_if_used(connection: Connection[Any], layer: str, name: str, reason: str) -> None:
    users = dependents(connection, layer, name)
    if users:
        raise PublishRefused(
            f"Not published: {layer}.{name} has to be dropped because {reason}, but these depend on it: {', '.join(users)}. "
            "Ask their owners to drop or change them, or keep the old columns"
        )


def _difference(view: Relation, table: Relation) -> str:
    built = {column.name: column.type for column in table.columns}
    gone = [f"{column.name} withdrawn" for column in view.columns if column.name not in built]
    retyped = [f"{c.name} now {built[c.name]}, was {c.type}" for c in view.columns if built.get(c.name, c.type) != c.type]
    return "; ".join(gone + retyped)


def _show(layer: str, slot: str, table: Relation, columns: tuple[Column, ...], allowed: list[str]) -> Iterator[sql.Composable]:
    """The statements that make one view show one table, with its comments and readers."""
    view, source = sql.Identifier(layer, table.name), sql.Identifier(physical_schema(layer, slot), table.name)
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    yield sql.SQL("create or replace view {} as select {} from {}").format(view, names, source)
    yield sql.SQL("comment on view {} is {}").format(view, sql.Literal(table.comment))
    for column in columns:
        yield sql.SQL("comment on column {} is {}").format(sql.Identifier(layer, table.name, column.name), sql.Literal(column.comment))
    yield sql.SQL("grant select on {} to {}").format(view, sql.SQL(", ").join(sql.Identifier(name) for name in allowed))
