"""Publication: every failure leaves last night's marts whole, and readers never see two nights at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.integration.published_marts import EXPECTED, FIRST_NIGHT, SECOND_NIGHT, STAGES, build, seen

from warehouse.database import DatabaseFault, connect
from warehouse.publish import gate
from warehouse.publish.errors import PublishBlocked, PublishRefused
from warehouse.publish.fingerprint import fingerprints
from warehouse.publish.slots import idle_slot, live_slot
from warehouse.publish.stage import publish

pytestmark = pytest.mark.integration

NO_PATIENCE: tuple[float, ...] = ()


@pytest.fixture(autouse=True)
def small_project(clean_db: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A dbt project of one mart and one published table, and a warehouse with nothing published."""
    monkeypatch.setattr(gate, "expected_tables", lambda: EXPECTED)
    yield
    with connect("admin") as connection:
        connection.execute("drop schema if exists shared cascade")


def analysts_view() -> None:
    """A view of the analyst on a mart, in a schema of her own."""
    with connect("admin") as connection:
        connection.execute("create schema shared authorization wh_analyst")
    with connect("analyst") as connection:
        connection.execute("create view shared.my_people as select person_no, night_no from marts.dim_person")


def test_slots_alternate_and_a_rerun_changes_nothing() -> None:
    with connect("transformer") as connection:
        assert live_slot(connection) is None
        assert idle_slot(connection) == "blue"
    build(FIRST_NIGHT)
    assert publish(FIRST_NIGHT) == {"views": 2, "created": 2, "columns_changed": 0, "dropped": 0}
    before = fingerprints()
    assert publish(FIRST_NIGHT) == {"views": 2, "created": 0, "columns_changed": 0, "dropped": 0}
    assert fingerprints() == before
    with connect("engineer") as connection:
        assert connection.execute("select night, slot, is_live from ops.publication").fetchall() == [(FIRST_NIGHT, "blue", True)]
    build(SECOND_NIGHT, value="'two'")
    assert seen() == {"one"}, "building must not show"
    publish(SECOND_NIGHT)
    assert seen() == seen("bi", "published.outcome_rates") == {"two"}
    publish(SECOND_NIGHT)
    assert seen() == {"two"}, "publishing again must not go back to the older slot"
    with connect("engineer") as connection:
        assert live_slot(connection) == "green"
        assert idle_slot(connection) == "blue"


def test_the_same_night_built_again_is_published_from_the_other_slot() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    before = fingerprints()
    assert build(FIRST_NIGHT) == "green"
    publish(FIRST_NIGHT)
    assert fingerprints() == before
    with connect("engineer") as connection:
        assert connection.execute("select slot, is_live from ops.publication order by publication_id").fetchall() == [
            ("blue", False),
            ("green", True),
        ]


