"""Link the police and the benefits records of one synthetic population: a night, `warehouse linkage score`, and its peers on the same files.

    PYTHONPATH=plugins python benchmarks/linkage/two_files.py --people 20000 --density 500 --seed 77 --peers PYTHON

The files hold what both feeds know of a person: name, date of birth, sex and one postcode. A night knows more (aliases, former
names, earlier addresses, the other feeds' records), and is measured on the same pairs. `--peers` is the Python of an environment with
peers.txt installed; Splink needs none. A peer that has not finished after `--limit` seconds is ended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.contracts.load import all_contracts
from warehouse.link import evidence, extract
from warehouse.link.file_mapping import read_mapping
from warehouse.link.models import policy
from warehouse.link.resolve import cluster_links
from warehouse.link.score import score_evidence
from warehouse.link.score_files import score_files
from warehouse.link.workspace import duckdb_session, one_row, quoted
from warehouse.synth.generate import FIRST_NIGHT, generate

if TYPE_CHECKING:
    import duckdb

HERE = Path(__file__).parent
FEEDS = ("police", "benefits")
PEERS = ("recordlinkage", "dedupe")

# One row per record of the two feeds, with its true person, names in one case. Of several postcodes the file has room for one.
PEOPLE = """
create table people as
select
    r.feed, r.record_key, any_value(t.true_person_id) as person,
    lower(any_value(r.forename) filter (r.is_main)) as given_name, lower(any_value(r.surname) filter (r.is_main)) as surname,
    strftime(any_value(r.dob) filter (r.is_main), '%Y%m%d') as date_of_birth, any_value(r.sex) filter (r.is_main) as sex,
    min(r.postcode) as postcode
from raw_evidence as r
inner join agency_id as a on a.record_key = r.record_key
inner join read_csv({truth}, header = true, all_varchar = true) as t on t.feed = a.feed and t.agency_record_id = a.agency_key
where r.feed in {feeds}
group by r.feed, r.record_key
"""
FILE = """
copy (
    select person || '-{feed}-' || row_number() over (partition by person order by record_key) as rec_id,
        given_name, surname, date_of_birth, sex, postcode
    from people where feed = '{feed}' order by record_key
) to {path} (header)
"""
# Pairs of a police and a benefits record, by whether a night joins them and whether they are one person.
NIGHT = """
with placed as (select p.feed, p.person, n.cluster_no from people as p inner join person_node as n using (record_key)),
pair as (
    select l.person = r.person as is_true, l.cluster_no = r.cluster_no as is_linked
    from placed as l inner join placed as r on l.feed = 'police' and r.feed = 'benefits' and (l.person = r.person or l.cluster_no = r.cluster_no)
)
select count(*) filter (is_true and is_linked), count(*) filter (is_linked), count(*) filter (is_true) from pair
"""


def line(what: str, precision: float, recall: float, seconds: float) -> None:
    """Print what one method reached."""
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    print(f"{what:62} P {precision:.4f}  R {recall:.4f}  F {f1:.4f}  {seconds:6.1f} s", flush=True)


def link_as_a_night(session: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the two files, then link all feeds as a night does, and print what it finds of the pairs between the files."""
    extract.from_delivery(session, all_contracts(), folder / "inbox" / FIRST_NIGHT.isoformat())
    session.execute(PEOPLE.format(truth=quoted(folder / "truth" / "records.csv"), feeds=FEEDS)).fetchall()
    for feed in FEEDS:
        session.execute(FILE.format(feed=feed, path=quoted(folder / f"{feed}.csv"))).fetchall()
    started = time.perf_counter()
    evidence.build(session, FIRST_NIGHT)
    score_evidence(session, policy())
    cluster_links(session)
    seconds = time.perf_counter() - started
    right, linked, true = one_row(session, NIGHT)
    (police, benefits) = one_row(session, "select count(*) filter (feed = 'police'), count(*) filter (feed = 'benefits') from people")
    print(f"{police:,} police and {benefits:,} benefits records, {true:,} pairs of one person")
    line("a night: all feeds, all names and places, trained elsewhere", right / linked, right / true, seconds)


def main() -> None:
    """Read the command line, make the files, link, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="people in the population (default %(default)s)")
    parser.add_argument("--density", type=float, default=500.0, help="times the people per day of birth are raised (default %(default)s)")
    parser.add_argument("--seed", type=int, default=77, help="seed of the population (default %(default)s)")
    parser.add_argument("--peers", type=Path, help="Python of the peers' environment")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that a peer may take (default %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, arguments.people, 1, arguments.seed, arguments.density)
        with duckdb_session(folder / "spill") as session:
            link_as_a_night(session, folder)
        files = [folder / f"{feed}.csv" for feed in FEEDS]
        started = time.perf_counter()
        measured = score_files(*files, read_mapping(HERE / "people.yaml"))
        line("warehouse linkage score, trained on the files", measured["precision"], measured["recall"], time.perf_counter() - started)
        pythons = {"splink": Path(sys.executable)} | (dict.fromkeys(PEERS, arguments.peers) if arguments.peers else {})
        for peer, python in pythons.items():
            try:
                subprocess.run([python, HERE / "peers.py", peer, *files], check=True, timeout=arguments.limit)
            except subprocess.TimeoutExpired:
                print(f"{peer:62} not finished within {arguments.limit:.0f} s", flush=True)


if __name__ == "__main__":
    main()
