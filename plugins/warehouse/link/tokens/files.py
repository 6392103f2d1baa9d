"""Tokenise a delivery: read an agency's files by its contract, replace identifiers by tokens, write the files to send.

Runs at the agency, in DuckDB, on whole columns. Only columns of the contract leave; a row whose consent is withheld leaves with
what the contract says may be kept. Clear values are held in memory and in a private folder that is removed.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit.files import to_utf8
from warehouse.contracts.ddl import literal
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.zones import vault_grain
from warehouse.link.errors import clean_duckdb_errors
from warehouse.link.tokens import contract as layout
from warehouse.link.tokens.clean import agency_key, clean, cleaned, column_of, measure, text_of
from warehouse.link.tokens.key import give_key, token_set
from warehouse.link.workspace import NICKNAMES, duckdb_session, one_row, quoted, run_script

if TYPE_CHECKING:
    import duckdb

TOKENS_SQL = Path(__file__).with_name("sql")


class TokeniseError(ValueError):
    """The files are not what the contract describes. The message names files and columns, never a value."""


@dataclass(frozen=True)
class Tokenised:
    """What became of one file: where it was written, its rows, and for each identifier how many values were given and usable."""

    path: Path
    rows: int
    identifiers: dict[str, tuple[int, int]]


def tokenise(contract: Contract, files: Path, out: Path, key: bytes, night: date, letter_pairs: bool = True) -> list[Tokenised]:
    """Write a delivery's files with tokens in place of identifiers, under the same names and with their rows in the same order.

    Args:
        contract: of the clear columns.
        files: the delivery's folder, or one file of it. In a folder, further names of a record without a date of birth or sex of
            their own borrow the record's.
        out: folder to write to; not the one read from.
        key: what the agencies share.
        night: the date the data are as at; dates of birth after it are not used.
        letter_pairs: whether names have codes of their pairs of letters, without which misspelt names agree by their sound alone.

    Raises:
        TokeniseError: no file is there, a file lacks columns, or the output would overwrite the input.
        LinkageFault: DuckDB could not read a file or write one.
    """
    folder = files if files.is_dir() else files.parent
    if out.resolve() == folder.resolve():
        raise TokeniseError("The tokenised files must go to another folder than the clear ones lie in")
    found = list(_files(contract, files))
    if not found:
        raise TokeniseError(f"No file fits a file pattern of {contract.feed}: {', '.join(table.file for table in contract.tables.values())}")
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="tokenise-") as name, duckdb_session(Path(name) / "spill") as session:
        prepare(session, key, night, letter_pairs)
        mark = token_set(key, letter_pairs)
        return [_tokenise_file(session, contract, table, out / path.name, mark) for table, path in _read_all(session, contract, found, Path(name))]


def prepare(session: duckdb.DuckDBPyConnection, key: bytes, night: date, letter_pairs: bool = True) -> None:
    """Give a session the key and what standardises and encodes identifiers."""
    with clean_duckdb_errors("prepare the tokens"):
        session.execute(f"set variable night = date '{night.isoformat()}'; set variable letter_pairs = {letter_pairs}").fetchall()
        session.execute(f"create or replace table nickname as select * from read_csv({quoted(NICKNAMES)}, header = true, all_varchar = true)").fetchall()
        give_key(session, key)
        run_script(session, "standardise.sql")
        run_token_script(session, "tokens.sql")


def run_token_script(session: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run one of the SQL scripts of this package."""
    session.execute((TOKENS_SQL / name).read_text(encoding="utf-8")).fetchall()


def _files(contract: Contract, files: Path) -> Iterator[tuple[Table, Path]]:
    for table in contract.tables.values():
        if files.is_dir():
            yield from ((table, path) for path in sorted(files.glob(table.file)))
        elif files.match(table.file):
            yield table, files