def test_who_may_read_what() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    assert seen("analyst", "published.outcome_rates") == {"one"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen("bi", "marts.dim_person")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen("analyst", "marts_blue.dim_person")


def test_views_of_others_survive_and_new_columns_come_last() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    analysts_view()
    wider = "create table marts_{slot}.dim_person as select 'x'::text as extra, n as person_no, 'two'::text as night_no from generate_series(1, 3) n"
    build(SECOND_NIGHT, "drop table marts_{slot}.dim_person", wider)
    assert publish(SECOND_NIGHT)["columns_changed"] == 0
    assert seen("analyst", "shared.my_people") == {"two"}
    with connect("analyst") as connection:
        cursor = connection.execute("select * from marts.dim_person")
        assert [column.name for column in cursor.description or []] == ["person_no", "night_no", "extra"]


def test_comments_come_along() -> None:
    build(FIRST_NIGHT, "comment on table marts_{slot}.dim_person is 'People'", "comment on column marts_{slot}.dim_person.night_no is 'Night'")
    publish(FIRST_NIGHT)
    with connect("analyst") as connection:
        row = connection.execute("select obj_description('marts.dim_person'::regclass), col_description('marts.dim_person'::regclass, 2)").fetchone()
    assert row == ("People", "Night")


def test_a_column_withdrawn_drops_the_view_and_keeps_its_readers() -> None:
    build(FIRST_NIGHT, "alter table marts_{slot}.dim_person add withdrawn integer")
    publish(FIRST_NIGHT)
    with connect("transformer") as connection:
        connection.execute("grant select on marts.dim_person to wh_engineer")
        connection.execute("grant usage on schema marts to wh_engineer")
    build(SECOND_NIGHT, value="'two'")
    assert publish(SECOND_NIGHT)["columns_changed"] == 1
    assert seen("analyst") == seen("engineer") == {"two"}
    with connect("transformer") as connection:
        connection.execute("revoke usage on schema marts from wh_engineer")


def test_a_column_withdrawn_from_under_an_analysts_view_is_refused() -> None:
    build(FIRST_NIGHT, "alter table marts_{slot}.dim_person add withdrawn integer")
    publish(FIRST_NIGHT)
    analysts_view()
    before = fingerprints()
    build(SECOND_NIGHT, value="'two'")
    with pytest.raises(PublishRefused, match=r"marts\.dim_person .*withdrawn withdrawn.*view shared\.my_people \(owner wh_analyst\)"):
        publish(SECOND_NIGHT)
    assert fingerprints() == before
    assert seen("analyst", "shared.my_people") == {"one"}


def test_views_of_tables_that_are_gone_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    monkeypatch.setattr(gate, "expected_tables", lambda: {"marts": frozenset({"dim_person"}), "published": frozenset()})
    build(SECOND_NIGHT, value="'two'")
    assert publish(SECOND_NIGHT)["dropped"] == 1
    assert set(fingerprints()) == {"marts.dim_person"}


@pytest.mark.parametrize("missing", STAGES)
def test_a_stage_that_did_not_pass_refuses_the_night(missing: str) -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    before = fingerprints()
    build(SECOND_NIGHT, value="'two'", stages=tuple(stage for stage in STAGES if stage != missing))
    with pytest.raises(PublishRefused, match=f"{missing} \\(never ran\\)"):
        publish(SECOND_NIGHT)
    assert fingerprints() == before


def test_a_failed_rebuild_after_a_good_one_refuses_the_night() -> None:
    build(FIRST_NIGHT)
    with connect("transformer") as connection:
        connection.execute("insert into ops.stage_run (night, stage, status) values (%s, 'model.marts', 'failed')", [FIRST_NIGHT])
    with pytest.raises(PublishRefused, match=r"model\.marts \(failed\)"):
        publish(FIRST_NIGHT)


def test_half_a_rebuild_is_refused() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    build(FIRST_NIGHT, stages=("model.published",))
    with pytest.raises(PublishRefused, match=r"model\.marts, model\.estimates has not run for this night since the last publication"):
        publish(FIRST_NIGHT)


def test_an_older_night_does_not_replace_a_later_one() -> None:
    build(SECOND_NIGHT)
    publish(SECOND_NIGHT)
    build(FIRST_NIGHT)
    with pytest.raises(PublishRefused, match="later night 2026-11-02 is live"):
        publish(FIRST_NIGHT)


def test_going_back_to_last_night_while_its_tables_still_stand() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    build(SECOND_NIGHT, value="'two'")
    publish(SECOND_NIGHT)
    publish(FIRST_NIGHT)
    assert seen() == {"one"}
    assert build(SECOND_NIGHT, value="'two, mended'") == "green"
    publish(SECOND_NIGHT)
    assert seen() == {"two, mended"}
    build(SECOND_NIGHT)
    with pytest.raises(PublishRefused, match="build these layers again"):
        publish(FIRST_NIGHT)


def test_missing_and_emptied_tables_are_refused() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    build(SECOND_NIGHT, "drop table published_{slot}.outcome_rates")
    with pytest.raises(PublishRefused, match=r"did not make published\.outcome_rates"):
        publish(SECOND_NIGHT)
    build(SECOND_NIGHT, "delete from marts_{slot}.dim_person")
    with pytest.raises(PublishRefused, match=r"marts\.dim_person would become empty"):
        publish(SECOND_NIGHT)
    assert seen() == {"one"}


def test_a_database_failure_in_the_middle_leaves_last_night(monkeypatch: pytest.MonkeyPatch) -> None:
    from warehouse.publish import stage

    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    build(SECOND_NIGHT, value="'two'")

    def fail(connection: psycopg.Connection[object], *_: object) -> None:
        connection.execute("select 1 / 0")

    monkeypatch.setattr(stage, "_record", fail)
    with pytest.raises(DatabaseFault, match="22012"):
        publish(SECOND_NIGHT)
    assert seen() == seen("bi", "published.outcome_rates") == {"one"}


def test_a_transaction_sees_one_night_only_and_publication_gives_way() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    build(SECOND_NIGHT, value="'two'")
    with connect("analyst") as reader:
        first = reader.execute("select distinct night_no from marts.dim_person").fetchall()
        with pytest.raises(PublishBlocked, match=r"wh_analyst \(process \d+\)"):
            publish(SECOND_NIGHT, pauses=NO_PATIENCE)
        assert reader.execute("select distinct night_no from published.outcome_rates").fetchall() == first
    publish(SECOND_NIGHT, pauses=NO_PATIENCE)
    assert seen() == {"two"}


def test_readers_at_work_during_publications_never_see_a_mix_and_never_fail() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    nights: list[set[str]] = []
    failures: list[str] = []
    stop = threading.Event()
    views = ("marts.dim_person", "published.outcome_rates")

    def read(order: tuple[str, ...]) -> None:
        with connect("analyst", autocommit=True) as connection:
            while not stop.is_set():
                try:
                    with connection.transaction():
                        nights.append({row[0] for view in order for row in connection.execute(f"select night_no from {view}, pg_sleep(0.02)")})
                except psycopg.Error as error:
                    failures.append(type(error).__name__)
                time.sleep(0.05)

    # Readers that take the views in different orders are what a careless publication deadlocks with.
    readers = [threading.Thread(target=read, args=(order,)) for order in (views, views[::-1], views[::-1])]
    for reader in readers:
        reader.start()
    try:
        for turn in range(5):
            build(SECOND_NIGHT, value=f"'turn {turn}'")
            publish(SECOND_NIGHT)
    finally:
        stop.set()
        for reader in readers:
            reader.join(timeout=30)
    assert failures == []
    assert len({night for seen_together in nights for night in seen_together}) >= 3, "the readers must have seen the marts change"
    assert [seen_together for seen_together in nights if len(seen_together) > 1] == []


def test_killed_in_the_middle_and_run_again() -> None:
    build(FIRST_NIGHT)
    publish(FIRST_NIGHT)
    build(SECOND_NIGHT, value="'two'")
    before = fingerprints()
    program = (
        "from datetime import date; from warehouse.publish import gate, stage;"
        "gate.expected_tables = lambda: {'marts': {'dim_person'}, 'published': {'outcome_rates'}};"
        f"stage.publish(date({SECOND_NIGHT.year}, {SECOND_NIGHT.month}, {SECOND_NIGHT.day}))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with connect("transformer") as blocker:
        # The views are repointed by then; only the record of the publication waits for this lock.
        blocker.execute("lock table ops.publication in share mode")
        process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE)
        try:
            _wait_until_blocked()
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    assert fingerprints() == before
    publish(SECOND_NIGHT)
    assert seen() == seen("bi", "published.outcome_rates") == {"two"}


def _wait_until_blocked() -> None:
    with connect("admin", autocommit=True) as connection:
        for _ in range(200):
            row = connection.execute("select count(*) from pg_locks where not granted and relation = 'ops.publication'::regclass").fetchone()
            if row and row[0]:
                return
            time.sleep(0.1)
    raise AssertionError("publication never came to its last step")
