"""After a publication, empty the slot it left: it holds the marts of a night that may still have people erased since."""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from warehouse.publish.catalogue import relations
from warehouse.publish.gate import RETIRED_NIGHT, SLOT_STAGES
from warehouse.publish.slots import LAYERS, live_slot, other_slot, physical_schema

# The retired marts were built after the publication before theirs, so whoever was erased since then may be in them.
ERASED_SINCE = """
select exists (
    select from ops.erasure
    where registered_at > coalesce((select max(p.published_at) from ops.publication as p where p.publication_id < retired.publication_id), '-infinity')
)
from ops.publication as retired
where not retired.is_live and retired.slot = %s
order by retired.publication_id desc
limit 1
"""


def empty_retired_slot(connection: Connection[Any]) -> int:
    """Drop the tables of the slot that was live before, where records have been erased that may be in them; returns how many.

    A slot in which the next night is already being built is left alone. Going back to the retired night (`gate`) is no
    longer possible then: it has to be built again, without those people.
    """
    live = live_slot(connection)
    slot = other_slot(live)
    is_untouched = connection.execute(RETIRED_NIGHT, [list(SLOT_STAGES)]).fetchone() is not None
    if live is None or not is_untouched or connection.execute(ERASED_SINCE, [slot]).fetchone() != (True,):
        return 0
    schemas = [physical_schema(layer, slot) for layer in LAYERS]
    tables = [sql.Identifier(schema, name) for schema in schemas for name, relation in sorted(relations(connection, schema).items()) if not relation.is_view]
    if tables:
        connection.execute(sql.SQL("drop table {}").format(sql.SQL(", ").join(tables)))
    return len(tables)
