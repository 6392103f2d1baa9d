"""How long it takes to bring a night's links and edges into the warehouse: the first night, one after it with 1 % new records, a rerun of that.

    PYTHONPATH=plugins python benchmarks/linkage/resolve.py --records 300000

Scored edges are made up (two records a person on average, 1 edge a record, a few conflicts), since only their number matters
here. It starts an embedded server in a folder of its own and removes it at the end.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

FIRST = date(2026, 11, 1)
# Records held on the first night, and those that come each night after it, in thousandths of all there will ever be.
HELD, NEW = 900, 9

SCORED = """
create table record as
select (row_number() over (order by record_key))::int as record_no, record_key, feed, true as is_named, person
from (
    select md5('r' || i)::uuid as record_key, ['a', 'b', 'c'][1 + i % 3] as feed, hash(i * 7) % ({records} // 2) as person
    from range({records}) as t (i) where hash(i * 13) % 1000 < {held}
);
create table edge as
select
    l.record_no as record_l, r.record_no as record_r, 'named' as model, 4 + hash(l.record_key, r.record_key) % 20000 / 1000 as match_weight,
    0.99 as match_probability, 0 as match_key, greatest(1, (hash(l.record_key, r.record_key) % 10)::int - 6) as level
from record as l inner join record as r on l.person = r.person and l.record_no < r.record_no;
create table conflict as select record_l, record_r from edge where hash(record_l, record_r) % 500 = 0 and level = 3;
create table metric (metric varchar, feed_a varchar, feed_b varchar, value double)
"""


def resolve(session: duckdb.DuckDBPyConnection, records: int, number: int, folder: Path) -> str:
    """Make up a night's scores and resolve them; what it took, as text."""
    from warehouse.link import resolve as resolving

    session.execute(SCORED.format(records=records, held=HELD + NEW * number)).fetchall()
    started = time.perf_counter()
    resolving.cluster_links(session)
    clustered = time.perf_counter()
    counts = resolving.write(session, FIRST + timedelta(days=number), folder)
    return f"{counts['records']:,} records: clustering {clustered - started:.1f} s, writing {time.perf_counter() - clustered:.1f} s"


def main() -> None:
    """Read the command line and time the three nights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=300_000, help="agency records altogether (default %(default)s)")
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as home:
        os.environ["WAREHOUSE_HOME"] = home
        os.environ["WAREHOUSE_URL"] = ""
        from warehouse.database import server
        from warehouse.database.setup import prepare
        from warehouse.link.workspace import duckdb_session, private_folder

        prepare()
        try:
            for night, number in (("first night", 0), ("night after, 1 % new", 1), ("the same again", 1)):
                with private_folder("resolve") as folder, duckdb_session(folder / "spill") as session:
                    print(f"{night:22} {resolve(session, records, number, folder)}", flush=True)
        finally:
            server.remove()


if __name__ == "__main__":
    main()
