"""Helpers of the drift tests: a small contract, thresholds of their own, and checkpoints with given rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import duckdb

from warehouse.contracts.model import Contract, Table
from warehouse.contracts.thresholds import CHECKS, COLUMNS, Check

SQL_TYPES = {"text": "varchar", "code": "varchar", "integer": "integer", "date": "date", "flag": "boolean"}
# What the drift tests rely on; every other check has some valid row.
OWN_THRESHOLDS = """
*,*,*,row_count_change,0.5,refuse,because
*,*,*,failing_floor,10,,because
*,*,*,wrong_period,30,refuse,because
*,*,*,missing_column,,refuse,because
visits,visits,NOTE,missing_column,,warn,because
*,*,*,new_column,,warn,because
*,*,*,renamed_column,,refuse,because
*,*,*,duplicated_column,,refuse,because
*,*,*,reordered_columns,,warn,because
*,*,*,retyped_column,0.5,refuse,because
*,*,*,new_code,5,warn,because
*,*,*,completeness_change,0.2,warn,because
visits,visits,NOTE,completeness_change,,ignore,because
*,*,*,code_mix_change,0.25,warn,because
*,*,*,share_floor,100,,because
*,*,*,history_deliveries,3,,because
"""
SOME_VALUE = {"share": "0.5", "times": "2", "count": "20", "none": ""}


def some_row(name: str, check: Check) -> str:
    """A valid row of a check for all feeds."""
    return f"*,*,*,{name},{SOME_VALUE[check.unit]},{check.policies[0] if check.policies else ''},because"


def own_thresholds_text() -> str:
    """A thresholds file for the drift tests."""
    others = [some_row(name, check) for name, check in CHECKS.items() if f"*,*,*,{name}," not in OWN_THRESHOLDS]
    return "\n".join([",".join(COLUMNS), *OWN_THRESHOLDS.split(), *others]) + "\n"


def visits(kind: Literal["snapshot", "changes"] = "snapshot") -> Contract:
    """A feed of one table; with a change type where it delivers changes."""
    change = [{"name": "CHANGE_TYPE", "type": "code", "codes": "change_type", "role": "change_type", "required": True, "description": "What happened"}]
    columns: list[dict[str, Any]] = [
        {"name": "VISIT", "type": "text", "role": "agency_id", "required": True, "description": "Visit"},
        {"name": "SURNAME", "type": "text", "role": "surname", "description": "Surname"},
        {"name": "SEEN", "type": "date", "description": "Day of the visit"},
        {"name": "NEXT", "type": "date", "ahead": True, "description": "Day of the next one"},
        {"name": "ANSWER", "type": "code", "codes": "answer", "description": "Answer"},
        {"name": "HAPPY", "type": "flag", "description": "Happy"},
        {"name": "NOTE", "type": "text", "description": "Note"},
    ]
    values = {
        "feed": "visits", "title": "Visits", "owner": "visits@example.org", "description": "Visits", "source": "made up",
        "delivery": {"kind": kind, "cadence": "daily", "late_after_days": 1},
        "format": {"encoding": "utf-8", "delimiter": ",", "null_tokens": [""], "date_format": "YYYY-MM-DD"},
        "code_lists": {"change_type": {"I": "Insert", "D": "Delete"}, "answer": {"DRG": "Drug", "ALC": "Alcohol", "NO": "None"}},
        "tables": {
            "visits": {"file": "visits*.csv", "grain": "visit", "keys": {"row_key": ["VISIT"]}, "columns": (change if kind == "changes" else []) + columns}
        },
    }  # fmt: skip
    return Contract.model_validate(values)


def checkpoint(folder: Path, table: Table, rows: list[dict[str, Any]], unreadable: dict[str, int] | None = None) -> tuple[Path, Path]:
    """The rows and violations of a checkpoint.

    Args:
        unreadable: how many rows break each rule, such as `{"seen.type": 30}`.
    """
    typed = [("_row_number", "bigint"), ("_withheld", "boolean"), ("_deleted", "boolean"), *((c.field, SQL_TYPES[c.type]) for c in table.columns)]
    connection = duckdb.connect()
    connection.execute(f"create table rows ({', '.join(f'{name} {kind}' for name, kind in typed)})")
    blank = {"_withheld": False, "_deleted": False}
    values = [[{"_row_number": n, **blank, **row}.get(name) for name, _ in typed] for n, row in enumerate(rows, start=1)]
    if values:
        connection.executemany(f"insert into rows values ({', '.join('?' * len(typed))})", values)
    connection.execute("create table violations (_row_number bigint, rule varchar)")
    for rule, count in (unreadable or {}).items():
        connection.execute("insert into violations select i + 1, ? from range(?) as r(i)", [rule, count])
    paths = folder / "visits.rows.parquet", folder / "visits.violations.parquet"
    for name, path in zip(("rows", "violations"), paths, strict=True):
        connection.execute(f"copy {name} to '{path}' (format parquet)")
    return paths
