"""The loaders the warehouse is compared with: `peers.py dlt|pandas FILE DELIMITER ENCODING ADDRESS`. Runs in an environment of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def load_with_dlt(path: str, delimiter: str, encoding: str, address: str) -> None:
    """The file as Arrow batches through dlt, under a schema contract that admits no new column and no other type."""
    import dlt
    import pyarrow as pa
    import pyarrow.csv as csv

    with Path(path).open(encoding=encoding) as stream:
        columns = stream.readline().strip().split(delimiter)

    @dlt.resource(
        name="extract", columns=[{"name": c.lower(), "data_type": "text"} for c in columns], schema_contract={"columns": "freeze", "data_type": "freeze"}
    )
    def extract() -> Iterator[Any]:
        reader = csv.open_csv(
            path,
            read_options=csv.ReadOptions(encoding=encoding, block_size=8 << 20),
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(column_types={c: pa.string() for c in columns}),
        )
        yield from reader

    place = Path(path).parent
    pipeline = dlt.pipeline(
        pipeline_name=Path(path).stem, destination=dlt.destinations.postgres(address), dataset_name="benchmark_dlt", pipelines_dir=str(place / "dlt")
    )
    pipeline.run(extract(), write_disposition="replace")


def load_with_pandas(path: str, delimiter: str, encoding: str, address: str) -> None:
    """The file as text through pandas: `read_csv` and `to_sql`, in chunks."""
    import pandas as pd
    import sqlalchemy as sa

    engine = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for number, frame in enumerate(pd.read_csv(path, sep=delimiter, encoding=encoding, dtype=str, chunksize=20_000)):
            exists = "append" if number else "replace"
            frame.to_sql("benchmark_pandas", connection, if_exists=exists, index=False)


if __name__ == "__main__":
    {"dlt": load_with_dlt, "pandas": load_with_pandas}[sys.argv[1]](*sys.argv[2:])
