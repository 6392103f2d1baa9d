"""What file names tell: nights, unfinished uploads, manifests, encryption."""

from datetime import date
from pathlib import Path

import pysequoia
import pytest

from warehouse.receive.errors import ArrivalFault
from warehouse.receive.inbox import look, night_in_name
from warehouse.receive.manifest import is_manifest, read
from warehouse.receive.pgp import is_encrypted


@pytest.mark.parametrize(
    ("name", "night"),
    [
        ("ndtms_20261101.csv", date(2026, 11, 1)),
        ("ndtms-2026-11-01.csv.pgp", date(2026, 11, 1)),
        ("2026_11_01 ndtms.csv", date(2026, 11, 1)),
        ("ndtms_20261101_v20261101.csv", date(2026, 11, 1)),
        ("ndtms_20261101013000.csv", date(2026, 11, 1)),
        ("ndtms_20261101T0130.csv", date(2026, 11, 1)),
        ("ndtms_202611010.csv", None),
        ("ndtms_20261001_20261031.csv", None),  # a period
        ("ndtms_20261301.csv", None),  # a serial number
        ("ndtms_120261101.csv", None),
        ("ndtms_19261101.csv", None),
        ("ndtms.csv", None),
    ],
)
def test_the_night_in_a_name(name: str, night: date | None) -> None:
    assert night_in_name(name) == night


def test_only_whole_plain_files_are_seen(tmp_path: Path) -> None:
    assert look(tmp_path / "nowhere").items == []
    for name in ("b.csv", "a.csv", ".hidden", "c.csv.part", "d.csv.filepart", "e.TMP", "f.csv~", "partial.csv"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
    found = look(tmp_path)
    assert [item.name for item in found.items] == ["a.csv", "b.csv", "partial.csv"]
    assert found.uploading is not None
    (tmp_path / "a.csv").write_bytes(b"y")
    assert look(tmp_path).items[0].mark != found.items[0].mark


def test_manifests_by_name() -> None:
    names = ["manifest.json", "police_20261101.manifest.json", "police-Manifest.json", "manifest.csv", "manifests.json", "mymanifest.json"]
    assert [is_manifest(name) for name in names] == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file"),
        (b"[]", "the file"),
        (b'{"feed": "police", "night": "1 November", "files": []}', "night"),
        (b'{"feed": "police", "night": "2026-11-01", "files": []}', "files"),
        (b'{"feed": "police", "night": "2026-11-01", "files": [{"name": "../x", "bytes": 1, "sha256": "%s"}]}' % (b"0" * 64), r"files\.0\.name"),
        (b'{"feed": "police", "night": "2026-11-01", "files": [{"name": "x", "bytes": 1, "sha256": "no"}]}', r"files\.0\.sha256"),
        (
            b'{"feed": "police", "night": "2026-11-01", "files": [%s]}' % b",".join([b'{"name": "x", "bytes": 1, "sha256": "%s"}' % (b"0" * 64)] * 2),
            "named twice",
        ),
    ],
)
def test_a_manifest_that_cannot_be_used(content: bytes, words: str) -> None:
    with pytest.raises(ArrivalFault, match=f"manifest.json is not a manifest: .*{words}"):
        read(content, "manifest.json", "police")


def test_keys_of_a_manifest_that_we_do_not_know_are_the_agencys_own() -> None:
    content = b'{"feed": "police", "night": "2026-11-01", "job": 7, "files": [{"name": "x", "bytes": 1, "sha256": "%s", "sum": 3}]}' % (b"AB" * 32)
    found = read(content, "manifest.json", "police")
    assert found.night == date(2026, 11, 1) and found.files[0].sha256 == "ab" * 32


def test_encrypted_messages_are_told_by_their_beginning() -> None:
    key = pysequoia.Tsk.generate(user_id="x <x@example.org>")
    for armor in (False, True):
        assert is_encrypted(pysequoia.encrypt(b"abc", recipients=[key.extract_certificate()], armor=armor)[:200])
        assert is_encrypted(pysequoia.encrypt(b"abc", passwords=["x"], armor=armor)[:200])
        assert not is_encrypted(pysequoia.sign(key.signer(), b"abc", armor=armor)[:200])
    for other in (b"", b"ID,NAME\n", str(key).encode(), b"-----BEGIN PGP MESSAGE-----\n", b"-----BEGIN PGP MESSAGE-----\n\n*"):
        assert not is_encrypted(other)
