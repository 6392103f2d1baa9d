"""Person ids from night to night: created, kept, merged, split, retired, and the same after every rerun."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from warehouse.database import connect
from warehouse.link import persons
from warehouse.link.errors import LinkageFault

pytestmark = pytest.mark.integration

NIGHT = date(2026, 11, 1)
NEXT = NIGHT + timedelta(days=1)
LATER = NIGHT + timedelta(days=2)
Clusters = list[set[int]]


def settle(night: date, clusters: Clusters) -> dict[str, int]:
    """Settle a night whose clusters hold these records."""
    with connect("linker") as connection:
        persons.check_last_night(connection, night)
        connection.execute("create temp table new_record (record_key uuid primary key, feed text, cluster_no integer) on commit drop")
        with connection.cursor() as cursor:
            cursor.executemany("insert into new_record values (%s, 'police', %s)", [(UUID(int=r), n) for n, c in enumerate(clusters) for r in c])
        return persons.settle(connection, night)


def links(night: date) -> dict[int, UUID]:
    """The person of each record as the links stood after a night."""
    with connect("linker") as connection:
        rows = connection.execute(
            "select record_key, person_id from linkage.person_link where _valid_from <= %s and (_valid_to is null or _valid_to > %s)", [night, night]
        ).fetchall()
    assert len(rows) == len({key for key, _ in rows}), "a record has two persons"
    return {key.int: person for key, person in rows}


def events(night: date) -> list[tuple[str, UUID, UUID | None]]:
    with connect("linker") as connection:
        return connection.execute("select event, person_id, other_person_id from linkage.person_event where night = %s order by 1, 2", [night]).fetchall()


def everything() -> list[list[tuple[object, ...]]]:
    tables = ("person", "person_link", "person_event")
    with connect("linker") as connection:
        return [
            connection.execute(
                f"select * from linkage.{table} order by 1, 2, 3, 4" if table != "person" else "select * from linkage.person order by 1"
            ).fetchall()
            for table in tables
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
        assert connection.execute("select count(*) from linkage.person").fetchone() == (3,)
        assert connection.execute("select count(*) from linkage.person_link where _valid_from >= coalesce(_valid_to, 'infinity')").fetchone() == (0,)


def test_a_night_that_a_later_one_followed_is_refused(clean_db: Path) -> None:
    settle(NIGHT, [{1}])
    settle(NEXT, [{1}, {2}])
    with pytest.raises(LinkageFault, match="2026-11-02 has been linked after it"):
        settle(NIGHT, [{1}])
