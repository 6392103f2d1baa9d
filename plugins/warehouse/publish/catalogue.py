"""What Postgres knows about the tables and views of a schema: columns, comments, readers, and what depends on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

RELATIONS = """
select c.relname,
       c.relkind::text,
       obj_description(c.oid, 'pg_class'),
       array_agg(a.attname::text order by a.attnum),
       array_agg(format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || nullif(l.collname, 'default'), '') order by a.attnum),
       array_agg(col_description(c.oid, a.attnum) order by a.attnum)
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_collation l on l.oid = a.attcollation
where c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p', 'v', 'm')
group by c.oid, c.relname, c.relkind
order by c.relname
"""

# A view depends on another through its rewrite rule, and each view's own rule depends on the view itself.
DEPENDENTS = """
select distinct coalesce(
    format('%%s %%I.%%I (owner %%s)', case c.relkind when 'm' then 'materialized view' else 'view' end, n.nspname, c.relname, pg_get_userbyid(c.relowner)),
    pg_describe_object(d.classid, d.objid, d.objsubid))
from pg_depend d
left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
left join pg_class c on c.oid = r.ev_class
left join pg_namespace n on n.oid = c.relnamespace
where d.refclassid = 'pg_class'::regclass and d.refobjid = to_regclass(format('%%I.%%I', %s::text, %s::text))
  and d.deptype = 'n' and r.ev_class is distinct from d.refobjid
order by 1
"""

READERS = """
select distinct pg_get_userbyid(p.grantee)
from pg_class c cross join aclexplode(c.relacl) p
where c.oid = to_regclass(format('%%I.%%I', %s::text, %s::text))
  and p.privilege_type = 'SELECT' and p.grantee not in (0, c.relowner)
order by 1
"""


@dataclass(frozen=True)
class Column:
    """A column: its name, its type with length and collation, and its comment."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True)
class Relation:
    """A table or view with its columns in order."""

    name: str
    kind: str
    comment: str | None
    columns: tuple[Column, ...]

    @property
    def is_view(self) -> bool:
        return self.kind == "v"


def relations(connection: Connection[Any], schema: str) -> dict[str, Relation]:
    """The tables, views and materialized views of a schema by name; empty when there is no such schema."""
    return {
        name: Relation(name, kind, comment, tuple(Column(*column) for column in zip(names, types, comments, strict=True)))
        for name, kind, comment, names, types, comments in connection.execute(RELATIONS, [schema])
    }


def dependents(connection: Connection[Any], schema: str, name: str) -> list[str]:
    """What other people built on a view, as `view schema.name (owner login)`; empty when nothing depends on it."""
    return [row[0] for row in connection.execute(DEPENDENTS, [schema, name])]


def readers(connection: Connection[Any], schema: str, name: str) -> list[str]:
    """The logins that were granted SELECT on a view, without its owner."""
    return [row[0] for row in connection.execute(READERS, [schema, name])]
