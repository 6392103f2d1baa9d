"""Person ids from night to night: created, kept, merged, split, retired, and the same after every rerun."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import numpy as np
import pytest
from tests.conftest import wipe
from typer.testing import CliRunner

from warehouse.cli_linkage import app
from warehouse.database import connect, zones
from warehouse.link import guards, resolve
from warehouse.link.errors import LinkageFault
from warehouse.link.forget import forget_files
from warehouse.link.guards import NightRefused
from warehouse.link.models import policy
from warehouse.orchestrate import as_at

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 1)
NEXT = NIGHT + timedelta(days=1)
LATER = NIGHT + timedelta(days=2)
Clusters = list[set[int]]
Edges = list[tuple[int, int, float]]


def settle(night: date, clusters: Clusters, strict: Clusters | None = None, inclusive: Clusters | None = None, edges: Edges | None = None) -> dict[str, int]:
    """Write a night whose clusters hold these records; the other certainties' clusters are the same unless said."""
    with duckdb.connect() as session, tempfile.TemporaryDirectory() as folder:
        lay_out(session, {"strict": strict or clusters, "balanced": clusters, "inclusive": inclusive or clusters}, edges or [])
        return resolve.write(session, night, Path(folder))


def lay_out(session: duckdb.DuckDBPyConnection, clusters: dict[str, Clusters], edges: Edges) -> None:
    """The tables that `resolve.write` reads, as clustering leaves them."""
    numbers = {certainty: {record: min(cluster) for cluster in found for record in cluster} for certainty, found in clusters.items()}
    session.execute("create table node (record_no int, record_key uuid, feed varchar, strict int, balanced int, inclusive int)")
    rows = [(n, UUID(int=n), "police", *(of[n] for of in numbers.values())) for n in numbers["balanced"]]
    session.executemany("insert into node values (?, ?, ?, ?, ?, ?)", rows)
    session.execute("create table record as select record_no, record_key, feed, true as is_named from node")
    session.execute("create table person_node as select record_no, record_key, feed, balanced as cluster_no from node")
    session.execute(
        "create table edge (record_l int, record_r int, match_weight double, model varchar default 'named', match_probability double default 0.9,"
        " match_key int default 0, level int default 2)"
    )
    if edges:
        session.executemany("insert into edge (record_l, record_r, match_weight) values (?, ?, ?)", edges)
    session.execute("create table metric (metric varchar, feed_a varchar, feed_b varchar, value double)").fetchall()


def links(night: date, certainty: str = "balanced") -> dict[int, UUID]:
    """The person of each record as the links stood after a night."""
    with connect("transformer") as connection:
        rows = connection.execute("select record_key, person_id from linkage.person_link_as_at(%s, %s)", [night, certainty]).fetchall()
    assert len(rows) == len({key for key, _ in rows}), "a record has two persons"
    return {key.int: person for key, person in rows}


def events(night: date) -> list[tuple[str, UUID, UUID | None]]:
    with connect("linker") as connection:
        return connection.execute(
            "select event, person_id, other_person_id from linkage.person_event where night = %s and certainty = 'balanced' order by 1, 2", [night]
        ).fetchall()


def written(night: date) -> set[int]:
    """The records whose balanced link began or ended on a night."""
    with connect("linker") as connection:
        rows = connection.execute(
            "select distinct record_key from linkage.person_link where certainty = 'balanced' and (_valid_from = %(night)s or _valid_to = %(night)s)",
            {"night": night},
        ).fetchall()
    return {key.int for (key,) in rows}


def everything() -> list[list[tuple[object, ...]]]:
    with connect("linker") as connection:
        return [
            sorted(connection.execute(f"select {table}::text from linkage.{table}").fetchall())  # a row as one text
            for table in ("person", "person_link", "person_event", "edge")
        ]


def test_every_cluster_becomes_a_person_of_its_own(clean_db: Path) -> None:
    counts = settle(NIGHT, [{1, 2}, {3}])
    found = links(NIGHT)
    assert found[1] == found[2] != found[3]
    assert counts == {"records": 3, "persons": 2, "created": 2, "merged": 0, "split": 0, "retired": 0}
    assert {event for event, _, _ in events(NIGHT)} == {"created"}


def test_ids_are_random_and_of_version_four(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2}])
    (person,) = set(links(NIGHT).values())
    assert person.version == 4
    settle_again = links(NIGHT)
    assert set(settle_again.values()) == {person}


def test_a_new_record_joins_its_person(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2}])
    before = links(NIGHT)
    counts = settle(NEXT, [{1, 2, 3}])
    assert set(links(NEXT).values()) == set(before.values())
    assert events(NEXT) == []
    assert counts["created"] == 0


