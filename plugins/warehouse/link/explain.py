"""Why two records are linked, or are not: every step from the prior to the weight, and what the guards said.

The pair is scored again as the night scored it, by the same model against the same population (see `review.rescoring`). Two records
with names are judged by their best pair of names; a client and a person by all their records pooled, beside the client's other
candidates. An `Explanation` holds weights and levels of agreement, and no person's
value; `identifiers` adds those for the steward who asks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from warehouse.contracts.load import all_contracts
from warehouse.database import clean_errors, connect
from warehouse.link.conflicts import find_in_components
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.models import Policy, policy
from warehouse.link.review.decisions import Identifiers, Pair
from warehouse.link.review.load import load_evidence, load_links
from warehouse.link.review.rescoring import Scored, score_minimal, score_named
from warehouse.link.roles import link_tables
from warehouse.link.workspace import duckdb_session, one_row, private_folder

if TYPE_CHECKING:
    import duckdb

CERTAINTIES = ("strict", "balanced", "inclusive")
RECORD_ACCESS = "insert into linkage.review_access (steward, purpose, night, records) values (%s, 'explain', %s, 2)"
SHARED_PERSON = "select count(*) = 2 and count(distinct person_id) = 1 from linkage.person_link_as_at(%s, %s) where record_key in (%s, %s)"


@dataclass(frozen=True)
class Explanation:
    """A pair of records as the night judged it.

    `sides`: the records judged as one, for each of the two; `is_named`: both have names; `is_conflict`: they may never share a
    cluster (two NINOs, two PNC ids, impossible dates of birth);
    `together`: the certainties at which they stand under one person after the night.
    """

    night: date
    left: UUID
    right: UUID
    sides: tuple[tuple[UUID, ...], tuple[UUID, ...]]
    is_named: bool
    scored: Scored
    is_conflict: bool
    together: tuple[str, ...]


def explain(night: date, left: UUID, right: UUID, steward: str) -> Explanation:
    """Score a pair of records again and tell every step. That somebody looked is recorded.

    Args:
        night: a linked night. Values count for as common as on that night when it was the last, else as they are among its records.
        steward: who asks.

    Raises:
        LinkageFault: a record was not linked on the night, the two are the same, or a model is missing.
        DatabaseFault: the database could not be read.
    """
    if left == right:
        raise LinkageFault("That is one record, not two")
    together = _together(night, left, right, steward)
    with private_folder("explain") as folder, duckdb_session(folder / "spill") as session:
        return explain_in(session, policy(), night, (left, right), together, folder)


def explain_in(session: duckdb.DuckDBPyConnection, rules: Policy, night: date, keys: tuple[UUID, UUID], together: tuple[str, ...], folder: Path) -> Explanation:
    """Explain a pair in a session of the caller's, which then holds the night's evidence.

    Args:
        folder: private folder for files on their way from the database.
    """
    load_evidence(session, night, folder)
    load_links(session, night, folder)
    with clean_duckdb_errors("score the pair again"):
        numbers = [_number(session, night, key) for key in keys]
        is_named = one_row(session, f"select bool_and(is_named) from record where record_no in ({numbers[0]}, {numbers[1]})") == (True,)
        scored = score_named(session, rules, *numbers) if is_named else score_minimal(session, rules, *numbers)
        left, right = ((key,) if is_named else _unit(session, number) for key, number in zip(keys, numbers, strict=True))
        return Explanation(night, *keys, (left, right), is_named, scored, _is_conflict(session, numbers), together)


def _number(session: duckdb.DuckDBPyConnection, night: date, key: UUID) -> int:
    found = session.execute("select record_no from night_link inner join record using (record_no) where record_key = ?", [key]).fetchall()
    if not found:
        raise LinkageFault(f"Record {key} was not linked on the night {night.isoformat()}, or has gone from the vault since")
    return int(found[0][0])


def _unit(session: duckdb.DuckDBPyConnection, number: int) -> tuple[UUID, ...]:
    """The records pooled with one, which it is first of."""
    rows = session.execute(
        "select r.record_key from unit as u inner join record as r using (record_no)"
        " where u.unit_no = (select unit_no from unit where record_no = $1) order by u.record_no <> $1, u.record_no",
        [number],
    ).fetchall()
    return tuple(key for (key,) in rows)


def _together(night: date, left: UUID, right: UUID, steward: str) -> tuple[str, ...]:
    """The certainties at which two records share a person. Records the access."""
    with clean_errors("look up the links of the pair"), connect("linker") as connection:
        connection.execute(RECORD_ACCESS, [steward, night])
        shared = {certainty: connection.execute(SHARED_PERSON, [night, certainty, left, right]).fetchone() for certainty in CERTAINTIES}
    return tuple(certainty for certainty, found in shared.items() if found == (True,))


def _is_conflict(session: duckdb.DuckDBPyConnection, numbers: list[int]) -> bool:
    session.execute("create or replace table component as select unnest(?::int[]) as record_no, 0 as cluster_no", [numbers]).fetchall()
    find_in_components(session)
    return one_row(session, "select exists (select 1 from conflict)") == (True,)


def identifiers(found: Explanation) -> Pair:
    """The two sides of an explanation with their identifiers, as the vault held them on its night.

    Raises:
        DatabaseFault: the vault could not be read.
    """
    from psycopg import sql

    query = sql.SQL(
        "select distinct record_key, jsonb_strip_nulls(jsonb_build_object({roles})) from {relation}"
        " where record_key = any(%(keys)s) and _valid_from <= %(night)s and (_valid_to is null or _valid_to > %(night)s) order by 1, 2"
    )
    asked = {"keys": [key for side in found.sides for key in side], "night": found.night}
    rows: dict[UUID, list[Identifiers]] = defaultdict(list)
    with clean_errors("read the identifiers of the pair"), connect("linker") as connection:
        for table in link_tables(all_contracts()):
            roles = sql.SQL(", ").join(sql.SQL("{}, {}::text").format(sql.Literal(role), sql.Identifier(column)) for role, column in table.columns.items())
            for key, values in connection.execute(query.format(roles=roles, relation=sql.Identifier("vault", table.relation)), asked):
                rows[key].append(values)
    left, right = (tuple(row for key in side for row in rows[key]) for side in found.sides)
    return Pair(uuid4(), left, right, None)
