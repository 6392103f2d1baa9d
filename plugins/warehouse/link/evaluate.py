"""How right a night's links were, against a known truth, beside a plain baseline measured on the same records.

Only a synthetic population has a truth (`records.csv` of `warehouse generate`: feed, agency_record_id, true_person_id). What
is measured stands in `sql/accuracy.sql`, the baseline (initials, date of birth, sex and district, all the same) in
`sql/baseline.sql`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.contracts.zones import vault_grain
from warehouse.database import clean_errors, connect
from warehouse.link import evidence, extract
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.metrics import TRUTH_PREFIX
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import duckdb_session, one_row, private_folder, quoted, run_script

if TYPE_CHECKING:
    import duckdb


def evaluate(night: date, truth_dir: Path) -> dict[str, float]:
    """Measure the links of a night and keep the result in `ops.linkage_metric`, under names that begin with `truth_`.

    Args:
        truth_dir: the folder with `records.csv`; records it does not know are left out.

    Returns:
        Each measure by its name, without the prefix; precision and recall lie between 0 and 1.

    Raises:
        LinkageFault: there is no truth in the folder, or the night has not been linked.
        DatabaseFault: the warehouse could not be read.
    """
    records = truth_dir / "records.csv"
    if not records.is_file():
        raise LinkageFault("The truth folder holds no records.csv. Give the 'truth' folder that `warehouse generate` wrote")
    contracts = all_contracts()
    with private_folder("evaluate") as folder, duckdb_session(folder / "spill") as session:
        with clean_duckdb_errors("read the linked records"):
            extract.from_vault(session, contracts, night, folder)
            evidence.build(session, night)
            _load_links(session, night, folder)
            _load_agency_ids(session, contracts, folder)
        with clean_duckdb_errors("compare the links with the truth"):
            measured = compare(session, records)
    _keep(night, measured)
    return measured


def compare(session: duckdb.DuckDBPyConnection, records: Path) -> dict[str, float]:
    """Measure `person_node` (record_no, feed, cluster_no) against the truth file, with `agency_id` to join on.

    Needs the tables of `evidence`. Measures that have no cases are left out.
    """
    session.execute(
        f"""
        create or replace table truth as
        with person as (
            select feed, agency_record_id, dense_rank() over (order by true_person_id) as true_no
            from read_csv({quoted(records)}, header = true, all_varchar = true)
        )
        select r.record_no, min(p.true_no)::int as true_no
        from person as p
        inner join agency_id as a on a.feed = p.feed and a.agency_key = p.agency_record_id
        inner join record as r using (record_key)
        group by r.record_no
        """
    ).fetchall()
    run_script(session, "accuracy.sql")
    run_script(session, "baseline.sql")
    rows = session.execute("select metric, value from accuracy union all select metric, value from baseline").fetchall()
    return {metric: value for metric, value in rows if value is not None}


def _load_links(session: duckdb.DuckDBPyConnection, night: date, folder: Path) -> None:
    """Make `person_node` from the links as they stood after the night.

    Raises:
        LinkageFault: there are none.
    """
    from psycopg import sql

    query = sql.SQL(
        "select record_key, feed, dense_rank() over (order by person_id) as cluster_no from linkage.person_link"
        " where _valid_from <= {night} and (_valid_to is null or _valid_to > {night})"
    ).format(night=sql.Literal(night))
    path = folder / "link.csv"
    with clean_errors("read the links"), connect("linker") as connection:
        copy_out(connection, query, path)
    session.execute(
        f"""
        create or replace table person_node as
        select r.record_no, l.feed, l.cluster_no
        from read_csv({quoted(path)}, header = true, columns = {{'record_key': 'uuid', 'feed': 'varchar', 'cluster_no': 'int'}}) as l
        inner join record as r using (record_key)
        """
    ).fetchall()
    if one_row(session, "select count(*) from person_node") == (0,):
        raise LinkageFault(f"The night {night.isoformat()} has not been linked, so there is nothing to evaluate")


def _load_agency_ids(session: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], folder: Path) -> None:
    """Make `agency_id` (record_key, feed, agency_key) from the vault: the agency's own id of each record."""
    from psycopg import sql

    session.execute(extract.AGENCY_ID).fetchall()
    main = [(contract.feed, table) for contract in contracts for table in contract.tables.values() if vault_grain(contract, table) == "record"]
    with clean_errors("read the agencies' record ids"), connect("linker") as connection:
        for feed, table in sorted(main, key=lambda pair: pair[1].relation):
            if connection.execute("select to_regclass(%s)", [f"vault.{table.relation}"]).fetchone() == (None,):
                continue
            key = sql.SQL(", ").join(sql.Identifier(column.field) for column in table.key_columns("record_key"))
            query = sql.SQL("select distinct record_key, concat_ws('|', {}) as agency_key from {}").format(key, sql.Identifier("vault", table.relation))
            path = folder / f"{table.relation}.csv"
            copy_out(connection, query, path)
            columns = "{'record_key': 'uuid', 'agency_key': 'varchar'}"
            session.execute(
                f"insert into agency_id select record_key, ?, agency_key from read_csv({quoted(path)}, header = true, columns = {columns})", [feed]
            ).fetchall()


def _keep(night: date, measured: dict[str, float]) -> None:
    with clean_errors("keep the measured accuracy"), connect("linker") as connection, connection.cursor() as cursor:
        cursor.execute("delete from ops.linkage_metric where night = %s and starts_with(metric, %s)", [night, TRUTH_PREFIX])
        cursor.executemany(
            "insert into ops.linkage_metric (night, metric, value) values (%s, %s, %s)",
            [(night, TRUTH_PREFIX + name, value) for name, value in measured.items()],
        )