def test_a_merge_keeps_the_id_that_brings_most_records(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2}, {3}])
    before = links(NIGHT)
    settle(NEXT, [{1, 2, 3}])
    assert set(links(NEXT).values()) == {before[1]}
    assert events(NEXT) == [("merged", before[3], before[1])]
    assert links(NIGHT) == before, "yesterday can still be read as it was"


def test_a_merge_of_equals_keeps_the_older_id(clean_db: Path) -> None:
    settle(NIGHT, [{7}])
    old = links(NIGHT)[7]
    settle(NEXT, [{7}, {1}])
    settle(LATER, [{1, 7}])
    assert set(links(LATER).values()) == {old}


def test_a_split_leaves_the_id_with_the_larger_part(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2, 3}])
    (whole,) = set(links(NIGHT).values())
    counts = settle(NEXT, [{1}, {2, 3}])
    found = links(NEXT)
    assert found[2] == found[3] == whole != found[1]
    assert events(NEXT) == [("split", found[1], whole)]
    assert counts["split"] == 1


def test_parts_that_change_partners_keep_their_ids(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2, 3}, {4, 5}])
    before = links(NIGHT)
    settle(NEXT, [{1, 2, 3, 4}, {5}])
    found = links(NEXT)
    assert found[4] == before[1]
    assert found[5] == before[5]
    assert events(NEXT) == []


def test_a_person_without_records_is_retired_and_its_id_not_used_again(clean_db: Path) -> None:
    settle(NIGHT, [{1}, {2}])
    before = links(NIGHT)
    settle(NEXT, [{2}])
    assert events(NEXT) == [("retired", before[1], None)]
    settle(LATER, [{1}, {2}])
    assert links(LATER)[1] not in before.values()


@pytest.mark.parametrize("second", [[{1, 2, 3}], [{1}, {2}, {3}], [{1, 4}, {2, 3}], [{5}]], ids=["merged", "split", "moved", "all new"])
def test_a_night_again_changes_nothing(clean_db: Path, second: Clusters) -> None:
    settle(NIGHT, [{1, 2}, {3}])
    settle(NIGHT, [{1, 2}, {3}])
    settle(NEXT, second)
    first_time = everything()
    counts = settle(NEXT, second)
    assert everything() == first_time
    assert settle(NEXT, second) == counts


def test_a_night_again_with_other_clusters_ends_as_if_they_had_been_the_first(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2}, {3}])
    before = links(NIGHT)
    settle(NEXT, [{1, 2, 3}])
    settle(NEXT, [{1, 2}, {3}, {4}])
    found = links(NEXT)
    assert {n: found[n] for n in (1, 2, 3)} == before
    assert events(NEXT) == [("created", found[4], None)]
    with connect("linker") as connection:
        assert connection.execute("select count(*) from linkage.person where certainty = 'balanced'").fetchone() == (3,)
        assert connection.execute("select count(*) from linkage.person_link where _valid_from >= coalesce(_valid_to, 'infinity')").fetchone() == (0,)


def test_a_night_that_a_later_one_followed_is_refused(clean_db: Path) -> None:
    settle(NIGHT, [{1}])
    settle(NEXT, [{1}, {2}])
    with pytest.raises(LinkageFault, match="2026-11-02 has been linked after it"):
        settle(NIGHT, [{1}])


def test_each_certainty_has_ids_of_its_own(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2}, {3}], strict=[{1}, {2}, {3}], inclusive=[{1, 2, 3}])
    strict, balanced, inclusive = (links(NIGHT, certainty) for certainty in ("strict", "balanced", "inclusive"))
    assert (len(set(strict.values())), len(set(balanced.values())), len(set(inclusive.values()))) == (3, 2, 1)
    assert len({*strict.values(), *balanced.values(), *inclusive.values()}) == 6
    counts = settle(NEXT, [{1, 2, 3}], strict=[{1}, {2}, {3}], inclusive=[{1, 2, 3}])
    assert counts["merged"] == 1
    assert links(NEXT, "strict") == strict and links(NEXT, "inclusive") == inclusive


def test_only_records_whose_person_changes_are_written(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2}, {3}, {4, 5}, {6}])
    settle(NEXT, [{1, 2}, {3, 7}, {4, 5}, {8}])
    assert written(NEXT) == {6, 7, 8}
    assert links(NEXT)[3] == links(NEXT)[7] == links(NIGHT)[3]


def test_of_equal_parts_the_one_with_the_oldest_link_keeps_the_id(clean_db: Path) -> None:
    settle(NIGHT, [{8}])
    settle(NEXT, [{5, 8}])
    settle(LATER, [{5}, {8}])
    assert links(LATER)[8] == links(NIGHT)[8] != links(LATER)[5]


