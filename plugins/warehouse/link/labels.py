"""How right a night's links were by pairs that people have judged: `warehouse linkage evaluate --labels`.

The file has one row a pair, with a header. Records are named by their keys (record_key_l, record_key_r) or by the agencies'
own ids (feed_l, agency_id_l, feed_r, agency_id_r; the parts of an id that has several are joined by a bar). `verdict` is `same`
or `different`; other verdicts, and pairs of records that the vault does not hold, are left out.

What comes out speaks for the pairs in the file alone. Where they were picked by their weight, use the review sample's own
estimate, which knows how they were picked.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.load import all_contracts
from warehouse.link import evidence, extract
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.evaluate import Measure, keep, load_agency_ids, load_links
from warehouse.link.persons import MODELLED
from warehouse.link.score import LEVELS
from warehouse.link.workspace import duckdb_session, one_row, private_folder, quoted

if TYPE_CHECKING:
    import duckdb

LABEL_PREFIX = "labels_"
BY_KEY = {"record_key_l", "record_key_r", "verdict"}
BY_AGENCY_ID = {"feed_l", "agency_id_l", "feed_r", "agency_id_r", "verdict"}

LABELLED_BY_KEY = """
create or replace table labelled as
select l.record_no as record_l, r.record_no as record_r, lower(trim(p.verdict)) = 'same' as is_same
from label as p
inner join record as l on l.record_key = try_cast(p.record_key_l as uuid) inner join record as r on r.record_key = try_cast(p.record_key_r as uuid)
where lower(trim(p.verdict)) in ('same', 'different')
"""
LABELLED_BY_AGENCY_ID = """
create or replace table labelled as
select l.record_no as record_l, r.record_no as record_r, lower(trim(p.verdict)) = 'same' as is_same
from label as p
inner join agency_id as a on a.feed = p.feed_l and a.agency_key = p.agency_id_l inner join record as l on l.record_key = a.record_key
inner join agency_id as b on b.feed = p.feed_r and b.agency_key = p.agency_id_r inner join record as r on r.record_key = b.record_key
where lower(trim(p.verdict)) in ('same', 'different')
"""

COUNTS = """
select count(*), count(*) filter (is_same), count(*) filter (is_linked), count(*) filter (is_same and is_linked)
from (
    select p.is_same, a.cluster_no = b.cluster_no as is_linked
    from labelled as p inner join person_node as a on a.record_no = p.record_l inner join person_node as b on b.record_no = p.record_r
)
"""


def evaluate_labels(night: date, labels: Path) -> dict[str, float]:
    """Measure the links of a night on labelled pairs and keep the result in `ops.linkage_metric`, under names that begin with `labels_`.

    Args:
        labels: CSV file of pairs, as the module says.

    Returns:
        pairs, pairs_same, precision and recall on them, each for the modelled certainty under its plain name and for the others
        with the certainty beside it.

    Raises:
        LinkageFault: the file has other columns, no pair of it is in the vault, or the night has not been linked.
        DatabaseFault: the warehouse could not be read.
    """
    contracts = all_contracts()
    measures: list[Measure] = []
    with private_folder("evaluate") as folder, duckdb_session(folder / "spill") as session:
        with clean_duckdb_errors("read the linked records"):
            extract.from_vault(session, contracts, night, folder)
            evidence.build(session, night)
            load_agency_ids(session, contracts, folder)
        with clean_duckdb_errors("read the labelled pairs"):
            load_labels(session, labels)
        for certainty in LEVELS:
            load_links(session, night, folder, certainty)
            kind, of_kind = ("", "") if certainty == MODELLED else ("certainty", certainty)
            measures += [Measure(metric, value, kind, of_kind) for metric, value in measure_labels(session).items()]
    keep(night, LABEL_PREFIX, measures)
    return {measure.name: measure.value for measure in measures}


def load_labels(session: duckdb.DuckDBPyConnection, labels: Path) -> None:
    """Make `labelled` (record_l, record_r, is_same) of the pairs whose records the session knows.

    Raises:
        LinkageFault: the file has other columns, or no pair is known.
    """
    session.execute(f"create or replace table label as select * from read_csv({quoted(labels)}, header = true, all_varchar = true)").fetchall()
    columns = {name for (name, *_) in session.execute("describe label").fetchall()}
    if columns >= BY_KEY:
        session.execute(LABELLED_BY_KEY).fetchall()
    elif columns >= BY_AGENCY_ID:
        session.execute(LABELLED_BY_AGENCY_ID).fetchall()
    else:
        raise LinkageFault(f"The labels need the columns {', '.join(sorted(BY_KEY))}, or {', '.join(sorted(BY_AGENCY_ID))}")
    if one_row(session, "select count(*) from labelled") == (0,):
        raise LinkageFault("No labelled pair is one of records that the vault holds, judged same or different")


def measure_labels(session: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Compare `person_node` with `labelled`; shares that have no cases are left out."""
    pairs, same, linked, right = one_row(session, COUNTS)
    shares = {"precision": (right, linked), "recall": (right, same)}
    return {"pairs": pairs, "pairs_same": same} | {name: part / whole for name, (part, whole) in shares.items() if whole}
