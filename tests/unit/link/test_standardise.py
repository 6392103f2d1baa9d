"""Each rule of standardisation, with values it must change, keep and refuse."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from warehouse.link.workspace import run_script


@pytest.fixture(scope="module")
def rules() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    run_script(connection, "standardise.sql")
    yield connection
    connection.close()


def value(rules: duckdb.DuckDBPyConnection, expression: str, *arguments: str | None) -> object:
    row = rules.execute(f"select {expression}", list(arguments)).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("Smith", "SMITH"),
        ("  o'brien ", "OBRIEN"),
        ("Smith-Jones", "SMITHJONES"),
        ("Smith Jones", "SMITHJONES"),
        ("José", "JOSE"),
        ("Mr. John", "JOHN"),
        ("MRS JANE", "JANE"),
        ("Drew", "DREW"),
        ("Unknown", None),
        ("Not known", None),
        ("N/A", None),
        ("baby boy", None),
        ("Baby Girl Smith", None),
        ("Baby of Jane Smith", None),
        ("B/O Smith", None),
        ("Twin 1", None),
        ("Baby Begum", "BABYBEGUM"),
        ("Bo", "BO"),
        ("Not recorded", None),
        ("XXXX", None),
        ("TEST", None),
        ("Rev. Dr Jane", "JANE"),
        ("John Jnr", "JOHN"),
        ("Łukasz", "LUKASZ"),
        ("Strauß", "STRAUSS"),
        ("Sørensen", "SORENSEN"),
        ("O’Brien", "OBRIEN"),
        ("van der Berg", "VANDERBERG"),
        ("Mac Donald", "MACDONALD"),
        ("...", None),
        (None, None),
    ],
)
def test_names(rules: duckdb.DuckDBPyConnection, written: str | None, clean: str | None) -> None:
    assert value(rules, "clean_name(?)", written) == clean


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("Smith", []),
        ("Smith-Jones", ["JONES", "SMITH"]),
        ("Smith Jones", ["JONES", "SMITH"]),
        ("van der Berg", ["BERG"]),
        ("de la Cruz-Lopez", ["CRUZ", "LOPEZ"]),
        ("Al-Hassan", ["HASSAN"]),
        ("O'Brien", []),
        ("O Brien", []),
        ("Mac Donald", []),
        ("St. John-Stevens", ["STEVENS", "STJOHN"]),
        ("Mrs Smith", []),
        ("Not known", []),
        ("Unknown-Smith", ["SMITH"]),
        (None, []),
    ],
)
def test_further_names_inside_a_name(rules: duckdb.DuckDBPyConnection, written: str | None, parts: list[str]) -> None:
    assert value(rules, "further_parts(?)", written) == parts


@pytest.mark.parametrize(
    ("one", "other"),
    [("SMITH", "SMYTH"), ("CATHERINE", "KATHERINE"), ("PHILIPS", "FILLIPS"), ("MCDONALD", "MACDONALD"), ("WRIGHT", "RIGHT"), ("JOHNSON", "JONSON")],
)
def test_spellings_that_sound_alike_share_a_key(rules: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    assert value(rules, "sound_key(?) = sound_key(?)", one, other) is True


@pytest.mark.parametrize(("one", "other"), [("SMITH", "JONES"), ("WALKER", "WILSON"), ("CLARK", "CLARKSON")])
def test_names_that_do_not_sound_alike_do_not(rules: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    assert value(rules, "sound_key(?) = sound_key(?)", one, other) is False


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("1980-05-17", "1980-05-17"),
        ("1980-01-01", "1980-01-01"),
        ("1900-01-01", None),
        ("1901-01-01", None),
        ("2030-01-02", None),
        (None, None),
    ],
)
def test_dates_of_birth(rules: duckdb.DuckDBPyConnection, written: str | None, clean: str | None) -> None:
    assert value(rules, "clean_dob(?::date, date '2026-11-01')", written) == clean


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("ne8 2ab", "NE82AB"),
        ("M1 1AE", "M11AE"),
        ("EC1A 1BB", "EC1A1BB"),
        ("A1 1AA", None),
        ("ZZ99 3VZ", None),
        ("NE8", None),
        ("NE8 2CI", None),
        ("", None),
        (None, None),
    ],
)
def test_postcodes(rules: duckdb.DuckDBPyConnection, written: str | None, clean: str | None) -> None:
    assert value(rules, "clean_postcode(?)", written) == clean


@pytest.mark.parametrize(("dob", "default"), [("1980-01-01", True), ("1980-01-11", False), ("1980-11-01", False)])
def test_defaulted_dates_of_birth(rules: duckdb.DuckDBPyConnection, dob: str, default: bool) -> None:
    assert value(rules, "is_default_dob(?)", dob) is default


def test_parts_of_a_postcode(rules: duckdb.DuckDBPyConnection) -> None:
    assert value(rules, "sector_of_postcode(?)", "EC1A1BB") == "EC1A 1"
    assert value(rules, "district_of_sector(?)", "EC1A 1") == "EC1A"
    assert value(rules, "area_of_sector(?)", "EC1A 1") == "EC"


@pytest.mark.parametrize(("written", "clean"), [("ne8  2", "NE8 2"), ("EC1A 1", "EC1A 1"), ("ZZ99 3", None), ("NE8", None), (None, None)])
def test_sectors(rules: duckdb.DuckDBPyConnection, written: str | None, clean: str | None) -> None:
    assert value(rules, "clean_sector(?)", written) == clean


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("AB123457C", "AB123457C"),
        ("ab 12 34 57 c", "AB123457C"),
        ("QQ123457C", None),
        ("BG123457C", None),
        ("AB123456C", None),
        ("AB000000A", None),
        ("AB12345", None),
        (None, None),
    ],
)
def test_national_insurance_numbers(rules: duckdb.DuckDBPyConnection, written: str | None, clean: str | None) -> None:
    assert value(rules, "clean_nino(?)", written) == clean


@pytest.mark.parametrize(
    ("written", "clean"),
    # 980123456 divided by 23 leaves 7, the letter G.
    [
        ("1998/0123456G", "1998/0123456G"),
        (" 1998/0123456g", "1998/0123456G"),
        ("1998/0123456A", None),
        ("1998/0000000F", None),
        ("98/123456G", "1998/0123456G"),
        ("98/123G", None),
        ("1998/1234567J", None),
        (None, None),
    ],
)
def test_pnc_ids(rules: duckdb.DuckDBPyConnection, written: str | None, clean: str | None) -> None:
    assert value(rules, "clean_pnc_id(?)", written) == clean


@pytest.mark.parametrize(("written", "clean"), [("M", "M"), ("f", "F"), ("U", None), (None, None)])
def test_sex(rules: duckdb.DuckDBPyConnection, written: str | None, clean: str | None) -> None:
    assert value(rules, "clean_sex(?)", written) == clean
