"""The levels of the models on tokens: the same pairs of people reach the same levels as on clear identifiers."""

from __future__ import annotations

import itertools
import re
from datetime import date
from typing import Any

import duckdb
import pytest

from warehouse.contracts.load import all_contracts
from warehouse.contracts.model import Contract
from warehouse.link import evidence, named
from warehouse.link.blocking import MINIMAL_RULES, NAMED_RULES, attributor_only
from warehouse.link.errors import LinkageFault
from warehouse.link.extract import RAW_EVIDENCE
from warehouse.link.models import MODELS_DIR, load_model, policy
from warehouse.link.roles import link_tables
from warehouse.link.tokens.contract import token_contract
from warehouse.link.tokens.extract import RAW_TOKEN, check_token_sets, token_tables
from warehouse.link.tokens.files import prepare, run_token_script
from warehouse.link.tokens.levels import condition_on_tokens, guard_on_tokens, model_on_tokens, rules_on_tokens
from warehouse.link.tokens.night import delivers_tokens
from warehouse.link.tokens.score import build, score_tokens

KEY = bytes(range(32))
NIGHT = date(2026, 11, 1)
MODELS = sorted(path.stem for path in MODELS_DIR.glob("*.json"))
WILLIAM = {"forename": "William", "surname": "Hargreaves", "dob": date(1980, 5, 7), "sex": "M", "postcode": "NE8 2AB", "nino": "AB123457C"}
# One row a way in which two records of a person, or of two people, differ.
PEOPLE: list[dict[str, Any]] = [
    WILLIAM,
    WILLIAM | {"forename": "Bill"},
    WILLIAM | {"forename": "Willaim"},
    WILLIAM | {"forename": "Hargreaves", "surname": "William"},
    WILLIAM | {"forename": "Thomas", "middle_name": "William"},
    WILLIAM | {"forename": "Sarah", "sex": "F"},
    WILLIAM | {"forename": None},
    WILLIAM | {"surname": "Hargraeves"},
    WILLIAM | {"surname": "Hargrieves"},
    WILLIAM | {"surname": "Hoeregrivoos"},
    WILLIAM | {"surname": "Okonkwo"},
    WILLIAM | {"dob": date(1980, 7, 5)},
    WILLIAM | {"dob": date(1980, 5, 17)},
    WILLIAM | {"dob": date(1990, 5, 7)},
    WILLIAM | {"dob": date(1980, 1, 1)},
    WILLIAM | {"dob": date(1980, 5, 28)},
    WILLIAM | {"dob": date(1980, 12, 7)},
    WILLIAM | {"dob": date(1963, 11, 22)},
    WILLIAM | {"dob": None},
    WILLIAM | {"postcode": "NE8 2AD"},
    WILLIAM | {"postcode": "NE8 4ZZ"},
    WILLIAM | {"postcode": "SW1A 1AA", "nino": "AB654321D"},
    WILLIAM | {"postcode": None, "nino": None},
]  # fmt: skip
ROLES = ("forename", "middle_name", "surname", "previous_surname", "forename_initial", "surname_initial", "dob", "sex", "nino", "pnc_id",
         "postcode", "previous_postcode", "postcode_sector")  # fmt: skip
# What tokens tell differently, by design: where the dates of birth differ, sexes are not compared; and which part of two dates
# agrees is known only of people with the same initials and sex.
LESS_KNOWN = {("sex", "Same", "Missing"), ("sex", "All else", "Missing")}


def in_clear(session: duckdb.DuckDBPyConnection, people: list[dict[str, Any]]) -> None:
    session.execute(RAW_EVIDENCE).fetchall()
    for number, person in enumerate(people):
        filled = {"feed": "a", "is_named": "surname" in person, "is_main": True, "record_key": f"00000000-0000-0000-0000-{number + 1:012}"} | person
        session.execute(f"insert into raw_evidence ({', '.join(filled)}) values ({', '.join('?' * len(filled))})", list(filled.values())).fetchall()
    evidence.build(session, NIGHT)


