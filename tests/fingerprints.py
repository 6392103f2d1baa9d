"""What a warehouse holds, in a form that two warehouses fed the same files must share.

Person ids are random and delivery ids count upwards, so neither is compared: people are told apart by the records that
belong to them, rows by everything else.
"""

from __future__ import annotations

from warehouse.database import connect

UNSHARED = {"person_id", "other_person_id", "journey_id", "_delivery_id", "delivery_id", "refused_at", "content_hash"}
# Whom people are compared with is drawn by person ids: a night linked anew draws others. Their rows are counted alone.
DRAWN = {
    "rpt_matched_reoffending",
    "rpt_matched_balance",
    "published_matched_reoffending",
    "published_matched_balance",
    "rpt_priority_balance",
    "published_priority_offenders_matched",
}


def row_hashes(schemas: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    """For every table and view of the schemas: row count and an order-independent hash of its rows without random ids."""
    found: dict[str, tuple[int, str]] = {}
    with connect("admin") as connection:
        tables = connection.execute(
            "select table_schema, table_name, array_agg(column_name::text order by ordinal_position)"
            " from information_schema.columns where table_schema = any(%s) group by 1, 2 order by 1, 2",
            [list(schemas)],
        ).fetchall()
        for schema, table, columns in tables:
            kept = ", ".join(f'"{c}"' for c in columns if c not in UNSHARED and not c.endswith("_id"))
            row = connection.execute(
                f"select count(*), coalesce(sum(('x' || substr(md5(row({kept})::text), 1, 15))::bit(60)::bigint), 0) from {schema}.{table}"
            ).fetchone()
            assert row is not None
            found[f"{schema}.{table}"] = (int(row[0]), "" if table in DRAWN else str(row[1]))
    return found


def partition_of_records() -> tuple[int, str]:
    """How many people there are, and a hash of which records belong together."""
    with connect("admin") as connection:
        row = connection.execute(
            "select count(*), md5(coalesce(string_agg(members, '|' order by members), '')) from ("
            " select string_agg(record_key::text, ',' order by record_key) as members"
            " from linkage.person_link where _valid_to is null group by person_id) people"
        ).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


def whole_state() -> dict[str, tuple[int, str]]:
    """Everything that must be the same after a night, however often it was interrupted."""
    return row_hashes(("vault", "source", "quarantine", "marts", "published")) | {"people": partition_of_records()}
