"""Link and score any two files of person records, or find the duplicates of one: `warehouse linkage score`.

The files need no contract and never touch the warehouse: a mapping says which column plays which role. The records are
standardised by the rules of the night and compared at the same levels; because their population is not the one that the
saved models know, the model is trained on the files themselves, without their truth. The threshold is fixed beforehand.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.link import comparisons
from warehouse.link.blocking import same
from warehouse.link.comparisons import Comparison
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.file_mapping import TEXT_ROLES, Mapping
from warehouse.link.models import policy
from warehouse.link.score_files_minimal import predict_minimal
from warehouse.link.splinking import quiet
from warehouse.link.training import Plan, trained
from warehouse.link.workspace import NICKNAMES, duckdb_session, one_row, private_folder, quoted, run_script

if TYPE_CHECKING:
    import duckdb

# Weight in bits from which two records are linked: the odds are then 20 to 1 and more (p >= 0.95).
THRESHOLD = 4.25
# Share of the true pairs that agree on a number, or on names and date of birth: sets the prior from the files themselves.
AGREEING_SHARE = 0.9
SEED = 1
RANDOM_PAIRS = 1e6

FILE_ROWS = """
create or replace table file_row as
select
    (row_number() over (order by f.side, f.id))::int as row_id,
    f.*,
    coalesce(k.name_group, f.forename)  as forename_group,
    sound_key(f.forename)               as forename_sound,
    sound_key(f.surname)                as surname_sound,
    left(f.dob, 4)                      as birth_year,
    substr(f.dob, 6)                    as birth_day
