"""A build that follows the night's change leaves the tables that a whole build leaves, whatever changed and whatever was interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest
from psycopg import sql
from tests.conftest import wipe
from tests.integration import changing_rows
from tests.integration.test_link_nights import admit_night

from warehouse.database import connect
from warehouse.model import runner, stage, state
from warehouse.synth.generate import generate

pytestmark = pytest.mark.integration

# A month ends between the second and the third.
FIRST, SECOND, THIRD = date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 2)
PEOPLE = 600
# Without tests, and without what is built whole in any case.
FOLLOWING = {
    "seeds": ("seed",),
    "staging": ("build", "--select", "path:models/staging", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
    "intermediate": ("run", "--select", "path:models/intermediate,+config.materialized:incremental"),
    "marts": ("run", "--select", "path:models/marts,config.materialized:incremental"),
}
# What says which persons a build wrote; a whole build names nobody.
OF_THE_BUILD = ("int_relinked_persons", "int_persons_due", "int_persons_touched", "int_persons_to_build", "int_changed_links", "int_links_to_build")
HASH = "select count(*), sum(('x' || left(md5(t::text), 15))::bit(60)::bigint) from {} as t"

Tables = dict[str, Any]


def tables(*schemas: str) -> Tables:
    """Count and hash of the rows of every modelled table."""
    with connect("transformer") as connection:
        names = connection.execute("select schemaname, tablename from pg_tables where schemaname = any(%s)", [list(schemas)]).fetchall()
        return {
            f"{schema}.{name}": connection.execute(sql.SQL(HASH).format(sql.Identifier(schema, name))).fetchone()
            for schema, name in names
            if name not in OF_THE_BUILD and not name.startswith("model_")
        }


def one(query: LiteralString) -> int:
    with connect("transformer") as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def build(night: date, *layers: str) -> list[int]:
    """Build layers over the staging views of the night; for each whether it was built whole."""
    stage.build(night, "staging")
    return [stage.build(night, layer)["built_whole"] for layer in layers]


@pytest.fixture(scope="module")
def nights(warehouse_db: Path) -> Iterator[dict[str, Any]]:
    """Three nights, the third interrupted and its past rewritten; then the third built whole."""
    wipe()
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "COMMANDS", FOLLOWING)
        generate(warehouse_db / "people", PEOPLE, 1, seed=3, first_night=FIRST)
        admit_night(warehouse_db / "people" / "inbox", FIRST)
        changing_rows.link_at_random(FIRST)
        changing_rows.reach_less_far(FIRST)
        stage.build(FIRST, "seeds")
        found["first"] = build(FIRST, "intermediate", "marts")

        changing_rows.change(SECOND, salt=1)
        changing_rows.erase(salt=1)
        found["second"] = build(SECOND, "intermediate")
        found["due"] = one("select count(*) from intermediate.int_persons_due")

        changing_rows.change(THIRD, salt=2)
        stage.build(THIRD, "staging")
        with connect("transformer") as connection:
            state.plan(connection, THIRD)
        killed = ["run", "--select", "path:models/intermediate,+int_treatment_episodes", "path:models/intermediate,+int_benefit_spells"]
        assert runner.invoke(killed, {"slot": "blue", "as_at": THIRD.isoformat()}).error is None
        # Linkage ran again and took half of its changes back; a delivery came late for the night before.
        changing_rows.take_links_back(THIRD)
        changing_rows.rewrite(SECOND)
        found["third"] = build(THIRD, "intermediate", "marts")
        found["touched"] = one("select count(*) from intermediate.int_persons_to_build")
        found["persons"] = one("select count(*) from intermediate.int_person_standing")
        found["followed"] = tables("intermediate", "marts_blue")
        with connect("transformer") as connection:
            connection.execute("delete from intermediate.model_build")
        found["third again"] = build(THIRD, "intermediate", "marts")
        found["whole"] = tables("intermediate", "marts_blue")
        # A feed is late, and nothing else has changed.
        with connect("admin") as connection:
            connection.execute("insert into ops.night_feed (night, feed, is_stale, reason) values (%s, 'police', true, 'late')", [THIRD])
        late = ["run", "--select", "int_stale_feeds", "outcome_recovery"]
        assert runner.invoke(late, {"slot": "blue", "as_at": THIRD.isoformat()}).error is None
        found["late"] = one("select count(*) from marts_blue.outcome_recovery where stale_feeds = 'police'")
        found["journeys"] = one("select count(*) from marts_blue.outcome_recovery")
        yield found


def test_only_a_build_without_a_state_is_whole(nights: dict[str, Any]) -> None:
    assert nights["first"] == [1, 1]
    assert nights["second"] == [0]
    assert nights["third"] == [0, 0]
    assert nights["third again"] == [1, 1]


def test_following_the_change_ends_where_a_whole_build_does(nights: dict[str, Any]) -> None:
    followed, whole = nights["followed"], nights["whole"]
    assert followed.keys() == whole.keys()
    assert {name for name in whole if followed[name] != whole[name]} == set()
    filled = {name.split(".")[1] for name, row in whole.items() if row[0]}
    assert {"int_person_links", "int_treatment_journeys", "int_accommodation_spells", "int_benefit_spells", "int_proven_offences"} <= filled


def test_who_waited_for_a_feed_is_answered_when_it_comes(nights: dict[str, Any]) -> None:
    """The comparison with a whole build says that the answers are right; this, that there were any to give."""
    assert nights["due"] > 0


def test_a_late_feed_is_named_on_every_row(nights: dict[str, Any]) -> None:
    assert nights["late"] == nights["journeys"] > 0


def test_fewer_persons_are_written_than_there_are(nights: dict[str, Any]) -> None:
    """What the change of the two nights touched was a part of the population; else the comparison would say little."""
    assert 0 < nights["touched"] < 0.8 * nights["persons"]


@pytest.fixture
def planned(nights: dict[str, Any]) -> Iterator[Any]:
    """A connection on which builds are planned and forgotten again; the third night stands."""
    with connect("transformer") as connection:
        yield connection
        connection.rollback()


def test_a_night_built_again_starts_from_the_night_before(planned: Any) -> None:
    assert state.plan(planned, THIRD).is_whole  # the only build that stands is of this night
    planned.rollback()
    assert not state.plan(planned, THIRD + timedelta(days=1)).is_whole


def test_a_past_night_is_built_whole(planned: Any) -> None:
    assert state.plan(planned, SECOND).is_whole


def test_another_project_builds_whole(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "project_hash", lambda: "another")
    assert state.plan(planned, THIRD + timedelta(days=1)).is_whole


def test_rewritten_inputs_are_not_started_from(planned: Any) -> None:
    planned.execute("update ops.delivery set finished_at = now() + interval '1 hour' where night = %s", [FIRST])
    assert state.plan(planned, THIRD + timedelta(days=1)).is_whole


def test_a_whole_build_that_did_not_finish_is_begun_again(planned: Any) -> None:
    planned.execute("update intermediate.model_build set is_finished = false")
    assert state.plan(planned, THIRD + timedelta(days=1)).is_whole


def test_a_table_that_is_gone_is_built_whole(planned: Any) -> None:
    planned.execute("drop table intermediate.int_benefit_spells cascade")
    assert state.plan(planned, THIRD + timedelta(days=1)).is_whole


def test_a_slot_follows_only_the_build_of_its_night(planned: Any) -> None:
    assert not state.slot_follows(planned, "green", THIRD)
    assert not state.slot_follows(planned, "blue", SECOND)


def test_seeds_are_loaded_when_their_files_changed(planned: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state.seeds_stand(planned)
    monkeypatch.setattr(state, "hash_of", lambda *_: "another")
    assert not state.seeds_stand(planned)
    monkeypatch.undo()
    assert not state.seeds_stand(planned)  # what they held is forgotten until they have been loaded