def test_an_id_that_was_merged_away_leads_to_the_one_that_stands(clean_db: Path) -> None:
    settle(NIGHT, [{1}, {2, 3}, {4, 5, 6, 7}])
    first = links(NIGHT)
    settle(NEXT, [{1, 2, 3}, {4, 5, 6, 7}])
    settle(LATER, [{1, 2, 3, 4, 5, 6, 7}])
    with connect("linker") as connection:
        found = connection.execute("select person_id, successor_id, night from linkage.person_successor where certainty = 'balanced'").fetchall()
    assert sorted(found) == sorted([(first[1], first[4], LATER), (first[2], first[4], LATER)])


def history() -> list[tuple[object, ...]]:
    """All links, with each id replaced by the first record and night it was given to, so that two runs can be compared."""
    with connect("linker") as connection:
        return connection.execute(
            """
            with named as (
                select *, first_value(record_key) over of_person as first_record, first_value(_valid_from) over of_person as first_night
                from linkage.person_link
                window of_person as (partition by person_id order by _valid_from, record_key)
            )
            select record_key, certainty, _valid_from, _valid_to, first_record, first_night from named order by 1, 2, 3
            """
        ).fetchall()


def test_a_sequence_of_nights_ends_alike_with_and_without_the_copy_that_each_keeps(clean_db: Path) -> None:
    rng = np.random.default_rng(7)
    nights = [(NIGHT + timedelta(days=number), random_nested(rng), random_nested(rng)) for number in range(4)]
    found = []
    for is_disturbed in (False, True):
        wipe()
        for night, nested, others in nights:
            if is_disturbed:
                # What is kept in files is lost, as by an erasure, and the night was run before with other clusters.
                forget_files()
                settle(night, others[1])
            settle(night, nested[1], strict=nested[0], inclusive=nested[2])
            for certainty, clusters in zip(("strict", "balanced", "inclusive"), nested, strict=True):
                of = links(night, certainty)
                assert {frozenset(n for n in of if of[n] == person) for person in of.values()} == set(map(frozenset, clusters)), certainty
        found.append(history())
    assert found[0] == found[1]


def random_nested(rng: np.random.Generator) -> list[Clusters]:
    """Strict, balanced and inclusive clusters of some of thirty records, each nested in the next."""
    there = [int(n) for n in rng.permutation(30)[:25] + 1]
    strict = [set(there[n : n + 2]) for n in range(0, 25, 2)]
    balanced = [set().union(*strict[n : n + 2]) for n in range(0, len(strict), 2)]
    return [strict, balanced, [set().union(*balanced[n : n + 2]) for n in range(0, len(balanced), 2)]]


def test_churn_above_the_limit_stops_the_night_until_somebody_accepts_it(clean_db: Path) -> None:
    settle(NIGHT, [{2 * n, 2 * n + 1} for n in range(1, 150)])
    before = everything()
    with pytest.raises(NightRefused, match=r"Churn .* 99\.33% at strict \(296 of 298 records\).*accept-churn --guard churn --date 2026-11-02"):
        settle(NEXT, [set(range(2, 300))])
    assert everything() == before
    with pytest.raises(ValueError, match="Say why"):
        guards.accept(NEXT, "churn", " ", "steward")
    with pytest.raises(ValueError, match="largest_cluster"):
        guards.accept(NEXT, "weather", "rain", "steward")
    guards.accept(NEXT, "churn", "two registers were joined", "steward")
    settle(NEXT, [set(range(2, 300))])
    assert len(set(links(NEXT).values())) == 1


def test_a_night_unlike_the_last_ones_stops_before_anything_is_written(clean_db: Path) -> None:
    settle(NIGHT, [{1}])
    with connect("linker") as connection:
        for back in (1, 2, 3):
            for metric, feed, value in (("persons_total", "", 9), ("completeness_nino", "police", 0.5), ("edges_per_record", "", 0.0)):
                connection.execute(
                    "insert into ops.linkage_metric (night, metric, feed_a, value) values (%s, %s, %s, %s)", [NEXT - timedelta(back), metric, feed, value]
                )
    before = everything()
    with pytest.raises(NightRefused, match=r"completeness_nino of police is 0, usually 0.5, and may fall by 0.1"):
        settle(NEXT, [{1}, {2}])
    assert everything() == before
    guards.accept(NEXT, "drift", "the police have stopped sending it", "steward")
    settle(NEXT, [{1}, {2}])
    assert set(links(NEXT)) == {1, 2}


