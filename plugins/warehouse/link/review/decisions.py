"""What a steward is given to judge and what was decided: reads and writes of the steward's own login, keys and verdicts alone.

Identifiers come through the function `linkage.review_values`, once, when a session begins; they stay in this process.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal, cast
from uuid import UUID

from warehouse.database import clean_errors, connect
from warehouse.link.errors import LinkageFault

if TYPE_CHECKING:
    import psycopg

Verdict = Literal["same", "different", "cannot tell"]
VERDICTS: tuple[Verdict, ...] = ("same", "different", "cannot tell")
# The identifiers of one vault row by linkage role, such as forename or dob.
Identifiers = Mapping[str, str]

PAIRS = """
select p.pair_id, p.record_key_l, p.record_key_r, p.records_l, p.records_r, d.verdict
from linkage.review_pair as p
left join linkage.review_decision as d
    on d.night = p.night and d.record_key_l = p.record_key_l and d.record_key_r = p.record_key_r and d.steward = %(steward)s
where p.night = %(night)s
order by p.place
"""
DECIDE = """
insert into linkage.review_decision (night, record_key_l, record_key_r, verdict, steward)
select night, record_key_l, record_key_r, %(verdict)s, %(steward)s from linkage.review_pair where pair_id = %(pair)s
on conflict (night, record_key_l, record_key_r, steward) do update set verdict = excluded.verdict, decided_at = now()
"""

# What was drawn and decided about erased records: their pairs, and those that showed them pooled with others.
FORGET = (
    """
    delete from linkage.review_decision as d
    using linkage.review_pair as p, forgotten as f
    where p.night = d.night and p.record_key_l = d.record_key_l and p.record_key_r = d.record_key_r and f.record_key = any(p.records_l || p.records_r)
    """,
    "delete from linkage.review_pair as p using forgotten as f where f.record_key = any(p.records_l || p.records_r)",
)


@dataclass(frozen=True)
class Pair:
    """Two sides to be judged. Each holds the vault rows of its records; which record is shown left says nothing."""

    pair_id: UUID
    left: tuple[Identifiers, ...]
    right: tuple[Identifiers, ...]
    verdict: Verdict | None


def latest_sample() -> date | None:
    """The last night that pairs were drawn for; None when there are none.

    Raises:
        DatabaseFault: the database could not be read.
    """
    with clean_errors("look for pairs to review"), connect("steward") as connection:
        row = connection.execute("select max(night) from linkage.review_pair").fetchone()
    return cast("date | None", row[0]) if row else None


def pairs_to_judge(night: date, steward: str) -> list[Pair]:
    """The pairs drawn for a night, in the order they are shown, with this steward's own verdicts. The access is recorded.

    A pair is left out when a record of it has gone from the vault since it was drawn.

    Raises:
        LinkageFault: no pairs were drawn for the night.
        DatabaseFault: the database could not be read.
    """
    rows: dict[UUID, list[Identifiers]] = defaultdict(list)
    with clean_errors("read the pairs to review"), connect("steward") as connection:
        drawn = connection.execute(PAIRS, {"night": night, "steward": steward}).fetchall()
        for key, _, identifiers in connection.execute("select * from linkage.review_values(%s, %s) order by 1, 2, 3", [night, steward]):
            rows[key].append(identifiers)
    if not drawn:
        raise LinkageFault(f"No pairs were drawn for {night.isoformat()}. Draw them first: warehouse linkage review --draw 300")
    pairs = []
    for pair_id, key_l, key_r, records_l, records_r, verdict in drawn:
        if key_l in rows and key_r in rows:
            sides = [tuple(row for key in records for row in rows[key]) for records in (records_l, records_r)]
            # The id is random, so neither side is always the older record or the one with more to it.
            left, right = sides if pair_id.int % 2 else sides[::-1]
            pairs.append(Pair(pair_id, left, right, verdict))
    return pairs


def decide(pair_id: UUID, verdict: Verdict, steward: str) -> None:
    """Keep a steward's verdict on a pair, in place of an earlier one.

    Raises:
        LinkageFault: the pair is not of a sample any more.
        DatabaseFault: the database refused.
    """
    with clean_errors("keep a verdict"), connect("steward") as connection:
        kept = connection.execute(DECIDE, {"pair": pair_id, "verdict": verdict, "steward": steward}).rowcount
    if not kept:
        raise LinkageFault("The pair is not in a sample any more: its record was erased, or a new sample was drawn")


def forget_pairs(connection: psycopg.Connection) -> None:
    """Forget the pairs and verdicts of the records in temp table forgotten (record_key), inside the caller's transaction as the linker.

    Raises:
        psycopg.Error: the database refused.
    """
    for statement in FORGET:
        connection.execute(statement)
