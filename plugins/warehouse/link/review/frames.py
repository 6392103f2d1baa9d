"""Which pairs clerical review may draw: what the night linked, and what it could have linked but did not.

| frame | pairs |
|---|---|
| linked | edges of the night whose records share a person at some certainty |
| joined | records with names that share a person by way of others, without an edge between them |
| cut | edges whose records share none, since a conflict keeps them apart |
| guarded | heavy enough to be an edge, but rejected by the twin guard |
| scored | nominated by a blocking rule, at least FLOOR bits, too light to be an edge |
| missed | nominated by no blocking rule: with names, those of at least FLOOR bits; clients and persons of one initials, date of birth and sex |

The last three are found by comparing a random share of the records with all others anew, on wider rules than the night's. Pairs
that share neither a date of birth with an initial or a place, nor a surname with a year of birth, and pairs below FLOOR bits are taken to be
different people: that is the one assumption of the estimates. The model among feeds weighs all of these, pairs inside a feed too: their
score only says which stratum they are in.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.database import clean_errors, connect
from warehouse.link import named
from warehouse.link.blocking import NAMED_RULES, OTHER_RECORD, same
from warehouse.link.candidates import pairs_within
from warehouse.link.errors import clean_duckdb_errors
from warehouse.link.models import Policy, load_model
from warehouse.link.review.load import load_links
from warehouse.link.splinking import PAIRS, scorer
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import one_row, quoted

if TYPE_CHECKING:
    import duckdb

FLOOR = -5.0
# Pairs of rows compared anew at most; beyond it a smaller share of the records is looked at.
COMPARED_PAIRS = 3_000_000
MILLION = 1_000_000
WIDER_RULES = tuple(
    f"{same(*columns)} and {OTHER_RECORD}"
    for columns in (("dob", "forename_initial"), ("dob", "surname_initial"), ("dob", "districts"), ("surname", "birth_year"))
)
WIDE_ROWS = """
create or replace table wide_row as
select *, left(forename, 1) as forename_initial, left(surname, 1) as surname_initial, hash(record_no) % 1000000 < {millionths} as is_looked_at
from name_row
"""


def lay_out(session: duckdb.DuckDBPyConnection, policy: Policy, night: date, folder: Path) -> None:
    """Make `frame_pair` and `unit`, described in `frames.sql`, from the tables of `evidence` and the night's edges and links.

    Args:
        night: the night that was linked last, whose edges the warehouse holds.
        folder: private folder for files on their way from the database.

    Raises:
        LinkageFault: the pairs could not be compared.
        DatabaseFault: the database could not be read.
    """
    _load_edges(session, folder)
    load_links(session, night, folder)
    with clean_duckdb_errors("compare records on wider rules"):
        _compare_anew(session, policy)
    with clean_duckdb_errors("lay out the pairs for review"):
        session.execute(Path(__file__).with_name("frames.sql").read_text(encoding="utf-8")).fetchall()


def _load_edges(session: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make `night_edge` (record_l, record_r, match_weight, match_probability, level) of the edges that stand."""
    from psycopg import sql

    path = folder / "edge.csv"
    with clean_errors("read the night's edges"), connect("linker") as connection:
        copy_out(connection, sql.SQL("select record_key_l, record_key_r, match_weight, match_probability, level from linkage.edge"), path)
    columns = "{'key_l': 'uuid', 'key_r': 'uuid', 'match_weight': 'double', 'match_probability': 'double', 'level': 'int'}"
    with clean_duckdb_errors("read the night's edges"):
        session.execute(
            f"""
            create or replace table night_edge as
            select least(l.record_no, r.record_no) as record_l, greatest(l.record_no, r.record_no) as record_r,
                e.match_weight, e.match_probability, e.level
            from read_csv({quoted(path)}, header = true, columns = {columns}) as e
            inner join record as l on l.record_key = e.key_l inner join record as r on r.record_key = e.key_r
            """
        ).fetchall()


def _compare_anew(session: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Make `named_edge` of a share of the named records against all, on the night's rules and wider ones, from FLOOR bits on."""
    session.execute(WIDE_ROWS.format(millionths=MILLION)).fetchall()
    rules = (*NAMED_RULES, *WIDER_RULES)
    millionths = min(MILLION, max(1, COMPARED_PAIRS * MILLION // max(sum(pairs_within(session, rule, "wide_row") for rule in rules), 1)))
    session.execute(WIDE_ROWS.format(millionths=millionths)).fetchall()
    session.execute("set variable counted_share = ?::double", [millionths / MILLION]).fetchall()
    session.execute("set variable named_rules = ?::int", [len(NAMED_RULES)]).fetchall()
    session.execute("set variable inclusive = ?::double", [policy.named.match_weight["inclusive"]]).fetchall()
    (records,) = one_row(session, "select count(distinct record_no) from name_row")
    session.execute(PAIRS.format(into="wide_pair")).fetchall()
    if records > 1:
        looked_at = [f"{rule} and l.is_looked_at" for rule in rules]
        prior = min(policy.named.matches_per_record / records, 0.5)
        scorer(session, "review", load_model(policy.named.model), looked_at, [("wide_row",)], ["wide_row"], prior).predict(FLOOR, "wide_pair")
    session.execute(f"create or replace table named_pair as select *, '{policy.named.model}' as model from wide_pair").fetchall()
    named.find_edges(session, policy)
