"""Write rows as the agencies' files: the columns, delimiter and null token of the feed's contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract, Table
from warehouse.synth.arrays import Text
from warehouse.synth.nights import Cells


@dataclass(frozen=True)
class Layout:
    """How the file of one table is written."""

    contract: Contract
    table: Table

    @property
    def header(self) -> list[str]:
        return [column.name for column in self.table.columns]

    @property
    def null(self) -> str:
        """What stands for a missing value: the first null token of the contract."""
        return self.contract.format.null_tokens[0]

    def file_name(self, night: date) -> str:
        """Such as nominals_20261101.csv."""
        return self.table.file.replace("*", f"_{night:%Y%m%d}")

    def path(self, out: Path, night: date) -> Path:
        """Where the file of a night goes, under the folder `generate` was given."""
        return out / "inbox" / night.isoformat() / self.contract.feed / self.file_name(night)


def layouts() -> dict[tuple[str, str], Layout]:
    """The layout of every table that is written, by feed and table."""
    feeds = ("treatment", "police", "benefits", "housing", "deaths", "custody", "priority_offenders")
    return {(feed, name): Layout(contract, table) for feed in feeds for contract in [load_contract(feed)] for name, table in contract.tables.items()}


def day_of(night: int) -> date:
    """The date of a day number."""
    return date(1970, 1, 1) + timedelta(days=night)


def lines(layout: Layout, cells: Cells, count: int) -> Text:
    """The rows as lines of the file, without line ends.

    Only address lines can hold the delimiter; they are quoted where they do.
    """
    missing = pa.nulls(count, pa.string())
    columns = [_quoted(cells[name], layout.contract.format.delimiter) if name == "ADDRESS_LINE" else cells.get(name, missing) for name in layout.header]
    return pc.binary_join_element_wise(*columns, layout.contract.format.delimiter, null_handling="replace", null_replacement=layout.null)


def _quoted(values: Text, delimiter: str) -> Text:
    return pc.if_else(pc.match_substring(values, delimiter), pc.binary_join_element_wise('"', values, '"', ""), values)


def append(path: Path, texts: Text) -> None:
    """Add lines to a file that has been begun."""
    if len(texts) == 0:
        return
    ended = pc.binary_join_element_wise(texts, "", "\n")
    with path.open("ab") as stream:
        for chunk in ended.chunks if isinstance(ended, pa.ChunkedArray) else [ended]:
            stream.write(_bytes_of(chunk))


def _bytes_of(texts: Text) -> memoryview:
    """The characters of an array of text, end to end, without copying."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    begin, end = int(offsets[texts.offset]), int(offsets[texts.offset + len(texts)])
    return memoryview(texts.buffers()[2])[begin:end]


def begin(layout: Layout, path: Path) -> None:
    """Start a file anew with its header line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(layout.contract.format.delimiter.join(layout.header) + "\n", encoding="utf-8")