def as_tokens(session: duckdb.DuckDBPyConnection, people: list[dict[str, Any]]) -> None:
    """What the hub lays out from the tokens of these people."""
    in_clear(session, people)
    prepare(session, KEY, NIGHT)
    session.execute("create temp table clean as select row_number() over (order by record_key) as _row_no, * exclude (feed) from evidence").fetchall()
    run_token_script(session, "encode.sql")
    session.execute(RAW_TOKEN).fetchall()
    session.execute(
        """
        insert into raw_token by name
        select record_key, 'a' as feed, is_named, is_main, e.* exclude (_row_no) from encoded as e inner join clean using (_row_no)
        """
    ).fetchall()
    build(session)


def level_labels(session: duckdb.DuckDBPyConnection, model: dict[str, Any]) -> dict[tuple[int, int, str], str]:
    """The label of the level that each pair of records reaches in each comparison."""
    columns = [name for name, *_ in session.execute("describe name_row").fetchall()]
    rows = ", ".join(f"l.{name} as {name}_l, r.{name} as {name}_r" for name in columns)
    found: dict[tuple[int, int, str], str] = {}
    for comparison in model["comparisons"]:
        *levels, last = comparison["comparison_levels"]
        assert last["sql_condition"] == "ELSE"
        cases = " ".join(f"when {level['sql_condition']} then '{level['label_for_charts'].replace(chr(39), chr(39) * 2)}'" for level in levels)
        pairs = f"select {rows} from name_row as l inner join name_row as r on l.record_no < r.record_no"
        name = comparison["output_column_name"]
        for left, right, label in session.execute(f"select record_no_l, record_no_r, case {cases} else 'All else' end from ({pairs})").fetchall():
            found[left, right, name] = label
    return found


def test_pairs_reach_the_same_levels() -> None:
    model = load_model(policy().named.model)
    with duckdb.connect() as clear, duckdb.connect() as hashed:
        in_clear(clear, PEOPLE)
        as_tokens(hashed, PEOPLE)
        expected, found = level_labels(clear, model), level_labels(hashed, model_on_tokens(model))
    assert expected.keys() == found.keys()
    with_first = [pair for pair in expected if pair[0] == 1]
    differing = {
        (name, expected[left, right, name], found[left, right, name])
        for left, right, name in with_first
        if expected[left, right, name] != found[left, right, name]
    }
    assert differing <= LESS_KNOWN
    labels = {(pair[2], found[pair]) for pair in with_first}
    asked = {
        (comparison["output_column_name"], level["label_for_charts"])
        for comparison in model["comparisons"]
        for level in comparison["comparison_levels"]
        if comparison["output_column_name"] in ("forename", "surname", "dob", "place", "nino")
    }
    missing = asked - labels - {("dob", "Same, 1 January"), ("surname", "Missing"), ("surname", "Similar"), ("forename", "Similar or sounds alike")}
    assert not missing, "every level is tried"


@pytest.mark.parametrize("name", MODELS)
def test_every_saved_model_can_be_asked_of_tokens(name: str) -> None:
    model = load_model(name)
    translated = model_on_tokens(model)
    for comparison, original in zip(translated["comparisons"], model["comparisons"], strict=True):
        for level, clear in zip(comparison["comparison_levels"], original["comparison_levels"], strict=True):
            assert level.get("m_probability") == clear.get("m_probability")
            assert not re.search(r"jaro|hamming|substr|left\(", level["sql_condition"])


def test_what_tokens_cannot_answer_is_an_error() -> None:
    with pytest.raises(LinkageFault, match="levenshtein"):
        condition_on_tokens("levenshtein(surname_l, surname_r) <= 2")
    with pytest.raises(LinkageFault, match=r"Jaro-Winkler 0\.77 of surname"):
        condition_on_tokens("jaro_winkler_similarity(surname_l, surname_r) >= 0.77")


def test_the_guard_can_be_asked_of_tokens() -> None:
    statement = guard_on_tokens(named.GUARD.format(similarity=policy().named.guard_similarity))
    assert "dice(l.forename_codes, r.forename_codes)" in statement
    assert "len(l.forename_codes) = 2" in statement


def test_rules_nominate_no_pair_that_the_clear_ones_would_not() -> None:
    """What a rule on tokens leaves out is inside a token that it asks for."""
    with duckdb.connect() as clear, duckdb.connect() as hashed:
        in_clear(clear, PEOPLE)
        as_tokens(hashed, PEOPLE)
        for rule, hashed_rule in zip(NAMED_RULES, rules_on_tokens(NAMED_RULES), strict=True):
            assert nominated(hashed, hashed_rule) <= nominated(clear, rule), rule