def _read_all(session: duckdb.DuckDBPyConnection, contract: Contract, found: list[tuple[Table, Path]], folder: Path) -> Iterator[tuple[Table, Path]]:
    """Gather what records say of themselves, if there is a table to borrow it, then read one file after the other into `delivered`."""
    session.execute("create or replace temp table known (_known_key varchar, _known_dob varchar, _known_sex varchar)").fetchall()
    lenders = [(table, path) for table, path in found if vault_grain(contract, table) == "record" and column_of(table, "dob")]
    if any(layout.has_joint(table) and vault_grain(contract, table) == "row" for table, _ in found):
        for table, path in lenders:
            _read(session, contract, table, path, folder)
            with clean_duckdb_errors(f"read the records of {table.name}"):
                dob, sex = (cleaned(contract, table, role) for role in ("dob", "sex"))
                session.execute(f"insert into known select {agency_key(table)}, min({dob}), min({sex}) from delivered where _shown group by 1").fetchall()
    for table, path in found:
        _read(session, contract, table, path, folder)
        yield table, path


def _read(session: duckdb.DuckDBPyConnection, contract: Contract, table: Table, path: Path, folder: Path) -> None:
    """Make `delivered`: the columns of the contract as text, `_row_no` counting from 1, and whether consent lets the row be `_shown`."""
    text = to_utf8(path, contract.format, folder / f"{table.name}.utf8")
    with text.open(encoding="utf-8-sig", newline="") as stream:
        header = next(csv.reader(stream, delimiter=contract.format.delimiter), [])
    columns = [column.name for column in table.columns]
    missing = [name for name in columns if header.count(name) != 1]
    if missing:
        raise TokeniseError(f"The file of {table.name} lacks columns of the contract, or has them twice: {', '.join(missing)}")
    named = ", ".join(f"{literal(name if name in columns else f'_ignored_{place}')}: 'VARCHAR'" for place, name in enumerate(header))
    form = f"delim = {literal(contract.format.delimiter)}, quote = '\"', escape = '\"'"
    reader = f"read_csv({quoted(text)}, auto_detect = false, header = false, skip = 1, columns = {{{named}}}, {form})"
    names = ", ".join(f'"{name}"' for name in columns)
    with clean_duckdb_errors(f"read the file of {table.name}: a row of it has other fields than its header"):
        session.execute(
            f"create or replace temp table delivered as select row_number() over () as _row_no, {_consent(contract)} as _shown, {names} from {reader}"
        ).fetchall()


def _consent(contract: Contract) -> str:
    """SQL for whether a row may be shown: consent is stated, and not withheld."""
    if contract.consent is None:
        return "true"
    return f"coalesce({text_of(contract, contract.consent.column)} <> {literal(contract.consent.withheld)}, false)"


def _tokenise_file(session: duckdb.DuckDBPyConnection, contract: Contract, table: Table, path: Path, mark: str) -> Tokenised:
    """Encode the table `delivered` and write it to `path`, marked by its token set."""
    identifiers: dict[str, tuple[int, int]] = {}
    with clean_duckdb_errors(f"make the tokens of {table.name}"):
        if layout.is_tokenised(table):
            clean(session, contract, table)
            run_token_script(session, "encode.sql")
            identifiers = measure(session, contract, table)
        partial = path.with_name(f"{path.name}.part")
        partial.touch(mode=0o600)
        written = _written(contract, table, mark)
        session.execute(
            f"copy ({written}) to {quoted(partial)} (format csv, header, delimiter {literal(contract.format.delimiter)}, use_tmp_file false)"
        ).fetchall()
        partial.rename(path)
        (rows,) = one_row(session, "select count(*) from delivered")
    return Tokenised(path, rows, identifiers)


def _written(contract: Contract, table: Table, mark: str) -> str:
    """The query of the file to write: kept columns, the shared year of birth, tokens."""
    kept = [_shown(contract, column.name, f'"{column.name}"') for column in layout.kept_columns(table)]
    if not layout.is_tokenised(table):
        return f"select {', '.join(kept)} from delivered order by _row_no"
    if layout.shares_birth_year(table):
        kept.append(_shown(contract, layout.YEAR_OF_BIRTH, f"left({cleaned(contract, table, 'dob')}, 4)"))
    tokens = [f'{role}_token as "{name}"' for name, role in layout.token_columns(table)]
    tokens.append(f"{literal(mark)} as {layout.TOKEN_SET}")
    return f"select {', '.join(kept + tokens)} from delivered left join encoded using (_row_no) order by _row_no"


def _shown(contract: Contract, name: str, value: str) -> str:
    """A column to write, empty where the row may not be shown unless the contract keeps it."""
    kept = contract.consent is None or name in contract.consent.keep
    return f'{value} as "{name}"' if kept else f'case when _shown then {value} end as "{name}"'
