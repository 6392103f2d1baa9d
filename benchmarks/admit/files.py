"""Make the files the admission benchmark loads: as many rows as wanted, from the synthetic population's own rows.

The generator's first night of a feed is repeated with new client numbers until there are enough rows, so that lengths, empty
columns and codes are as in a real extract. One row in a hundred is spoilt: nine of ten by a value that breaks a rule, the
tenth by a missing last field.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.contracts.load import load_contract
from warehouse.synth.generate import FIRST_NIGHT

BASE_PEOPLE = 200_000
# One row in SPOILT_EVERY breaks a rule, one in MALFORMED_EVERY has too few fields.
SPOILT_EVERY, MALFORMED_EVERY = 111, 1_000
CHANGED_EVERY = 100


@dataclass(frozen=True)
class Shape:
    """A file to make: of which table, which column tells its people apart, which to spoil (and how), which to change for a second delivery."""

    name: str
    feed: str
    table: str
    person: str
    spoilt: str
    bad: str
    changed: str
    changed_to: tuple[str, str]


SHAPES = {
    "narrow": Shape("narrow", "benefits", "claimants", "CLAIMANT_ID", "SEX", "Q", "LAD_CODE", ("E06000001", "E06000002")),
    "ndtms": Shape("ndtms", "treatment", "ndtms", "CLIENTID", "SEX", "Q", "ACCMNEED", ("1", "2")),
}


def base_population(folder: Path) -> Path:
    """The synthetic population the files are made from, generated once."""
    if not (folder / "inbox").exists():
        command = [sys.executable, "-m", "warehouse", "generate", "--people", str(BASE_PEOPLE), "--seed", "5", "--out", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "inbox" / FIRST_NIGHT.isoformat()


def make(shape: Shape, rows: int, base: Path, out: Path, changed: bool = False, malformed: bool = True) -> Path:
    """Write one file of a shape.

    Args:
        base: the inbox of the base population.
        out: the feed's folder in an inbox.
        changed: give one row in a hundred another value, as a second delivery.
        malformed: let one row in a thousand lack its last field, which a plain copy cannot load.
    """
    contract = load_contract(shape.feed)
    table = contract.tables[shape.table]
    (source,) = (base / shape.feed).glob(table.file)
    night = "20261102" if changed else "20261101"
    out.mkdir(parents=True, exist_ok=True)
    target = out / table.file.replace("*", f"_{night}")
    delimiter = contract.format.delimiter
    is_short = f"place % {MALFORMED_EVERY} = 7" if malformed else "false"
    with duckdb.connect() as session:
        session.execute("set threads = 2; set memory_limit = '2GB'")
        columns = ", ".join(f"'{c.name}': 'varchar'" for c in table.columns)
        reader = f"read_csv('{source}', header = true, delim = '{delimiter}', auto_detect = false, quote = '\"', nullstr = '', columns = {{{columns}}})"
        session.execute(f"create table base as select *, row_number() over () as base_row from {reader}")
        (count,) = session.execute("select count(*) from base").fetchone() or (0,)
        copies = -(-rows // count)
        values = ", ".join(_value(shape, c.name, changed) for c in table.columns)
        header = delimiter.join(c.name for c in table.columns)
        target.write_text(header + "\n", encoding="utf-8")
        for copy in range(copies):
            part = target.with_suffix(".part")
            session.execute(f"""
                copy (
                    select case when {is_short} then regexp_replace(line, '[{delimiter}][^{delimiter}]*$', '') else line end
                    from (
                        select place, concat_ws('{delimiter}', {values}) as line
                        from (select *, {copy} as copy, {copy} * {count} + base_row as place from base)
                    )
                    where place <= {rows}
                ) to '{part}' (format csv, header false, delimiter '\x1e', quote '')
            """)
            with part.open("rb") as written, target.open("ab") as whole:
                shutil.copyfileobj(written, whole, 1 << 20)
            part.unlink()
    return target


def _value(shape: Shape, column: str, changed: bool) -> str:
    text = f'"{column}"'
    if column == shape.person:
        return f"{text} || copy"
    if column == shape.spoilt:
        text = f"case when place % {SPOILT_EVERY} = 5 then '{shape.bad}' else {text} end"
    if column == shape.changed and changed:
        first, second = shape.changed_to
        text = f"case when place % {CHANGED_EVERY} = 3 then case when {text} = '{first}' then '{second}' else '{first}' end else {text} end"
    return f"coalesce({text}, '')"