from file_record as f
left join nickname as k on k.name = f.forename and k.sex = coalesce(f.sex, 'M')
"""


def score_files(
    left: Path,
    right: Path | None,
    mapping: Mapping,
    truth: Path | None = None,
    minimal: bool = False,
    threshold: float | None = None,
    out: Path | None = None,
) -> dict[str, float]:
    """Link two CSV files, or find the duplicates of one, and compare the links with the truth.

    Args:
        left: CSV file with a header, one row a person record.
        right: the file to link it to; None to find the duplicates of `left`.
        truth: CSV file whose first two columns are ids of records of one person; None where the mapping's `same_person` says.
        minimal: use of the left file initials, date of birth, sex and the coarse part of the postcode alone, and link its
            records to those of the right file as the night links clients to persons (see `score_files_minimal`).
        threshold: weight in bits from which two records are linked, THRESHOLD by default; the minimal mode has the policy's.
        out: file for the links (id_l, id_r, match_weight), readable by its owner only.

    Returns:
        records, true_pairs, links, right_links, precision, recall, f1, and missed_by_blocking: the share of true pairs never
        compared. Without a truth, records and links alone.

    Raises:
        LinkageFault: a file lacks a column, ids repeat, the truth has no pair, or minimal scoring lacks the right file.
    """
    if minimal and right is None:
        raise LinkageFault("Minimal identifiers are scored against persons: give the file of the persons as the right one")
    linking = right is not None
    with private_folder("score-files") as folder, duckdb_session(folder / "spill") as session:
        with clean_duckdb_errors("read the files"):
            load(session, left, right, mapping)
        if minimal:
            with clean_duckdb_errors("score the files by minimal identifiers"):
                predict_minimal(session, mapping, policy().certainty)
        else:
            predict(session, mapping, linking, THRESHOLD if threshold is None else threshold)
        with clean_duckdb_errors("compare the links with the truth"):
            measured = compare(session, mapping, truth, linking)
            if out is not None:
                links = "select id_l, id_r, match_weight from file_link order by match_weight desc, id_l, id_r"
                session.execute(f"copy ({links}) to {quoted(folder / 'links.csv')} (header)").fetchall()
                out.touch()
                out.chmod(0o600)
                shutil.copyfile(folder / "links.csv", out)
    return measured


def load(session: duckdb.DuckDBPyConnection, left: Path, right: Path | None, mapping: Mapping) -> None:
    """Make `file_row`: one standardised row per record, with its side ('left' or 'right') and id.

    Raises:
        LinkageFault: a file lacks a mapped column, or ids repeat.
    """
    session.execute(f"create or replace table nickname as select * from read_csv({quoted(NICKNAMES)}, header = true, all_varchar = true)").fetchall()
    run_script(session, "standardise.sql")
    sides = {"left": left} | ({"right": right} if right is not None else {})
    selects = [_standardised(session, side, path, mapping) for side, path in sides.items()]
    session.execute(f"create or replace table file_record as {' union all by name '.join(selects)}").fetchall()
    if one_row(session, "select count(*) > count(distinct (side, id)) from file_record") == (True,):
        raise LinkageFault(f"The ids in column {mapping.id} are not unique within their file")
    session.execute(FILE_ROWS).fetchall()


def _standardised(session: duckdb.DuckDBPyConnection, side: str, path: Path, mapping: Mapping) -> str:
    """The query that standardises one file."""
    read = f"read_csv({quoted(path)}, header = true, all_varchar = true)"
    present = {name for (name, *_) in session.execute(f"describe select * from {read}").fetchall()}
    columns = {role: mapping.column(role, side) for role in ("id", "dob", *TEXT_ROLES)}
    texts = {f"text_{place}": text for place, text in enumerate(mapping.texts, start=1)}
    missing = sorted({column for column in [*columns.values(), *texts.values()] if column} - present)
    if missing:
        raise LinkageFault(f"{path.name} has no column {', '.join(missing)}")

    def value(role: str) -> str:
        return f'"{columns[role]}"' if columns[role] else "null::varchar"

    pattern, iso = mapping.date_pattern()
    postcode = "clean_postcode" if mapping.uk else "letters_and_digits"
    cleaned = [
        f"'{side}' as side",
        f"trim({value('id')}) as id",
        *[f"clean_name({value(role)}) as {role}" for role in ("forename", "surname", "middle_name")],
        f"case when regexp_matches({value('dob')}, '{pattern}') then regexp_replace({value('dob')}, '{pattern}', '{iso}') end as dob",
        f"clean_sex({value('sex')}) as sex",
        f"nullif({postcode}({value('postcode')}), '') as postcode",
        f"nullif(letters_and_digits({value('number')}), '') as number",
        *[f"nullif(letters_and_digits(\"{column}\"), '') as {name}" for name, column in texts.items()],
    ]
    return f"select {', '.join(cleaned)} from {read}"


def compared(mapping: Mapping) -> tuple[Comparison, ...]:
    """The comparisons of the roles that the mapping knows."""
    return (
        comparisons.FORENAME, comparisons.SURNAME, comparisons.DATE_OF_BIRTH,
        *([comparisons.SEX] if mapping.sex else []),
        *([comparisons.words("postcode")] if mapping.postcode else []),
        *([comparisons.number("number")] if mapping.number else []),
        *[comparisons.words(f"text_{place}") for place, _ in enumerate(mapping.texts, start=1)],
    )  # fmt: skip


def blocking_rules(mapping: Mapping) -> list[str]:
    """The pairs worth a look: a rare agreement, or two others."""
    texts = [f"text_{place}" for place, _ in enumerate(mapping.texts, start=1)]
    return [
        *([same("number")] if mapping.number else []),
        same("dob"),
        same("forename_group", "surname_sound"),
        "l.forename = r.surname and l.surname = r.forename",
        *[same(place, name) for place in (["postcode"] if mapping.postcode else []) + texts for name in ("forename_group", "surname_sound", "birth_day")],
    ]


def predict(session: duckdb.DuckDBPyConnection, mapping: Mapping, linking: bool, threshold: float) -> None:
    """Train on `file_row` and make `file_pair` (id_l, id_r, match_weight), every compared pair, and `file_link`, the linked ones."""
    sides = ("left", "right") if linking else ("left",)
    for side in sides:
        session.execute(f"create or replace temp view file_{side} as select * from file_row where side = '{side}'").fetchall()
    tables = {side: f"file_{side}" for side in sides}
    agreeing = [*([same("number")] if mapping.number else []), same("forename", "surname", "dob")]
    sessions = [same("number") if mapping.number else same("dob"), same("surname", "dob"), same("forename", "surname")]
    plan = Plan("a model of the files", tables, compared(mapping), blocking_rules(mapping), sessions, "link_only" if linking else "dedupe_only", 1e-4)
    linker = trained(session, plan, SEED, RANDOM_PAIRS, agreeing, AGREEING_SHARE)
    with quiet(), clean_duckdb_errors("compare the records"):
        scored = linker.inference.predict(warning_mode="never")
        session.execute(
            f"""
            create or replace table file_pair as
            select l.id as id_l, r.id as id_r, max(p.match_weight) as match_weight
            from {scored.physical_name} as p
            inner join file_row as l on l.row_id = p.row_id_l inner join file_row as r on r.row_id = p.row_id_r
            group by all
            """
        ).fetchall()
    session.execute(f"create or replace table file_link as select * from file_pair where match_weight >= {threshold}").fetchall()


def compare(session: duckdb.DuckDBPyConnection, mapping: Mapping, truth: Path | None, linking: bool) -> dict[str, float]:
    """Measure `file_link` against the truth: see `score_files`."""
    records, links = one_row(session, "select (select count(*) from file_row), (select count(*) from file_link)")
    if truth is None and mapping.same_person is None:
        return {"records": records, "links": links}
    _load_truth(session, mapping, truth, linking)
    true_pairs, right, reached = one_row(
        session,
        """
        select (select count(*) from true_pair), (select count(*) from file_link semi join true_pair using (id_l, id_r)),
            (select count(*) from file_pair semi join true_pair using (id_l, id_r))
        """,
    )
    if not true_pairs:
        raise LinkageFault("The truth holds no pair of records of these files")
    precision = right / links if links else 0.0
    recall = right / true_pairs
    return {
        "records": records,
        "true_pairs": true_pairs,
        "links": links,
        "right_links": right,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if right else 0.0,
        "missed_by_blocking": 1 - reached / true_pairs,
    }


def _load_truth(session: duckdb.DuckDBPyConnection, mapping: Mapping, truth: Path | None, linking: bool) -> None:
    """Make `true_pair` (id_l, id_r), in the order in which pairs are compared."""
    if truth is not None:
        names = [name for (name, *_) in session.execute(f"describe select * from read_csv({quoted(truth)}, header = true, all_varchar = true)").fetchall()]
        pairs = f'select trim("{names[0]}") as id_a, trim("{names[1]}") as id_b from read_csv({quoted(truth)}, header = true, all_varchar = true)'
    else:
        session.execute("set variable same_person = ?", [mapping.same_person]).fetchall()
        person = "(select id, side, row_id, regexp_extract(id, getvariable('same_person')) as person from file_row)"
        order = "a.side < b.side" if linking else "a.row_id < b.row_id"
        pairs = f"select a.id as id_a, b.id as id_b from {person} as a inner join {person} as b on a.person = b.person and {order}"
    either_way = "" if linking else " union select id_b, id_a from given"
    session.execute(
        f"""
        create or replace table true_pair as
        with given as ({pairs}),
        turned as (select id_a, id_b from given{either_way})
        select distinct t.id_a as id_l, t.id_b as id_r
        from turned as t
        inner join file_row as l on l.id = t.id_a inner join file_row as r on r.id = t.id_b
        where {"l.side = 'left' and r.side = 'right'" if linking else "l.row_id < r.row_id"}
        """
    ).fetchall()
