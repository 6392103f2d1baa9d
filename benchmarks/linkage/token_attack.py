"""What somebody without the key can learn from tokens by counting them: the share of records whose forename or surname they name.

    PYTHONPATH=plugins python benchmarks/linkage/token_attack.py --people 100000

The attacker holds tokenised records of one feed, and knows how common each name is from another population of the same kind (another
seed), by sex and year of birth or without them. Tokens and names are matched one to one where that is likeliest: the counts by
Poisson, the profiles of sex and year of birth by multinomial likelihood.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Table
from warehouse.link.tokens.files import prepare, tokenise
from warehouse.link.workspace import duckdb_session, quoted
from warehouse.synth.generate import FIRST_NIGHT, generate

if TYPE_CHECKING:
    import duckdb

KEY = bytes(range(32))
COMMONEST = 1_000  # tokens and names that are matched; rarer ones have too few records to be told apart

READ = """
create or replace table {into} as
select clean_name("{name}") as value, "{sex}" as sex, left("{dob}", 4) as born, row_number() over () as place
from read_csv({path}, header = true, all_varchar = true, delim = '{delimiter}')
"""
COUNTS = """
with common as (select value from {table} where value is not null group by value order by count(*) desc, value limit {commonest})
select value, coalesce(sex, '') || left(coalesce(born, ''), 3) as profile, count(*)::double as records
from {table} semi join common using (value) group by all
"""


def counts(session: duckdb.DuckDBPyConnection, table: str, profiles: list[str]) -> tuple[list[str], np.ndarray]:
    """The commonest values of a table, and a row for each: its records by profile of sex and decade of birth."""
    found = session.execute(COUNTS.format(table=table, commonest=COMMONEST)).fetchnumpy()
    values, rows = np.unique(found["value"].astype(str), return_inverse=True)
    matrix = np.zeros((len(values), len(profiles)))
    np.add.at(matrix, (rows, np.searchsorted(profiles, found["profile"].astype(str))), found["records"])
    return list(values), matrix


def name_tokens(session: duckdb.DuckDBPyConnection, with_profile: bool) -> float:
    """The share of the records in table `seen` (value: token, truth: name) that an attacker who knows table `background` names rightly."""
    from scipy.optimize import linear_sum_assignment

    profiles = sorted(
        profile
        for (profile,) in session.execute(
            "select coalesce(sex, '') || left(coalesce(born, ''), 3) from seen union select coalesce(sex, '') || left(coalesce(born, ''), 3) from background"
        ).fetchall()
    )
    tokens, seen = counts(session, "seen", profiles)
    names, known = counts(session, "background", profiles)
    if not with_profile:
        seen, known = seen.sum(axis=1, keepdims=True), known.sum(axis=1, keepdims=True)
    expected = (known + 0.1) * seen.sum() / known.sum()
    likelihood = seen @ np.log(expected).T - expected.sum(axis=1)
    of_token, of_name = linear_sum_assignment(likelihood, maximize=True)
    guesses = [(tokens[token], names[name]) for token, name in zip(of_token, of_name, strict=True)]
    session.execute("create or replace table guess (value varchar, guessed varchar)").fetchall()
    session.executemany("insert into guess values (?, ?)", guesses)
    ((share,),) = session.execute(
        "select avg(coalesce(guessed = truth, false)::int) from seen left join guess using (value) where value is not null"
    ).fetchall()
    return float(share)


def role_column(table: Table, role: str) -> str:
    """The name of the column that plays a role."""
    return next(column.name for column in table.columns if column.role == role)


def measure(people: int, seed: int) -> None:
    """Print the share of records named, for forenames and surnames, with and without profiles."""
    contracts = [c for c in all_contracts() if any(col.role == "surname" for t in c.tables.values() for col in t.columns)]
    contract = next(c for c in contracts if c.delivery.kind == "changes" and any(col.role == "nino" for t in c.tables.values() for col in t.columns))
    table = next(t for t in contract.tables.values() if any(col.role == "surname" for col in t.columns))
    with tempfile.TemporaryDirectory() as name, duckdb_session(Path(name) / "spill") as session:
        folder = Path(name)
        paths = []
        for number in (seed, seed + 1):
            generate(folder / str(number), people, 1, number)
            paths.append(next((folder / str(number) / "inbox" / FIRST_NIGHT.isoformat() / contract.feed).glob(table.file)))
        (hashed,) = tokenise(contract, paths[0], folder / "tokens", KEY, FIRST_NIGHT)
        prepare(session, KEY, FIRST_NIGHT)
        for role in ("forename", "surname"):
            column = role_column(table, role)
            described = {"name": column, "sex": role_column(table, "sex"), "dob": role_column(table, "dob"), "delimiter": contract.format.delimiter}
            session.execute(READ.format(into="clear", path=quoted(paths[0]), **described)).fetchall()
            session.execute(READ.format(into="background", path=quoted(paths[1]), **described)).fetchall()
            session.execute(
                f"""
                create or replace table seen as
                select split_part(t."{column}_TOKEN", '.', 1) as value, c.value as truth, c.sex, c.born
                from (
                    select *, row_number() over () as place
                    from read_csv({quoted(hashed.path)}, header = true, all_varchar = true, delim = '{contract.format.delimiter}')
                ) as t
                inner join clear as c using (place)
                """
            ).fetchall()
            shares = {
                words: name_tokens(session, with_profile) for words, with_profile in (("counts alone", False), ("counts by sex and decade of birth", True))
            }
            print(f"{contract.feed} {role}: " + ", ".join(f"{words} name {share:.1%} of {hashed.rows:,} records" for words, share in shares.items()))


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="people in each of the two populations (default %(default)s)")
    parser.add_argument("--seed", type=int, default=77, help="seed of the population attacked; the attacker knows that of the next seed")
    arguments = parser.parse_args()
    measure(arguments.people, arguments.seed)


if __name__ == "__main__":
    main()
