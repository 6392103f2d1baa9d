"""How right a night's links were, against a known truth, beside a plain baseline measured on the same records.

Only a synthetic population has a truth: `records.csv` (feed, agency_record_id, true_person_id) and `people.csv` (true_person_id,
dob, sex, ethnic) of `warehouse generate`. What is measured stands in `sql/accuracy.sql`, the same by group of people in
`sql/accuracy_groups.sql`, the baseline (initials, date of birth, sex and district, all the same) in `sql/baseline.sql`. Links
that people have judged are compared in `labels`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
from warehouse.link.models import Certainty
from warehouse.link.persons import MODELLED
from warehouse.link.score import LEVELS
from warehouse.link.transfer import copy_out
from warehouse.link.workspace import duckdb_session, one_row, private_folder, quoted, run_script

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Measure:
    """One measured share or count; `kind` and `of_kind` name the group of people it is about ('sex', 'F'), empty for all."""

    metric: str
    value: float
    kind: str = ""
    of_kind: str = ""

    @property
    def name(self) -> str:
        """The measure with its group, such as `named_pair_recall (sex F)`."""
        return f"{self.metric} ({self.kind} {self.of_kind})" if self.kind else self.metric


def evaluate(night: date, truth_dir: Path) -> dict[str, float]:
    """Measure the links of a night and keep the result in `ops.linkage_metric`, under names that begin with `truth_`.

    The links of each certainty are measured: those that are modelled under the plain name, the others as if strict and inclusive
    were groups of the kind `certainty`. Kinds and groups stand in feed_a and feed_b.

    Args:
        truth_dir: the folder with `records.csv` and `people.csv`; records it does not know are left out.

    Returns:
        Each measure by its name with its group, without the prefix; precision and recall lie between 0 and 1.

    Raises:
        LinkageFault: there is no truth in the folder, or the night has not been linked.
        DatabaseFault: the warehouse could not be read.
    """
    records, people = truth_dir / "records.csv", truth_dir / "people.csv"
    if not records.is_file():
        raise LinkageFault("The truth folder holds no records.csv. Give the 'truth' folder that `warehouse generate` wrote")
    contracts = all_contracts()
    measures: list[Measure] = []
    with private_folder("evaluate") as folder, duckdb_session(folder / "spill") as session:
        with clean_duckdb_errors("read the linked records"):
            extract.from_vault(session, contracts, night, folder)
            evidence.build(session, night)
            load_agency_ids(session, contracts, folder)
        for certainty in LEVELS:
            load_links(session, night, folder, certainty)
            with clean_duckdb_errors("compare the links with the truth"):
                measured = compare(session, records)
                if certainty == MODELLED:
                    measures += [Measure(metric, value) for metric, value in measured.items()]
                    measures += compare_groups(session, people, night) if people.is_file() else []
                else:
                    measures += [Measure(metric, value, "certainty", certainty) for metric, value in measured.items() if "baseline" not in metric]
    keep(night, TRUTH_PREFIX, measures)
    return {measure.name: measure.value for measure in measures}


def compare(session: duckdb.DuckDBPyConnection, records: Path) -> dict[str, float]:
    """Measure `person_node` (record_no, feed, cluster_no) against the truth file, with `agency_id` to join on.

    Needs the tables of `evidence`. Measures that have no cases are left out.
    """
    session.execute(
        f"""
        create or replace table truth_record as
        select feed, agency_record_id, true_person_id from read_csv({quoted(records)}, header = true, all_varchar = true);
        create or replace table truth_no as
        select true_person_id, (row_number() over (order by true_person_id))::int as true_no from (select distinct true_person_id from truth_record);
        create or replace table truth as
        select r.record_no, min(t.true_no) as true_no
        from truth_record as p inner join truth_no as t using (true_person_id)
        inner join agency_id as a on a.feed = p.feed and a.agency_key = p.agency_record_id
        inner join record as r using (record_key)
        group by r.record_no
        """
    ).fetchall()
    run_script(session, "accuracy.sql")
    run_script(session, "baseline.sql")
    rows = session.execute("select metric, value from accuracy union all select metric, value from baseline").fetchall()
    return {metric: value for metric, value in rows if value is not None}


def compare_groups(session: duckdb.DuckDBPyConnection, people: Path, night: date) -> list[Measure]:
    """Measure the same by sex, age band, ethnic group and births recorded on 1 January, after `compare`.

    Args:
        people: the truth's file of people.
        night: the day on which people have their age.
    """
    session.execute(f"set variable night = date '{night.isoformat()}'").fetchall()
    session.execute(f"create or replace table person as select * from read_csv({quoted(people)}, header = true, all_varchar = true)").fetchall()
    run_script(session, "accuracy_groups.sql")
    rows = session.execute("select metric, value, kind, of_kind from group_accuracy order by metric, kind, of_kind").fetchall()
    return [Measure(*row) for row in rows]


def load_links(session: duckdb.DuckDBPyConnection, night: date, folder: Path, certainty: Certainty) -> None:
    """Make `person_node` (record_no, feed, cluster_no) from the links as they stood after the night.

    Raises:
        LinkageFault: there are none.
    """
    from psycopg import sql

    query = sql.SQL(
        "select record_key, feed, dense_rank() over (order by person_id) as cluster_no from linkage.person_link"
        " where certainty = {certainty} and _valid_from <= {night} and (_valid_to is null or _valid_to > {night})"
    ).format(night=sql.Literal(night), certainty=sql.Literal(certainty))
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


def load_agency_ids(session: duckdb.DuckDBPyConnection, contracts: Iterable[Contract], folder: Path) -> None:
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


def keep(night: date, prefix: str, measures: Iterable[Measure]) -> None:
    """Keep measures in `ops.linkage_metric` in place of the night's earlier ones whose names begin with `prefix`.

    Raises:
        DatabaseFault: the database refused.
    """
    with clean_errors("keep the measured accuracy"), connect("linker") as connection, connection.cursor() as cursor:
        cursor.execute("delete from ops.linkage_metric where night = %s and starts_with(metric, %s)", [night, prefix])
        cursor.executemany(
            "insert into ops.linkage_metric (night, metric, feed_a, feed_b, value) values (%s, %s, %s, %s, %s)",
            [(night, prefix + measure.metric, measure.kind, measure.of_kind, measure.value) for measure in measures],
        )
