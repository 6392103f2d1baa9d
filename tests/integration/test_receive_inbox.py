"""What makes a delivery: which files belong together, for which night, what a repetition and a correction are."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from tests.integration.inboxes import ADDRESSES, ALIASES, NEXT, NIGHT, NOMINALS, deliveries, end, findings, landed, manifest, put, query, registered, text

from warehouse.receive.errors import NotArrived
from warehouse.receive.stage import left_waiting, receive, receive_all
from warehouse.settings import settings

pytestmark = pytest.mark.integration


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch) -> int:
    """Files must lie unchanged for some seconds, as in operation."""
    monkeypatch.setattr(settings(), "settle_seconds", 30)
    return 30


def age(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass for what looks at the clock."""
    later = time.time() + seconds
    monkeypatch.setattr("warehouse.receive.stage.time.time", lambda: later)


def test_files_still_being_written_are_not_read(clean_db: Path, tmp_path: Path, settle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES[:20]})
    with pytest.raises(NotArrived, match=r"aliases\.csv changed less than 30 s ago") as waiting:
        receive("police", inbox, NIGHT)
    assert waiting.value.settling
    put(tmp_path, {"aliases.csv": ALIASES})
    os.utime(tmp_path / "police" / "aliases.csv", (0, 0))  # as upload programs do that keep the times of the original
    with pytest.raises(NotArrived):
        receive("police", inbox, NIGHT)
    assert deliveries() == []
    age(monkeypatch, settle + 1)
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and landed(clean_db, delivery_id) == {"aliases.csv": ALIASES}


def test_unfinished_uploads_hold_the_delivery_back_and_are_never_taken(clean_db: Path, tmp_path: Path, settle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    age(monkeypatch, settle + 1)
    put(tmp_path, {"addresses.csv.filepart": ADDRESSES[:9]})
    os.utime(tmp_path / "police" / "addresses.csv.filepart", (time.time(), time.time()))  # it grew just now
    with pytest.raises(NotArrived):
        receive("police", inbox, NIGHT)
    assert receive_all("police", inbox, NIGHT, "none") == []  # not even at the cut-off: it would be a part
    age(monkeypatch, 3600)  # an upload that was given up
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and registered(delivery_id) == {"aliases.csv"}


def test_a_manifest_is_waited_for_and_needs_no_settling(clean_db: Path, tmp_path: Path, settle: int) -> None:
    files = {"aliases_20261101.csv": ALIASES, "addresses_20261101.csv": ADDRESSES}
    inbox = put(tmp_path, {"manifest.json": manifest(NIGHT, files, aliases=1), "aliases_20261101.csv": ALIASES, "addresses_20261101.csv": ADDRESSES[:30]})
    with pytest.raises(NotArrived):
        receive("police", inbox, NIGHT)
    put(tmp_path, files)
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and landed(clean_db, delivery_id) == files


def test_what_a_manifest_lacks_is_told(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"police_20261101.manifest.json": manifest(NIGHT, {"aliases.csv": ALIASES, "nominals.csv": NOMINALS}), "aliases.csv": ALIASES})
    with pytest.raises(NotArrived, match=r"it lacks nominals\.csv, named in police_20261101\.manifest\.json") as waiting:
        receive("police", inbox, NIGHT)
    assert not waiting.value.settling
    assert receive_all("police", inbox, NIGHT, "none") == [] and deliveries() == []
    assert left_waiting("police", inbox) == ["aliases.csv", "police_20261101.manifest.json"]


