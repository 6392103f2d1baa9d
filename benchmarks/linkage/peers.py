"""What the linkage is compared with on two files: `peers.py splink|recordlinkage|dedupe LEFT RIGHT`.

The files are FEBRL 4's, or name people by the same columns (`two_files.py`); what a file lacks is not compared. Each peer is set up as
its own documentation does for FEBRL. recordlinkage and dedupe run in an environment of their own (peers.txt); Splink is the
one the warehouse uses. dedupe learns from labelled pairs, which it is given from the truth.
"""

from __future__ import annotations

import csv
import itertools
import logging
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

LABELLED = 200


def person(record_id: str) -> str:
    """The number that ids of one person share."""
    found = re.search(r"\d+", record_id)
    return found.group() if found else record_id


def columns_of(path: Path) -> set[str]:
    """The columns that a file has."""
    with path.open(encoding="utf-8") as file:
        return {column.strip() for column in next(csv.reader(file))}


def with_splink(left: Path, right: Path) -> set[tuple[str, str]]:
    """Splink's settings of its own FEBRL 4 tutorial notebook: its comparisons, its blocking, p >= 0.5."""
    import duckdb
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    session = duckdb.connect()
    for name, path in (("left", left), ("right", right)):
        session.execute(f"create table {name}_file as select * from read_csv('{path}', all_varchar = true)").fetchall()
    api = DuckDBAPI(connection=session)
    inputs = [api.register(f"{name}_file", dataset_display_name=f"{name}_side") for name in ("left", "right")]
    present = columns_of(left)
    comparisons = {
        "given_name": cl.NameComparison("given_name"),
        "surname": cl.NameComparison("surname"),
        "date_of_birth": cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
        "soc_sec_id": cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
        "street_number": cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        "sex": cl.ExactMatch("sex"),
        "postcode": cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
    }
    blocks = [
        ("given_name", "surname"), ("date_of_birth",), ("soc_sec_id",), ("state", "address_1"), ("street_number", "address_1"), ("postcode",),
    ]  # fmt: skip
    certain = [block for block in (("soc_sec_id",), ("given_name", "surname", "date_of_birth")) if present.issuperset(block)]
    settings = SettingsCreator(
        link_type="link_only",
        unique_id_column_name="rec_id",
        comparisons=[comparison for column, comparison in comparisons.items() if column in present],
        blocking_rules_to_generate_predictions=[
            *[block_on(*block) for block in blocks if present.issuperset(block)],
            "l.given_name = r.surname and l.surname = r.given_name",
        ],
    )
    linker = Linker(inputs, settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match([block_on(*block) for block in certain], recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("date_of_birth"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("postcode"))
    scored = linker.inference.predict(threshold_match_probability=0.5)
    return set(session.execute(f"select rec_id_l, rec_id_r from {scored.physical_name}").fetchall())


def with_recordlinkage(left: Path, right: Path) -> set[tuple[str, str]]:
    """The FEBRL 4 example of the recordlinkage documentation: blocks on the given name, similar strings, more than three agree.

    A block on the surname and one on the date of birth are added, or half the pairs would never be compared.
    """
    import pandas as pd
    import recordlinkage

    a, b = (pd.read_csv(path, dtype=str).set_index("rec_id") for path in (left, right))
    indexer = recordlinkage.Index()
    for column in ("given_name", "surname", "date_of_birth"):
        indexer.block(column)
    compare = recordlinkage.Compare()
    for column in ("given_name", "date_of_birth", "suburb", "state", "sex"):
        if column in a:
            compare.exact(column, column)
    if "address_1" not in a:
        compare.exact("postcode", "postcode")
    compare.string("surname", "surname", method="jarowinkler", threshold=0.85)
    if "address_1" in a:
        compare.string("address_1", "address_1", threshold=0.85)
    features = compare.compute(indexer.index(a, b), a, b)
    return set(features[features.sum(axis=1) > 3].index)


def with_dedupe(left: Path, right: Path) -> set[tuple[str, str]]:
    """dedupe's record linkage example: its own blocking learnt, from labelled pairs of the truth; each record linked once."""
    import dedupe
    import dedupe.variables as variables

    known = ("given_name", "surname", "date_of_birth", "sex", "soc_sec_id", "postcode", "address_1", "suburb")
    columns = [column for column in known if column in columns_of(left)]

    def read(path: Path) -> dict[str, dict[str, str | None]]:
        with path.open(encoding="utf-8") as file:
            return {row["rec_id"].strip(): {column: row[column].strip() or None for column in columns} for row in csv.DictReader(file)}

    a, b = read(left), read(right)
    by_person = {person(record_id): record_id for record_id in b}
    dice = random.Random(1)
    chosen = dice.sample(sorted(one for one in a if person(one) in by_person), LABELLED)
    linker = dedupe.RecordLink([variables.String(column, has_missing=True) for column in columns], num_cores=1)
    linker.prepare_training(a, b, sample_size=500)
    match = [(a[one], b[by_person[person(one)]]) for one in chosen]
    distinct = [(a[one], b[by_person[person(other)]]) for one, other in itertools.pairwise(chosen)]
    linker.mark_pairs({"match": match, "distinct": distinct})
    linker.train(index_predicates=False)
    return {pair for pair, _ in linker.join(a, b, threshold=0.5, constraint="one-to-one")}


METHODS: dict[str, tuple[str, Callable[[Path, Path], set[tuple[str, str]]]]] = {
    "splink": ("Splink, settings of its tutorial, p >= 0.5", with_splink),
    "recordlinkage": ("recordlinkage toolkit, example of its documentation", with_recordlinkage),
    "dedupe": (f"dedupe, {LABELLED} labelled pairs", with_dedupe),
}


def score(links: Iterable[tuple[Any, Any]], left: Iterable[str], right: Iterable[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of links between the ids of two files."""
    links = list(links)
    found = sum(person(str(one)) == person(str(other)) for one, other in links)
    in_left, in_right = (Counter(map(person, ids)) for ids in (left, right))
    precision, recall = found / max(len(links), 1), found / sum(number * in_right[who] for who, number in in_left.items())
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def ids_of(path: Path) -> list[str]:
    """The ids of a file's records."""
    with path.open(encoding="utf-8") as file:
        return [row["rec_id"] for row in csv.DictReader(file)]


if __name__ == "__main__":
    name, first, second = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    title, method = METHODS[name]
    started = time.perf_counter()
    links = method(first, second)
    precision, recall, f1 = score(links, ids_of(first), ids_of(second))
    print(f"{title:62} P {precision:.4f}  R {recall:.4f}  F {f1:.4f}  {time.perf_counter() - started:6.1f} s", flush=True)