def test_no_rule_on_tokens_asks_for_initials_date_of_birth_and_sex_alone() -> None:
    assert not [rule for rule in rules_on_tokens(MINIMAL_RULES) if attributor_only(rule)]


def nominated(session: duckdb.DuckDBPyConnection, rule: str) -> set[tuple[int, int]]:
    condition = re.sub(r"l\.(sectors|districts|areas) = r\.\1", r"list_has_any(l.\1, r.\1)", rule)
    return set(
        session.execute(
            f"select l.record_no, r.record_no from name_row as l inner join name_row as r on {condition} where l.record_no < r.record_no"
        ).fetchall()
    )


def test_dates_that_contradict_each_other_are_in_conflict() -> None:
    people = [WILLIAM, WILLIAM | {"dob": date(1963, 11, 22)}, WILLIAM | {"dob": date(1980, 7, 5)}, WILLIAM | {"dob": date(1980, 5, 28)}]
    with duckdb.connect() as session:
        as_tokens(session, people)
        session.execute(
            "create table component as select record_no, 1 as cluster_no from record; create table conflict (record_l int, record_r int)"
        ).fetchall()
        run_token_script(session, "conflicting_dates.sql")
        found = set(session.execute("select record_l, record_r from conflict").fetchall())
    assert found == {(1, 2), (2, 3), (2, 4), (3, 4)}


def test_tokens_of_different_keys_are_not_compared() -> None:
    with duckdb.connect() as session:
        session.execute(RAW_TOKEN).fetchall()
        session.execute("insert into raw_token (feed, token_set) values ('a', '1-aaaaaaaa'), ('b', '1-bbbbbbbb')").fetchall()
        with pytest.raises(LinkageFault, match="1-aaaaaaaa: a; 1-bbbbbbbb: b"):
            check_token_sets(session)


def test_people_are_linked_by_tokens_alone() -> None:
    """A client by initials, and two records with names, of one person; a twin, and a stranger with the same initials and date of birth."""
    client = {"forename_initial": "B", "surname_initial": "H", "dob": date(1980, 5, 7), "sex": "M", "postcode_sector": "NE8 2"}
    twin = WILLIAM | {"forename": "Gordon", "nino": "AB654321D"}
    stranger = {"forename": "Walter", "surname": "Hughes", "dob": date(1980, 5, 7), "sex": "M", "postcode": "SW1A 1AA"}
    crowd = [
        {"forename": first, "surname": last, "dob": date(1950 + place, 1 + place % 12, 1 + place), "sex": "F", "postcode": f"AB{place + 1} 1AA"}
        for place, (first, last) in enumerate(itertools.product(("Anna", "Beth", "Carol", "Dora"), ("Frost", "Grant", "Innes", "Jones", "Knox")))
    ]
    with duckdb.connect() as session:
        as_tokens(session, [WILLIAM, WILLIAM | {"forename": "Bill", "nino": None}, client, twin, stranger, *crowd])
        counts = score_tokens(session, policy())
        links = set(session.execute("select record_l, record_r from edge where level <= 2").fetchall())
    assert counts["records"] == 25
    assert links == {(1, 2), (1, 3)}


def test_feeds_of_tokens_and_clear_feeds_are_not_linked_together() -> None:
    clear = all_contracts()
    hashed = [Contract.model_validate(token_contract(contract) | {"feed": f"hashed_{contract.feed}"}) for contract in clear]
    assert not delivers_tokens(clear)
    assert delivers_tokens(hashed)
    with pytest.raises(LinkageFault, match="Let all of them deliver tokens, or none"):
        delivers_tokens([clear[0], *hashed])


def test_records_of_tokens_are_named_where_a_table_holds_surnames() -> None:
    tables = token_tables(Contract.model_validate(token_contract(contract)) for contract in all_contracts())
    assert {(table.table.relation, table.is_named) for table in tables} == {(table.relation, table.is_named) for table in link_tables(all_contracts())}
    assert {(table.table.relation, table.is_main) for table in tables} == {(table.relation, table.is_main) for table in link_tables(all_contracts())}