@pytest.mark.parametrize(
    ("changed", "rule", "words"),
    [
        ({"files": {"aliases.csv": ALIASES[:-2] + b"B\n"}}, "manifest", "does not have the SHA-256"),
        ({"rows": 2}, "manifest", "should have 2 rows by its manifest"),
        ({"feed": "housing"}, "manifest", "manifest of another feed"),
        ({"names": "aliases_20261031.csv"}, "wrong_period", "says the night of 2026-11-01, but aliases_20261031.csv carries another date"),
    ],
    ids=["other content", "other rows", "other feed", "other night"],
)
def test_a_manifest_that_is_not_kept_refuses_the_delivery(clean_db: Path, tmp_path: Path, changed: dict, rule: str, words: str) -> None:
    name = changed.get("names", "aliases.csv")
    content = manifest(NIGHT, {name: ALIASES}, changed.get("feed", "police"), aliases=changed.get("rows", 1))
    inbox = put(tmp_path, {"manifest.json": content, name: changed.get("files", {}).get(name, ALIASES)})
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and deliveries() == [(delivery_id, NIGHT, "refused")]
    assert words in findings(delivery_id)[rule] and set(findings(delivery_id)) == {rule}
    assert receive("police", inbox, NIGHT) == delivery_id  # tried again: still wrong, still one delivery
    assert receive("police", inbox, NEXT) is None  # on another night nobody looks at it again
    assert len(deliveries()) == 1


def test_a_manifest_that_is_no_manifest(clean_db: Path, tmp_path: Path) -> None:
    delivery_id = receive("police", put(tmp_path, {"manifest.json": b'{"feed": "police"', "aliases.csv": ALIASES}), NIGHT)
    assert delivery_id is not None and "manifest.json is not a manifest" in findings(delivery_id)["manifest"]