def test_a_person_with_too_many_records_stops_the_night(clean_db: Path) -> None:
    limits = policy().guards
    tonight = {("largest_cluster", ""): limits.largest_cluster + 1.0}
    with connect("linker") as connection, pytest.raises(NightRefused, match=r"would have 61 records; at most 60 .*--guard largest_cluster"):
        guards.check_night(connection, NIGHT, tonight, limits)
    guards.accept(NIGHT, "largest_cluster", "a hostel's records, looked at", "steward")
    with connect("linker") as connection:
        guards.check_night(connection, NIGHT, tonight, limits)


def test_the_links_of_a_past_night_come_as_csv(clean_db: Path) -> None:
    settle(NIGHT, [{1}, {2}])
    settle(NEXT, [{1, 2}], strict=[{1}, {2}])
    then = links(NIGHT)
    lines = b"".join(as_at.links(NIGHT)).decode().splitlines()
    assert lines == ["record_key,feed,person_id", *(f"{UUID(int=record)},police,{then[record]}" for record in (1, 2))]
    assert len({line.split(",")[2] for line in b"".join(as_at.links(NEXT)).decode().splitlines()[1:]}) == 1
    assert len({line.split(",")[2] for line in b"".join(as_at.links(NEXT, "strict")).decode().splitlines()[1:]}) == 2
    assert CliRunner().invoke(app, ["as-at", "--date", NIGHT.isoformat()]).stdout.splitlines() == lines
    with pytest.raises(ValueError, match="no certainty 'certain'"):
        next(as_at.links(NIGHT, "certain"))


def test_only_edges_whose_score_changed_are_written(clean_db: Path) -> None:
    settle(NIGHT, [{1, 2, 3}, {4}], edges=[(1, 2, 9.0), (2, 3, 5.0)])
    settle(NEXT, [{1, 2, 3}, {4}], edges=[(1, 2, 9.0), (2, 3, 6.0), (3, 4, 1.0)])
    with connect("linker") as connection:
        found = connection.execute("select record_key_l, record_key_r, match_weight, night from linkage.edge order by 1, 2").fetchall()
    assert [(left.int, right.int, weight, night) for left, right, weight, night in found] == [(1, 2, 9.0, NIGHT), (2, 3, 6.0, NEXT), (3, 4, 1.0, NEXT)]
    settle(LATER, [{1}, {2}, {3}, {4}])
    with connect("linker") as connection:
        assert connection.execute("select count(*) from linkage.edge").fetchone() == (0,)


def test_what_was_measured_after_a_night_stays_when_it_is_linked_again(clean_db: Path) -> None:
    settle(NIGHT, [{1}])
    with connect("linker") as connection:
        for metric in ("truth_named_pair_recall", "review_precision", "labels_recall", "stale"):
            connection.execute("insert into ops.linkage_metric (night, metric, value) values (%s, %s, 0.9)", [NIGHT, metric])
    settle(NIGHT, [{1}])
    with connect("linker") as connection:
        found = connection.execute("select metric from ops.linkage_metric where value = 0.9 order by 1").fetchall()
    assert found == [("labels_recall",), ("review_precision",), ("truth_named_pair_recall",)]


AS_BEFORE_CERTAINTIES = """
drop table linkage.resolved_night;
alter table linkage.person_link drop constraint person_link_key;
alter table linkage.person_link drop column certainty cascade;
alter table linkage.person drop column certainty cascade;
alter table linkage.person_event drop column certainty cascade;
alter table linkage.edge drop column level;
drop function linkage.person_link_as_at;
alter table linkage.person_link add primary key (record_key, _valid_from);
create unique index person_link_current on linkage.person_link (record_key) where _valid_to is null;
insert into linkage.person_link (record_key, feed, person_id, _valid_from)
select '00000000-0000-0000-0000-000000000001', 'police', gen_random_uuid(), '2026-11-01';
insert into linkage.person (person_id, first_night) select person_id, _valid_from from linkage.person_link
"""


def test_a_warehouse_linked_before_there_were_certainties_goes_on(clean_db: Path) -> None:
    with connect("admin") as connection:
        for statement in AS_BEFORE_CERTAINTIES.split(";\n"):
            connection.execute(statement)
    zones.apply()
    zones.apply()
    before = links(NIGHT)
    assert set(before) == {1}
    counts = settle(NEXT, [{1, 2}])
    assert links(NEXT)[1] == links(NEXT)[2] == before[1] and counts["created"] == 0
    assert links(NIGHT, "strict") == {} and set(links(NEXT, "strict")) == {1, 2}
    with pytest.raises(LinkageFault, match="2026-11-02 has been linked after it"):
        settle(NIGHT, [{1}])
