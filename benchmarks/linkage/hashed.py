"""Measure linkage on tokens beside linkage on clear text: the same people, files, models, thresholds and rules.

    PYTHONPATH=plugins python benchmarks/linkage/hashed.py --people 200000 --density 50 --seed 77

Also times the encoding with one thread and tells what somebody without the key could learn by counting tokens. With
`--match-similarities` it prints instead, for each Jaro-Winkler threshold that the models use, the Dice coefficient that tells the
same pairs of names alike; `levels.py` holds these numbers, matched on a population that is not measured on (seed 22).
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.link import evidence, extract
from warehouse.link.evaluate import compare
from warehouse.link.models import load_model, policy
from warehouse.link.resolve import cluster_links
from warehouse.link.score import score_evidence
from warehouse.link.tokens import extract as token_extract
from warehouse.link.tokens import score as token_score
from warehouse.link.tokens.contract import token_contract
from warehouse.link.tokens.files import Tokenised, tokenise
from warehouse.link.tokens.levels import similarities
from warehouse.link.workspace import duckdb_session, quoted
from warehouse.synth.generate import FIRST_NIGHT, generate

PAIRS = (
    ("records with names, pairs", "named_pair_precision", "named_pair_recall"),
    ("clients to persons", "client_to_person_precision", "client_to_person_recall"),
    ("clients at several providers, pairs", "client_pair_precision", "client_pair_recall"),
)


def f1(precision: float, recall: float) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * precision * recall / (precision + recall)


def link_clear(folder: Path, contracts: Sequence[Contract]) -> dict[str, float]:
    """Accuracy of the linkage on the files as they are."""
    with duckdb_session(folder / "spill") as session:
        extract.from_delivery(session, contracts, folder / "inbox" / FIRST_NIGHT.isoformat())
        evidence.build(session, FIRST_NIGHT)
        score_evidence(session, policy())
        cluster_links(session)
        return compare(session, folder / "truth" / "records.csv")


def encode(folder: Path, contracts: Sequence[Contract], key: bytes, letter_pairs: bool) -> list[Contract]:
    """Tokenise every feed and print how long it took, in seconds of one core. Returns the contracts of the tokenised feeds.

    All files of the deliveries are read and written; only rows with identifiers are counted. The largest file of people is timed by itself
    too: reading, standardising, encoding and writing it.
    """
    inbox, out = folder / "inbox" / FIRST_NIGHT.isoformat(), folder / "tokens"
    written: list[tuple[Contract, Tokenised]] = []
    started = time.process_time()
    for contract in contracts:
        delivered = tokenise(contract, inbox / contract.feed, out / contract.feed, key, FIRST_NIGHT, letter_pairs)
        written += [(contract, file) for file in delivered if file.identifiers]
    _told("all deliveries", sum(file.rows for _, file in written), started)
    of_people = [(file.rows, contract, file.path.name) for contract, file in written if {"nino", "surname", "postcode"} <= file.identifiers.keys()]
    rows, contract, name = max(of_people, key=lambda one: one[0])
    started = time.process_time()
    tokenise(contract, inbox / contract.feed / name, folder / "again", key, FIRST_NIGHT, letter_pairs)
    _told(f"{contract.feed} {name.split('_')[0]} alone", rows, started)
    return [Contract.model_validate(token_contract(contract)) for contract in contracts]


def _told(what: str, rows: int, started: float) -> None:
    seconds = time.process_time() - started
    print(f"encoded {what}: {rows:,} rows with identifiers in {seconds:.1f} core seconds, {rows / seconds:,.0f} rows/s/core")


def link_tokens(folder: Path, contracts: Sequence[Contract]) -> dict[str, float]:
    """Accuracy of the linkage on the tokenised files."""
    with duckdb_session(folder / "spill") as session:
        token_extract.from_delivery(session, contracts, folder / "tokens")
        token_score.build(session)
        token_score.score_tokens(session, policy())
        cluster_links(session)
        # Only for the baseline, which `compare` measures too and nothing is read of here.
        session.execute("create table record_initials as select record_no, forename_initial, surname_initial from record_person").fetchall()
        return compare(session, folder / "truth" / "records.csv")


def measure(people: int, density: float, seed: int, letter_pairs: bool = True) -> None:
    """Link one population both ways and print the accuracies side by side."""
    contracts = all_contracts()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, people, 1, seed, density)
        print(f"\n{people:,} people, density {density:g}, seed {seed}")
        clear = link_clear(folder, contracts)
        hashed = link_tokens(folder, encode(folder, contracts, secrets.token_bytes(32), letter_pairs))
    print(f"{'':38} {'clear P':>8} {'R':>7} {'F1':>7} {'tokens P':>9} {'R':>7} {'F1':>7} {'F1 points lost':>15}")
    for label, precision, recall in PAIRS:
        if precision in clear and precision in hashed:
            scores = [(found[precision], found[recall], f1(found[precision], found[recall])) for found in (clear, hashed)]
            told = " ".join(f"{value:8.4f}" for score in scores for value in score)
            print(f"{label:38} {told} {100 * (scores[0][2] - scores[1][2]):15.2f}")


# Of pairs of rows of one person, and of pairs of different people, the share with another name that each measure tells alike.
SIMILARITIES = """
create or replace table letters as
select true_no, {column} as name, list_transform(range(1, length({column}) + 2), lambda i: substr('_' || {column} || '_', i, 2)) as pairs
from name_row inner join truth using (record_no) where {column} is not null;
create or replace table alike as
with same_person as (
    select l.name as l, r.name as r, l.pairs as pl, r.pairs as pr, true as is_same
    from letters as l inner join letters as r on l.true_no = r.true_no and l.name < r.name
),
chance as (
    select l.name, r.name, l.pairs, r.pairs, false
    from (select * from letters using sample 1500 rows (reservoir, 1)) as l
    inner join (select * from letters using sample 1500 rows (reservoir, 2)) as r on l.true_no <> r.true_no and l.name <> r.name
)
select is_same, jaro_winkler_similarity(l, r) as jaro_winkler, 2.0 * len(list_intersect(pl, pr)) / (len(list_distinct(pl)) + len(list_distinct(pr))) as dice
from (select * from same_person union all select * from chance);
"""
MATCHED = """
with threshold as (select range / 40.0 as dice_at from range(8, 38)),
share as (
    select
        dice_at,
        avg((jaro_winkler >= {at})::int) filter (is_same)      as m_jaro_winkler,
        avg((dice >= dice_at)::int) filter (is_same)           as m_dice,
        avg((jaro_winkler >= {at})::int) filter (not is_same)  as u_jaro_winkler,
        avg((dice >= dice_at)::int) filter (not is_same)       as u_dice
    from alike cross join threshold group by dice_at
)
select * from share where m_dice > 0 and u_dice > 0
order by abs(log2(m_dice / m_jaro_winkler)) + abs(log2(u_dice / u_jaro_winkler)), dice_at limit 3
"""


def match_similarities(people: int, density: float, seed: int) -> None:
    """Print, for each Jaro-Winkler threshold of the models in force, the Dice coefficients that come nearest to its m and u."""
    rules = policy()
    names = {rules.named.model, *(one.model for one in rules.named.dedupe.values())}
    levels = [level["sql_condition"] for name in names for comparison in load_model(name)["comparisons"] for level in comparison["comparison_levels"]]
    with tempfile.TemporaryDirectory() as name, duckdb_session(Path(name) / "spill") as session:
        folder = Path(name)
        generate(folder, people, 1, seed, density)
        extract.from_delivery(session, all_contracts(), folder / "inbox" / FIRST_NIGHT.isoformat())
        evidence.build(session, FIRST_NIGHT)
        session.execute(
            f"""
            create table truth as
            select r.record_no, min(p.true_person_id) as true_no
            from read_csv({quoted(folder / "truth" / "records.csv")}, header = true, all_varchar = true) as p
            inner join agency_id as a on a.feed = p.feed and a.agency_key = p.agency_record_id inner join record as r using (record_key)
            group by r.record_no
            """
        ).fetchall()
        for column, asked in sorted(similarities(levels).items()):
            session.execute(SIMILARITIES.format(column=column)).fetchall()
            for at in sorted(asked):
                print(f"{column}, Jaro-Winkler {at}:")
                for dice_at, m_clear, m_dice, u_clear, u_dice in session.execute(MATCHED.format(at=at)).fetchall():
                    print(f"  Dice {dice_at:.3f}: m {m_clear:.4f} and {m_dice:.4f}, u {u_clear:.6f} and {u_dice:.6f}")


def main() -> None:
    """Read the command line and measure each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="people in the population (default %(default)s)")
    parser.add_argument("--density", type=float, default=1.0, help="times the people per day of birth are raised (default %(default)s)")
    parser.add_argument("--seed", type=int, action="append", help="seed of a population; may be given several times (default 77)")
    parser.add_argument("--match-similarities", action="store_true", help="match Dice coefficients to Jaro-Winkler thresholds instead")
    parser.add_argument("--no-letter-pairs", action="store_true", help="encode names as wholes alone")
    arguments = parser.parse_args()
    for seed in arguments.seed or [77]:
        if arguments.match_similarities:
            match_similarities(arguments.people, arguments.density, seed)
        else:
            measure(arguments.people, arguments.density, seed, not arguments.no_letter_pairs)


if __name__ == "__main__":
    main()