def test_nights_are_told_by_names_and_taken_oldest_first(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases_20261101.csv": ALIASES, "aliases_20261030.csv": ALIASES, "nominals.csv": NOMINALS, "aliases_2026-10-31.csv": ALIASES})
    ids = receive_all("police", inbox, NIGHT)
    assert [str(night) for _, night, _ in deliveries()] == ["2026-10-30", "2026-10-31", "2026-11-01"]
    assert ids == [1, 2, 3] and registered(3) == {"aliases_20261101.csv", "nominals.csv"}


def test_a_delivery_that_comes_late_gets_its_own_night(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases_20261102.csv": ALIASES})
    first = receive("police", inbox, NEXT)
    put(tmp_path, {"addresses_20261101.csv": ADDRESSES})
    late = receive("police", inbox, NEXT)
    assert deliveries() == [(first, NEXT, "received"), (late, NIGHT, "received")]
    assert receive_all("police", inbox, NEXT) == [late, first]
    assert query("select coverage_end from ops.delivery where delivery_id = %s", late) == [(NIGHT,)]


def test_a_night_to_come_is_left_or_refused(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases_20261102.csv": ALIASES})
    assert receive("police", inbox, NIGHT) is None and deliveries() == []  # sent the evening before
    put(tmp_path, {"addresses_20270101.csv": ADDRESSES})
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and deliveries() == [(delivery_id, NIGHT, "refused")]
    assert "the files say the night of 2027-01-01, which is still to come" in findings(delivery_id)["wrong_period"]
    assert receive("police", inbox, NEXT) is not None
    assert deliveries()[1][1:] == (NEXT, "received")


def test_an_old_night_run_again_leaves_later_nights_alone(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases_20261115.csv": ALIASES})
    assert receive("police", tmp_path / "empty", deliveries_night := NEXT.replace(day=15)) is None
    assert receive("police", inbox, NIGHT) is None and deliveries() == []
    assert receive("police", inbox, deliveries_night) is not None


def test_files_that_still_lie_there_are_not_taken_again(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES, "read me.txt": b"hello"})
    first = receive("police", inbox, NIGHT)
    assert first is not None
    end(first, "admitted")
    monkeypatch.setattr("warehouse.receive.opening.copy_item", None)  # would fail if a file were read
    assert receive("police", inbox, NIGHT) == first
    assert receive("police", inbox, NEXT) is None
    assert deliveries() == [(first, NIGHT, "admitted")]


def test_the_same_content_sent_again_says_so(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    first = receive("police", inbox, NIGHT)
    assert first is not None
    end(first, "admitted")
    for night in (NIGHT, NEXT):
        put(tmp_path, {"aliases.csv": ALIASES})
        again = receive("police", inbox, night)
        found = query("select night, status, message from ops.delivery where delivery_id = %s", again)
        assert found == [(night, "duplicate", f"Same content as delivery {first} of 2026-11-01")]
        assert not (clean_db / "landing" / "police" / str(again)).exists()


def test_rejected_content_stays_out_and_superseded_content_may_return(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    first = receive("police", inbox, NIGHT)
    assert first is not None
    end(first, "rejected")
    assert receive("police", inbox, NIGHT) is None
    put(tmp_path, {"aliases.csv": ALIASES})
    again = receive("police", inbox, NIGHT)
    assert query("select status, message from ops.delivery where delivery_id = %s", again) == [
        ("duplicate", f"Same content as delivery {first} of 2026-11-01, which was rejected; it stays so until the agency sends a correction")
    ]
    end(first, "superseded")
    put(tmp_path, {"aliases.csv": ALIASES})
    back = receive("police", inbox, NIGHT)
    assert query("select status from ops.delivery where delivery_id = %s", back) == [("received",)]


def test_a_corrected_file_is_a_new_delivery_with_the_nights_other_files(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases_20261101.csv": ALIASES, "addresses_20261101.csv": ADDRESSES})
    first = receive("police", inbox, NIGHT)
    assert first is not None
    end(first, "admitted")
    shutil.rmtree(tmp_path / "police")  # the agency clears its folder and sends the one file again, some nights later
    better = text("aliases", "I,N1,1,Anna,Better,,A")
    put(tmp_path, {"aliases_20261101_v2.csv": better})
    second = receive("police", inbox, NEXT)
    assert second is not None and second != first
    assert landed(clean_db, second) == {"aliases_20261101_v2.csv": better, "addresses_20261101.csv": ADDRESSES}
    assert query("select night from ops.delivery where delivery_id = %s", second) == [(NIGHT,)]
    assert query("select message from ops.check_result where rule = 'kept_file'") == [
        ("Not sent again for the night, so taken as they came before: addresses_20261101.csv",)
    ]


def test_a_correction_whose_nights_files_are_gone_must_come_whole(clean_db: Path, tmp_path: Path) -> None:
    first = receive("police", put(tmp_path, {"aliases_20261101.csv": ALIASES, "addresses_20261101.csv": ADDRESSES}), NIGHT)
    assert first is not None
    end(first, "admitted")
    shutil.rmtree(clean_db / "landing" / "police" / str(first))  # as the retention does
    second = receive("police", put(tmp_path, {"aliases_20261101.csv": text("aliases")}), NIGHT)
    assert second is not None and second != first
    assert "no longer kept (addresses_20261101.csv); send all files of the night again" in findings(second)["incomplete_night"]


def test_with_a_manifest_a_correction_is_what_the_manifest_says(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases_20261101.csv": ALIASES, "addresses_20261101.csv": ADDRESSES})
    first = receive("police", inbox, NIGHT)
    assert first is not None
    end(first, "admitted")
    better = {"aliases_20261101_v2.csv": text("aliases", "I,N1,1,Anna,Better,,A")}
    put(tmp_path, better | {"v2.manifest.json": manifest(NIGHT, better)})
    second = receive("police", inbox, NIGHT)
    assert second is not None and landed(clean_db, second) == better


def test_a_refused_delivery_is_opened_again_on_its_night_only(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases_20261101.csv": b""})
    first = receive("police", inbox, NIGHT)
    assert first is not None
    end(first, "refused")
    assert receive("police", inbox, NEXT) is None
    assert receive("police", inbox, NIGHT) == first and deliveries() == [(first, NIGHT, "received")]
    end(first, "refused")
    put(tmp_path, {"aliases_20261101_again.csv": ALIASES})
    second = receive("police", inbox, NIGHT)
    assert second is not None
    assert receive_all("police", inbox, NIGHT) == [second]  # nobody comes back to what was corrected since


def test_a_delivery_that_never_ended_is_taken_up_though_its_files_are_gone(clean_db: Path, tmp_path: Path) -> None:
    first = receive("police", put(tmp_path, {"aliases.csv": ALIASES}), NIGHT)
    shutil.rmtree(tmp_path / "police")
    assert receive("police", tmp_path, NEXT) is None
    assert receive_all("police", tmp_path, NEXT) == [first]


def test_a_stray_file_alone_adds_nothing_to_the_nights_delivery(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES})
    first = receive("police", inbox, NIGHT)
    put(tmp_path, {"notes.txt": b"hello"})
    assert receive("police", inbox, NIGHT) == first and len(deliveries()) == 1


def test_links_to_other_files_are_not_followed(clean_db: Path, tmp_path: Path) -> None:
    put(tmp_path, {"ndtms.csv": b"another agency's"}, "treatment")
    put(tmp_path, {})
    (tmp_path / "police" / "aliases.csv").symlink_to(tmp_path / "treatment" / "ndtms.csv")
    assert receive("police", tmp_path, NIGHT) is None and deliveries() == []


def test_a_file_replaced_while_it_is_read_is_not_taken(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES, "nominals.csv": NOMINALS})
    path = tmp_path / "police" / "aliases.csv"

    def replace_it(block: bytes) -> object:
        put(tmp_path, {"new": ALIASES.replace(b"Other", b"Newer")})
        (tmp_path / "police" / "new").replace(path)
        return real(block)

    import hashlib

    real = hashlib.sha256
    monkeypatch.setattr("warehouse.receive.copying.hashlib.sha256", lambda: _Watching(real(), replace_it))
    with pytest.raises(NotArrived, match="was replaced while it was read"):
        receive("police", inbox, NIGHT)
    monkeypatch.undo()
    assert deliveries() == [] and list((clean_db / "landing" / "police").iterdir()) == []
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and b"Newer" in landed(clean_db, delivery_id)["aliases.csv"]


class _Watching:
    """A hash that does something else too while a file is read."""

    def __init__(self, digest: object, act: object) -> None:
        self._digest, self._act = digest, act

    def update(self, block: bytes) -> None:
        self._act(b"")
        self._digest.update(block)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def test_landed_copies_are_for_the_warehouse_alone(clean_db: Path, tmp_path: Path) -> None:
    delivery_id = receive("police", put(tmp_path, {"aliases.csv": ALIASES}), NIGHT)
    area = clean_db / "landing" / "police"
    assert [oct(path.stat().st_mode & 0o777) for path in (area, area / str(delivery_id), area / str(delivery_id) / "aliases.csv")] == [
        "0o700",
        "0o700",
        "0o600",
    ]


def test_waiting_for_all_that_is_due(clean_db: Path, tmp_path: Path) -> None:
    with pytest.raises(NotArrived, match="it lacks the delivery for 2026-11-01"):
        receive_all("police", tmp_path, NIGHT, "whole")
    assert receive_all("police", tmp_path, NIGHT, "none") == []
    inbox = put(tmp_path, {"aliases_20261031.csv": ALIASES})
    with pytest.raises(NotArrived):  # yesterday's is there, tonight's is not
        receive_all("police", inbox, NIGHT, "whole")
    put(tmp_path, {"aliases_20261101.csv": ALIASES})
    ids = receive_all("police", inbox, NIGHT, "whole")
    assert len(ids) == 2
    for delivery_id in ids:
        end(delivery_id, "admitted")
    assert receive_all("police", inbox, NIGHT, "whole") == ids[1:]  # run again: nothing to wait for


def test_a_snapshot_is_waited_for_until_every_table_is_there(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"readme.txt": b"x"}, "treatment")
    with pytest.raises(NotArrived, match="a file named ndtms"):
        receive_all("treatment", inbox, NIGHT, "whole")


def test_a_feed_that_is_not_due_is_not_waited_for(clean_db: Path, tmp_path: Path) -> None:
    first = receive("deaths", put(tmp_path, {"registrations_20261030.csv": b"X\n1\n"}, "deaths"), NIGHT)
    assert first is not None
    end(first, "admitted")
    assert receive_all("deaths", tmp_path, NIGHT, "whole") == []
