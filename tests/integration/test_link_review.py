"""Clerical review and explanations on a small linked vault: what is drawn, who sees what, what the verdicts say, and why links are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from tests.conftest import wipe
from typer.testing import CliRunner

from warehouse.cli_linkage import app
from warehouse.contracts.load import all_contracts
from warehouse.database import connect
from warehouse.link import stage
from warehouse.link.errors import LinkageFault
from warehouse.link.explain import explain
from warehouse.link.review import decisions, estimate, frames, sample
from warehouse.link.roles import LinkTable, link_tables
from warehouse.link.state import state_folder

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 1)
PEOPLE, TWINS, CLIENTS = 60, 6, 20
Values = dict[str, object]


@dataclass(frozen=True)
class Vault:
    """Who the records are: the person of each record key; some records by what was planted with them."""

    person: dict[UUID, int]
    twins: tuple[UUID, UUID]
    moved: tuple[UUID, UUID]
    client: tuple[UUID, UUID]


def letters(number: int, length: int) -> str:
    """A name that is nobody else's and sounds like nobody else's."""
    return "".join("BCDFLMNRT"[int(digit, 16) % 9] + "aeiou"[int(digit, 16) % 5] for digit in hashlib.sha256(str(number).encode()).hexdigest()[:length]).title()


def values(number: int) -> Values:
    """What is recorded of the nth person."""
    forename, surname, sector = letters(number, 3), letters(1_000 + number, 4), f"NE{number % 7 + 1} {number % 9}"
    return {
        "forename": forename, "surname": surname, "sex": "MF"[number % 2], "dob": date(1960, 1, 5) + timedelta(days=97 * number),
        "postcode": f"{sector}AB", "postcode_sector": sector, "forename_initial": forename[0], "surname_initial": surname[0],
    }  # fmt: skip


def put(connection: psycopg.Connection, table: LinkTable, key: UUID, what: Values) -> None:
    columns = {column: what[role] for role, column in table.columns.items() if role in what}
    names = sql.SQL(", ").join(sql.Identifier(name) for name in ("record_key", *columns, "_valid_from", "_row_hash"))
    connection.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier("vault", table.relation), names, sql.SQL(", ").join([sql.Placeholder()] * (len(columns) + 3))
        ),
        [key, *columns.values(), NIGHT, key],
    )


@pytest.fixture(scope="module")
def vault(warehouse_db: Path) -> Iterator[Vault]:
    """A linked night of two feeds with names and one without."""
    wipe()
    main = [table for table in link_tables(all_contracts()) if table.is_main]
    first, second = [table for table in main if table.is_named and {"postcode", "dob"} <= set(table.columns)][:2]
    minimal = next(table for table in main if not table.is_named)
    person: dict[UUID, int] = {}

    def add(connection: psycopg.Connection, table: LinkTable, number: int, **changes: object) -> UUID:
        key = UUID(hashlib.md5(f"{table.feed} {number}".encode(), usedforsecurity=False).hexdigest())
        put(connection, table, key, values(number) | changes)
        person[key] = number
        return key

    with connect("admin") as connection:
        one = [add(connection, first, number) for number in range(PEOPLE)]
        two = [add(connection, second, number) for number in range(PEOPLE // 2)]
        # Brothers and sisters: all the same but the forename.
        twins = [add(connection, second, 500 + number, **values(number) | {"forename": letters(9_000 + number, 3)}) for number in range(40, 40 + TWINS)]
        # Married, and the forename mis-heard: only the date of birth and the address are left, and no rule asks for those.
        moved = add(connection, second, 700, **values(50) | {"forename": "X" + letters(50, 3)[1:].lower(), "surname": letters(8_000, 4)})
        person[moved] = 50
        clients = [add(connection, minimal, number) for number in range(CLIENTS)]
    stage.link(NIGHT)
    yield Vault(person, (one[40], twins[0]), (one[50], moved), (one[0], clients[0]))
    assert two
    wipe()


@pytest.fixture(scope="module")
def drawn(vault: Vault) -> int:
    """A sample so large that it holds every pair there is."""
    night, pairs = sample.draw(5_000)
    assert night == NIGHT
    return pairs


def strata() -> dict[str, tuple[int, int]]:
    with connect("linker") as connection:
        return {
            f"{kind} {frame}": (counted, drawn)
            for kind, frame, counted, drawn in connection.execute(
                "select kind, frame, sum(counted_pairs)::int, sum(drawn_pairs)::int from linkage.review_stratum group by kind, frame"
            )
        }


def pair_keys() -> set[tuple[UUID, UUID]]:
    with connect("steward") as connection:
        return {(left, right) for left, right in connection.execute("select record_key_l, record_key_r from linkage.review_pair")}


def test_pairs_are_drawn_from_links_and_from_what_was_not_linked(vault: Vault, drawn: int) -> None:
    found = strata()
    assert found["named linked"] == (PEOPLE // 2, PEOPLE // 2)
    assert found["minimal linked"] == (CLIENTS, CLIENTS)
    assert found["named guarded"] == (TWINS, TWINS)
    assert sum(pairs for _, pairs in found.values()) == drawn
    assert {tuple(sorted(vault.twins)), tuple(sorted(vault.moved))} <= pair_keys()


def test_the_same_night_gives_the_same_sample(vault: Vault, drawn: int) -> None:
    before = pair_keys()
    assert sample.draw(5_000) == (NIGHT, drawn)
    assert pair_keys() == before


def test_a_small_sample_looks_into_every_stratum(vault: Vault, drawn: int) -> None:
    sample.draw(30)
    assert all(pairs >= min(counted, sample.LEAST_DRAWN) for counted, pairs in strata().values())
    sample.draw(5_000)


def test_in_a_large_vault_a_share_of_the_records_stands_for_all(vault: Vault, drawn: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = strata()
    monkeypatch.setattr(frames, "COMPARED_PAIRS", 100)
    sample.draw(5_000)
    with connect("linker") as connection:
        shares = dict(connection.execute("select frame, min(counted_share) from linkage.review_stratum where kind = 'named' group by frame").fetchall())
    assert shares["linked"] == 1
    assert all(share < 1 for frame, share in shares.items() if frame != "linked")
    assert strata()["named linked"] == whole["named linked"]
    assert strata().get("named guarded", (0, 0))[0] <= whole["named guarded"][0]
    monkeypatch.undo()
    sample.draw(5_000)
    assert strata() == whole


@pytest.mark.parametrize(
    "query",
    [
        "select stratum from linkage.review_pair",
        "select * from linkage.review_stratum",
        "select * from linkage.edge",
        "insert into linkage.review_pair (night, record_key_l, record_key_r, records_l, records_r, stratum, place) select night, record_key_l,"
        " record_key_l, records_l, records_l, '', 0 from linkage.review_pair",
        "select count(*) from vault." + link_tables(all_contracts())[0].relation,
    ],
)
def test_stewards_see_neither_scores_nor_the_vault_nor_widen_the_sample(vault: Vault, drawn: int, query: str) -> None:
    with connect("steward") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(query)


def test_nobody_else_may_ask_for_identifiers(vault: Vault, drawn: int) -> None:
    for role in ("analyst", "engineer", "transformer", "bi"):
        with connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from linkage.review_values(%s, 'x')", [NIGHT])


def test_a_steward_is_given_the_drawn_records_and_it_is_recorded(vault: Vault, drawn: int) -> None:
    pairs = decisions.pairs_to_judge(NIGHT, "ada")
    assert len(pairs) == drawn
    assert all(pair.left and pair.right and pair.verdict is None for pair in pairs)
    surnames = {row.get("surname") for pair in pairs for row in (*pair.left, *pair.right)}
    assert values(0)["surname"] in surnames
    with connect("linker") as connection:
        login, steward, records = connection.execute("select login, steward, records from linkage.review_access order by at desc limit 1").fetchone() or (
            "",
            "",
            0,
        )
    assert (login, steward) == ("wh_steward", "ada")
    assert 0 < records <= len(vault.person)


def test_verdicts_on_everything_give_exactly_what_is_true(vault: Vault, drawn: int) -> None:
    with connect("steward") as connection:
        keys = {pair: (left, right) for pair, left, right in connection.execute("select pair_id, record_key_l, record_key_r from linkage.review_pair")}
    for pair in decisions.pairs_to_judge(NIGHT, "ada"):
        left, right = keys[pair.pair_id]
        decisions.decide(pair.pair_id, "different", "ada")
        decisions.decide(pair.pair_id, "same" if vault.person[left] == vault.person[right] else "different", "ada")
    found = {(one.kind, one.cut): one for one in estimate.estimates(estimate.tallies(NIGHT))}
    named = found["named", "inclusive"]
    assert named.precision == estimate.Share(1, 1, 1)
    assert named.recall.value == pytest.approx((PEOPLE // 2) / (PEOPLE // 2 + 1)), "one true pair was missed by every rule"
    assert found["minimal", "inclusive"].recall.value == 1
    with pytest.raises(LinkageFault, match="judged already"):
        sample.draw(50)


def test_the_command_tells_the_estimate_and_writes_labels(vault: Vault, drawn: int, tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["review", "--estimate"])
    assert told.exit_code == 0, told.output
    assert "named     inclusive" in told.output
    assert f"{drawn:,} pairs judged" in told.output
    labels = tmp_path / "labels.csv"
    assert CliRunner().invoke(app, ["review", "--export", str(labels)]).exit_code == 0
    assert len(labels.read_text(encoding="utf-8").splitlines()) == drawn + 1
    with connect("engineer") as connection:
        kept = connection.execute(
            "select value from ops.linkage_metric where metric = 'review_precision' and feed_a = 'named' and feed_b = 'strict'"
        ).fetchone()
    assert kept == (1.0,)
    measured = CliRunner().invoke(app, ["evaluate", "--labels", str(labels), "--date", NIGHT.isoformat()])
    assert measured.exit_code == 0, measured.output
    assert "precision,1.0000" in measured.output


def test_stewards_who_disagree_cannot_tell(vault: Vault, drawn: int) -> None:
    pair = decisions.pairs_to_judge(NIGHT, "bob")[0]
    decisions.decide(pair.pair_id, "cannot tell", "bob")
    decisions.decide(pair.pair_id, "same", "eve")
    decisions.decide(pair.pair_id, "different", "fay")
    tallies = estimate.tallies(NIGHT)
    assert sum(tally.judged_twice for tally in tallies) == 1
    assert sum(tally.agreed for tally in tallies) == 0
    assert sum(tally.judged for tally in tallies) == drawn, "ada's verdict decides"


def stored_weight(pair: tuple[UUID, UUID]) -> float:
    with connect("linker") as connection:
        row = connection.execute("select match_weight from linkage.edge where record_key_l = %s and record_key_r = %s", sorted(pair)).fetchone()
    assert row is not None
    return float(row[0])


def test_an_explained_link_has_the_weight_of_its_edge(vault: Vault) -> None:
    keys = sorted(vault.person)
    pair = next((a, b) for a in keys for b in keys if a < b and vault.person[a] == vault.person[b] == 30 - 1)
    found = explain(NIGHT, *pair, "ada")
    assert found.is_named
    assert found.scored.weight == pytest.approx(stored_weight(pair), abs=0.01)
    assert found.scored.prior_bits + sum(step.bits + step.rarity_bits for step in found.scored.steps) == pytest.approx(found.scored.weight)
    assert found.together == ("strict", "balanced", "inclusive")
    assert found.scored.rules


def test_without_what_the_night_kept_the_vault_gives_the_same_explanation(vault: Vault) -> None:
    with_state = explain(NIGHT, *vault.client, "ada")
    state_folder().rename(state_folder().with_name("aside"))
    try:
        assert explain(NIGHT, *vault.client, "ada") == with_state
    finally:
        state_folder().with_name("aside").rename(state_folder())


def test_an_explained_client_stands_beside_its_candidates(vault: Vault) -> None:
    found = explain(NIGHT, *vault.client, "ada")
    assert not found.is_named
    assert found.scored.weight == pytest.approx(stored_weight(vault.client), abs=0.01)
    assert found.scored.candidates is not None
    assert found.scored.candidates.place == 1
    assert found.scored.candidates.posterior > 0.5


def test_what_kept_a_pair_apart_is_told(vault: Vault) -> None:
    assert explain(NIGHT, *vault.twins, "ada").scored.is_guarded
    missed = explain(NIGHT, *vault.moved, "ada")
    assert missed.scored.rules == ()
    assert missed.together == ()
    with pytest.raises(LinkageFault, match="was not linked"):
        explain(NIGHT, UUID(int=1), vault.client[0], "ada")
    with pytest.raises(LinkageFault, match="one record"):
        explain(NIGHT, vault.client[0], vault.client[0], "ada")
    with connect("linker") as connection:
        assert connection.execute("select count(*) > 2 from linkage.review_access where purpose = 'explain' and steward = 'ada'").fetchone() == (True,)


def test_the_command_writes_a_private_page(vault: Vault, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    asked = ["explain", "--left", str(vault.twins[0]), "--right", str(vault.twins[1]), "--date", NIGHT.isoformat(), "--page", str(page)]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0, told.output
    surname = str(values(40)["surname"])
    assert surname not in told.output
    assert surname in page.read_text(encoding="utf-8")
    assert CliRunner().invoke(app, asked).exit_code == 2, "the page is never overwritten"


def test_an_erased_record_takes_its_pairs_and_verdicts_with_it(vault: Vault, drawn: int) -> None:
    with connect("linker") as connection:
        connection.execute("create temp table forgotten on commit drop as select %s::uuid as record_key", [vault.client[1]])
        decisions.forget_pairs(connection)
    with connect("linker") as connection:
        left = connection.execute(
            "select (select count(*) from linkage.review_pair where %(key)s = any(records_l || records_r)),"
            " (select count(*) from linkage.review_decision where %(key)s in (record_key_l, record_key_r)), (select count(*) from linkage.review_pair)",
            {"key": vault.client[1]},
        ).fetchone()
    assert left == (0, 0, drawn - 1)
