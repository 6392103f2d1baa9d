"""Deliveries: reproducible, the same night by night, as the contracts say, never ahead of their night, and answered by the truth."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest
from tests.unit.synth.conformity import breaking_rows, read
from tests.unit.synth.population import LAYOUTS, NIGHT_DATES, NIGHTS, PEOPLE, SEED, nights_of

from warehouse.contracts.load import load_contract
from warehouse.synth.generate import generate

# The tables that tell who a person is; the others of a feed point to them.
WHO_THEY_ARE = [
    ("treatment", "ndtms"), ("police", "nominals"), ("benefits", "claimants"), ("housing", "people"), ("housing", "support_services"),
    ("deaths", "registrations"), ("custody", "receptions"), ("priority_offenders", "nominations"),
]  # fmt: skip
CHANGES = [key for key, layout in LAYOUTS.items() if layout.contract.delivery.kind == "changes"]


def digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_same_seed_same_bytes(population: Path, tmp_path: Path) -> None:
    generate(tmp_path, PEOPLE, NIGHTS, SEED)
    assert digests(tmp_path) == digests(population)


def test_other_seed_other_files(population: Path, tmp_path: Path) -> None:
    generate(tmp_path, PEOPLE, 1, SEED + 1)
    night = tmp_path / "inbox" / NIGHT_DATES[0].isoformat()
    mine, theirs = digests(night), digests(population / "inbox" / NIGHT_DATES[0].isoformat())
    assert mine.keys() == theirs.keys()
    assert not set(mine.values()) & set(theirs.values())


def test_a_night_does_not_depend_on_how_many_follow(population: Path, tmp_path: Path) -> None:
    generate(tmp_path, PEOPLE, 1, SEED)
    first = f"inbox/{NIGHT_DATES[0].isoformat()}"
    assert digests(tmp_path / first) == digests(population / first)


def test_one_more_night_can_be_written_alone(population: Path, tmp_path: Path) -> None:
    generate(tmp_path, PEOPLE, NIGHTS, SEED, only_nights=[NIGHTS - 1])
    last = f"inbox/{NIGHT_DATES[-1].isoformat()}"
    assert [p.name for p in (tmp_path / "inbox").iterdir()] == [NIGHT_DATES[-1].isoformat()]
    assert digests(tmp_path / last) == digests(population / last)
    assert digests(tmp_path / "truth") == digests(population / "truth")


@pytest.mark.parametrize(("feed", "table"), list(LAYOUTS))
def test_files_keep_their_contract(population: Path, feed: str, table: str) -> None:
    layout = LAYOUTS[feed, table]
    for night in nights_of(feed):
        path = layout.path(population, night)
        assert path.read_text(encoding="utf-8").split("\n", 1)[0].split(layout.contract.format.delimiter) == layout.header
        assert breaking_rows(path, feed, table, night) == {}


@pytest.mark.parametrize(("feed", "table"), list(LAYOUTS))
def test_first_night_holds_rows_of_every_table(population: Path, feed: str, table: str) -> None:
    lines = LAYOUTS[feed, table].path(population, NIGHT_DATES[0]).read_text(encoding="utf-8").count("\n")
    # A local list of priority offenders names a few.
    assert lines > (10 if feed == "priority_offenders" else 50)


@pytest.mark.parametrize(("feed", "table"), CHANGES)
def test_changes_follow_from_what_was_sent_before(population: Path, feed: str, table: str) -> None:
    layout = LAYOUTS[feed, table]
    sent: set[tuple[str, ...]] = set()
    for night in nights_of(feed):
        con = read(layout.path(population, night), load_contract(feed), layout.table)
        key = ", ".join(f'"{c}"' for c in layout.table.keys["row_key"])
        rows = con.execute(f'select "CHANGE_TYPE", {key} from delivered').fetchall()
        for change, *values in rows:
            assert (tuple(values) in sent) == (change != "I")
        sent |= {tuple(values) for change, *values in rows if change == "I"}
        sent -= {tuple(values) for change, *values in rows if change == "D"}


def test_later_nights_bring_changes_corrections_and_deletions(tmp_path: Path) -> None:
    generate(tmp_path, 8_000, 8, SEED, only_nights=range(1, 8))
    files = [str(p) for p in tmp_path.glob("inbox/*/police/*.csv")] + [str(p) for p in tmp_path.glob("inbox/*/housing/*.csv")]
    found = duckdb.connect().execute(f"select distinct CHANGE_TYPE from read_csv({files}, union_by_name = true, all_varchar = true)").fetchall()
    assert {code for (code,) in found} == {"I", "U", "D"}


def test_a_weekly_feed_brings_the_whole_week(tmp_path: Path) -> None:
    generate(tmp_path, 50_000, 15, SEED, only_nights=range(7, 15))
    files = sorted(tmp_path.glob("inbox/*/deaths/*.csv"))
    assert [path.parent.parent.name for path in files] == ["2026-11-08", "2026-11-15"]
    names = [str(path) for path in files]
    rows = duckdb.connect().execute(f"select CHANGE_TYPE, REGISTRATION_ID, DATE_REGISTERED from read_csv({names}, all_varchar = true)").fetchall()
    inserted = [entry for change, entry, _ in rows if change == "I"]
    assert len(inserted) == len(set(inserted)) > 5
    assert {change for change, *_ in rows} >= {"I", "U"}
    # What was registered from a week before the file on was not known a week before.
    assert all(day >= "2026-10-25" for change, _, day in rows if change == "I")


def test_events_are_sent_once_and_never_change(tmp_path: Path) -> None:
    generate(tmp_path, 8_000, 10, SEED)
    files = [str(path) for path in sorted(tmp_path.glob("inbox/*/custody/receptions*.csv"))]
    counts = duckdb.connect().execute(f"select count(*), count(distinct (PRISON_NO, RECEPTION_ID)) from read_csv({files}, all_varchar = true)")
    sent, distinct = counts.fetchall()[0]
    first = len(Path(files[0]).read_text(encoding="utf-8").splitlines()) - 1
    assert sent == distinct > first


def test_every_record_has_one_true_person(population: Path) -> None:
    con = duckdb.connect()
    con.execute(f"create table truth as select * from read_csv('{population}/truth/records.csv', all_varchar = true)").fetchall()
    shared = 'select 1 from truth group by feed, "table", agency_record_id having count(distinct true_person_id) > 1'
    assert con.execute(shared).fetchall() == []
    for feed, table in WHO_THEY_ARE:
        layout = LAYOUTS[feed, table]
        rows = read(layout.path(population, NIGHT_DATES[0]), layout.contract, layout.table)
        record = " || '|' || ".join(f'"{c}"' for c in layout.table.keys["record_key"])
        delivered = set(rows.execute(f"select distinct {record} from delivered").fetchall())
        assert delivered <= set(con.execute('select agency_record_id from truth where feed = ? and "table" = ?', [feed, table]).fetchall())


def test_treatment_gives_only_what_consent_allows(population: Path) -> None:
    layout = LAYOUTS["treatment", "ndtms"]
    con = read(layout.path(population, NIGHT_DATES[0]), layout.contract, layout.table)
    others = [c.name for c in layout.table.columns if c.name not in ("AGNCY", "CLIENTID", "CONSENT")]
    kept = " + ".join(f'count("{name}")' for name in others)
    refusals, values = con.execute(f"select count(*), {kept} from delivered where \"CONSENT\" = 'N'").fetchall()[0]
    assert refusals > 0
    assert values == 0


def test_events_of_the_truth_do_not_run_ahead(population: Path) -> None:
    latest = f"select max(greatest(start_date, coalesce(end_date, start_date))) from '{population}/truth/events.parquet'"
    assert duckdb.connect().execute(latest).fetchall()[0][0] <= NIGHT_DATES[-1]


@pytest.mark.parametrize(("people", "nights", "density"), [(3, 1, 1.0), (0, 1, 1.0), (2_000, 0, 1.0), (2_000, 500, 1.0), (2_000, 1, 0.0)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, people: int, nights: int, density: float) -> None:
    with pytest.raises(ValueError, match="people must be"):
        generate(tmp_path, people, nights, SEED, density)


def test_density_makes_initials_birth_and_sex_collide(tmp_path: Path) -> None:
    shared = {}
    for density in (1.0, 10e6 / 8_000):
        out = tmp_path / str(int(density))
        generate(out, 8_000, 1, SEED, density)
        nominals = str(LAYOUTS["police", "nominals"].path(out, NIGHT_DATES[0]))
        rows = duckdb.connect().execute(
            f"""select avg((n > 1)::int) from (
                select count(*) over (partition by left(FORENAME, 1), left(SURNAME, 1), DOB, SEX) as n
                from read_csv('{nominals}', all_varchar = true) where DOB is not null)"""
        )
        shared[density] = rows.fetchall()[0][0]
    # Among five million nominals 42 % share initials, birth and sex (linkage trials); 3 % here are duplicates of one person.
    assert shared[1.0] < 0.06
    assert 0.30 < shared[10e6 / 8_000] < 0.50


def test_offences_happen_in_places_of_no_real_map(population: Path) -> None:
    """Codes of LSOAs end below 040000 in England; a place has its centre, and some offences have none."""
    layout = LAYOUTS["police", "offences"]
    delivered = read(layout.path(population, NIGHT_DATES[0]), layout.contract, layout.table)
    codes = [code for (code,) in delivered.execute("select lsoa_code from delivered").fetchall()]
    known = [code for code in codes if code]
    assert {code[:4] for code in known} == {"E019"}
    assert 0.01 < 1 - len(known) / len(codes) < 0.12
    assert 0.2 < sum(int(code[3:]) % 300 == 0 for code in known) / len(known) < 0.5
