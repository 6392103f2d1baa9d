"""Deliveries that come zipped or encrypted: what is opened, and what is refused before a row is read."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pysequoia
import pytest
from pydantic import SecretStr
from tests.integration.inboxes import ADDRESSES, ALIASES, NEXT, NIGHT, deliveries, findings, landed, manifest, put, zipped

from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Arrival
from warehouse.receive.errors import ReceiveError
from warehouse.receive.stage import receive
from warehouse.settings import settings

pytestmark = pytest.mark.integration
FILES = {"aliases_20261101.csv": ALIASES, "addresses_20261101.csv": ADDRESSES}


@pytest.fixture(scope="module")
def keys() -> dict[str, pysequoia.Tsk]:
    return {name: pysequoia.Tsk.generate(user_id=f"{name} <{name}@example.gov.uk>") for name in ("warehouse", "agency", "other")}


@pytest.fixture
def private_key(keys: dict[str, pysequoia.Tsk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warehouse has its private key."""
    path = tmp_path / "warehouse.asc"
    path.write_text(str(keys["warehouse"]), encoding="utf-8")
    monkeypatch.setattr(settings(), "pgp_key_file", path)


@pytest.fixture
def encryption(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets what the contract of police says about encryption."""

    def agree(policy: str) -> None:
        contract = load_contract("police").model_copy(update={"arrival": Arrival(encryption=policy)})
        monkeypatch.setattr("warehouse.receive.stage.load_contract", lambda _: contract)

    return agree


def encrypted(content: bytes, to: pysequoia.Tsk, by: pysequoia.Tsk | None = None, armor: bool = False) -> bytes:
    return pysequoia.encrypt(content, recipients=[to.extract_certificate()], signer=by.signer() if by else None, armor=armor)


def refused(inbox: Path, rule: str) -> str:
    """The message of the one rule that refuses what lies in the inbox."""
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None
    assert [status for _, _, status in deliveries()] == ["refused"]
    assert set(findings(delivery_id)) == {rule}
    return findings(delivery_id)[rule]


def test_an_archive_is_unpacked(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"police.zip": zipped(tmp_path / "z", {f"export/{name}": content for name, content in FILES.items()} | {"export/.DS_Store": b"x"})})
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and landed(clean_db, delivery_id) == FILES


def test_an_archives_own_manifest_and_date_tell_its_night(clean_db: Path, tmp_path: Path) -> None:
    plain = {"aliases.csv": ALIASES}
    with_manifest = zipped(tmp_path / "a", plain | {"manifest.json": manifest(NIGHT, plain)})
    dated = zipped(tmp_path / "b", {"addresses.csv": ADDRESSES})
    inbox = put(tmp_path, {"one.zip": with_manifest, "police_20261031.zip": dated})
    assert receive("police", inbox, NEXT) == 2
    assert [(str(night), set(landed(clean_db, d))) for d, night, _ in deliveries()] == [("2026-10-31", {"addresses.csv"}), ("2026-11-01", {"aliases.csv"})]


def test_a_manifest_beside_an_archive_names_the_archive(clean_db: Path, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "z", FILES)
    inbox = put(tmp_path, {"police.zip": archive, "police.manifest.json": manifest(NIGHT, {"police.zip": archive})})
    delivery_id = receive("police", inbox, NEXT)
    assert delivery_id is not None and landed(clean_db, delivery_id) == FILES and deliveries()[0][1:] == (NIGHT, "received")


def with_flag(path: Path, files: dict[str, bytes]) -> bytes:
    """An archive whose directory says that a file is protected by a password."""
    content = bytearray(zipped(path, files))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def linked(path: Path) -> bytes:
    info = zipfile.ZipInfo("aliases.csv")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return path.read_bytes()


def repeated(path: Path) -> bytes:
    return zipped(path, {"a/aliases.csv": ALIASES, "b/aliases.csv": ALIASES})


def altered(path: Path) -> bytes:
    """An archive with a flipped byte in the middle of its data."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("aliases.csv", ALIASES)
    content = path.read_bytes()
    return content.replace(b"Anna", b"Hanna"[:4])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: zipped(p, {"aliases.csv": ALIASES})[:-30], "is not a zip archive, or its end is missing"),
        (altered, "is damaged inside its archive"),
        (lambda p: with_flag(p, {"aliases.csv": ALIASES}), "is protected by a password"),
        (lambda p: zipped(p, {"../aliases.csv": ALIASES}), "leads out of the archive"),
        (lambda p: zipped(p, {"/etc/aliases.csv": ALIASES}), "leads out of the archive"),
        (lambda p: zipped(p, {"aliases.csv": ALIASES, "inner.zip": b"PK"}), "holds another archive or an encrypted file (inner.zip)"),
        (linked, "holds a link"),
        (repeated, "holds more than one file named aliases.csv"),
        (lambda p: zipped(p, {"aliases.csv": bytes(80 << 20)}), "unpacks to more than 250 times its size"),
        (lambda p: zipped(p, {f"aliases_{n}.csv": b"" for n in range(201)}), "holds 201 files"),
    ],
    ids=["cut off", "altered", "password", "escapes", "absolute", "nested", "link", "repeated", "bomb", "many"],
)
def test_archives_that_cannot_be_used(clean_db: Path, tmp_path: Path, make: Callable[[Path], bytes], words: str) -> None:
    inbox = put(tmp_path, {"police.zip": make(tmp_path / "made")})
    assert words in refused(inbox, "archive")
    assert list((clean_db / "landing" / "police").glob("*/*")) == []


def test_one_damaged_archive_refuses_all_files_of_the_night_and_only_it_is_sent_again(clean_db: Path, tmp_path: Path) -> None:
    sound = zipped(tmp_path / "z", {"addresses.csv": ADDRESSES})
    inbox = put(tmp_path, {"aliases_20261101.csv": ALIASES, "addresses_20261101.zip": sound[:-30]})
    refused(inbox, "archive")
    put(tmp_path, {"addresses_20261101.zip": sound})
    delivery_id = receive("police", inbox, NEXT)
    assert delivery_id is not None and set(landed(clean_db, delivery_id)) == {"addresses.csv", "aliases_20261101.csv"}
    assert deliveries()[1][1:] == (NIGHT, "received")


@pytest.mark.parametrize("armor", [False, True])
def test_encrypted_files_are_decrypted(clean_db: Path, tmp_path: Path, keys: dict[str, pysequoia.Tsk], private_key: None, armor: bool) -> None:
    archive = zipped(tmp_path / "z", {"addresses_20261101.csv": ADDRESSES})
    to = keys["warehouse"]
    inbox = put(tmp_path, {"aliases_20261101.csv.pgp": encrypted(ALIASES, to, armor=armor), "police_20261101.zip.gpg": encrypted(archive, to, armor=armor)})
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and landed(clean_db, delivery_id) == FILES


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs GnuPG")
def test_keys_and_files_made_by_gnupg(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/how-to/receive-files.md says: a private key with a passphrase, and a file encrypted to it."""
    home, key, plain, out = (tmp_path / name for name in ("gnupg", "warehouse.asc", "plain", "out"))
    home.mkdir(mode=0o700)
    plain.write_bytes(ALIASES)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", "correct horse"]
    try:
        subprocess.run([*gpg, "--quick-generate-key", "Warehouse <w@example.gov.uk>", "default", "default", "2y"], check=True, capture_output=True)
        key.write_bytes(subprocess.run([*gpg, "--armor", "--export-secret-keys"], check=True, capture_output=True).stdout)
        subprocess.run([*gpg, "-r", "w@example.gov.uk", "-o", str(out), "-e", str(plain)], check=True, capture_output=True)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
    inbox = put(tmp_path, {"aliases.csv.gpg": out.read_bytes()})
    monkeypatch.setattr(settings(), "pgp_key_file", key)
    monkeypatch.setattr(settings(), "pgp_passphrase", SecretStr("wrong"))
    with pytest.raises(ReceiveError, match="WAREHOUSE_PGP_PASSPHRASE is wrong"):
        receive("police", inbox, NIGHT)
    monkeypatch.setattr(settings(), "pgp_passphrase", SecretStr("correct horse"))
    delivery_id = receive("police", inbox, NIGHT)
    assert delivery_id is not None and landed(clean_db, delivery_id) == {"aliases.csv": ALIASES}


def test_encryption_that_cannot_be_undone(clean_db: Path, tmp_path: Path, keys: dict[str, pysequoia.Tsk], private_key: None) -> None:
    sound = encrypted(ALIASES, keys["warehouse"])
    fingerprint = keys["warehouse"].extract_certificate().fingerprint
    cases = {
        f"is encrypted to another key than the warehouse's ({fingerprint})": encrypted(ALIASES, keys["other"]),
        "was cut off or altered": sound[:-40],
        "is not a PGP-encrypted file": pysequoia.sign(keys["agency"].signer(), ALIASES, armor=False),
        "although its name says so": ALIASES,
    }
    for number, (words, content) in enumerate(cases.items()):
        delivery_id = receive("police", put(tmp_path / str(number), {f"aliases_{number}.csv.pgp": content}), NIGHT)
        assert delivery_id is not None and words in findings(delivery_id)["encryption"]
    flipped = bytearray(sound)
    flipped[-60] ^= 1
    delivery_id = receive("police", put(tmp_path / "flipped", {"aliases_x.csv.pgp": bytes(flipped)}), NIGHT)
    assert delivery_id is not None and "was cut off or altered" in findings(delivery_id)["encryption"]
    assert list((clean_db / "landing" / "police").glob("*/*")) == []


def test_a_missing_private_key_is_our_fault_and_mended_by_a_rerun(
    clean_db: Path, tmp_path: Path, keys: dict[str, pysequoia.Tsk], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = put(tmp_path, {"aliases.csv.pgp": encrypted(ALIASES, keys["warehouse"])})
    with pytest.raises(ReceiveError, match="set WAREHOUSE_PGP_KEY_FILE"):
        receive("police", inbox, NIGHT)
    assert deliveries() == []
    path = tmp_path / "warehouse.asc"
    path.write_text(str(keys["other"]), encoding="utf-8")
    monkeypatch.setattr(settings(), "pgp_key_file", path)
    wrong = receive("police", inbox, NIGHT)
    path.write_text(str(keys["warehouse"]), encoding="utf-8")
    assert receive("police", inbox, NIGHT) == 2 and deliveries() == [(wrong, NIGHT, "refused"), (2, NIGHT, "received")]


def test_encryption_as_the_contract_says(clean_db: Path, tmp_path: Path, encryption: Callable[[str], None]) -> None:
    encryption("required")
    assert "is not encrypted, as the contract says it must be" in refused(put(tmp_path, {"aliases.csv": ALIASES}), "encryption")


def test_no_encryption_as_the_contract_says(clean_db: Path, tmp_path: Path, encryption: Callable[[str], None]) -> None:
    encryption("none")
    assert "the contract says that the feed's files are not" in refused(put(tmp_path, {"aliases.csv.pgp": b"x"}), "encryption")


def test_signatures_are_checked_where_a_certificate_was_agreed(
    clean_db: Path, tmp_path: Path, keys: dict[str, pysequoia.Tsk], private_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    senders = tmp_path / "senders"
    senders.mkdir()
    (senders / "police.asc").write_text(str(keys["agency"].extract_certificate()), encoding="utf-8")
    monkeypatch.setattr(settings(), "pgp_senders", senders)
    for number, by in enumerate([None, keys["other"]]):
        inbox = put(tmp_path / str(number), {f"aliases_{number}.csv.pgp": encrypted(ALIASES, keys["warehouse"], by)})
        delivery_id = receive("police", inbox, NIGHT)
        assert delivery_id is not None and "is not signed with the key" in findings(delivery_id)["signature"]
    good = receive("police", put(tmp_path / "good", {"aliases_x.csv.pgp": encrypted(ALIASES, keys["warehouse"], keys["agency"])}), NIGHT)
    assert good is not None and landed(clean_db, good) == {"aliases_x.csv": ALIASES}


def test_files_beyond_the_limit_are_refused_however_they_are_wrapped(
    clean_db: Path, tmp_path: Path, keys: dict[str, pysequoia.Tsk], private_key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.receive.opening.largest", lambda *_: 2 << 20)
    monkeypatch.setattr("warehouse.receive.taking.largest", lambda *_: 2 << 20)
    content = bytes(3 << 20)
    wrapped = {
        "aliases_1.csv": content,
        "aliases_2.zip": zipped(tmp_path / "z", {"aliases.csv": content}),
        "aliases_3.csv.pgp": encrypted(content, keys["warehouse"]),
    }
    for name, data in wrapped.items():
        delivery_id = receive("police", put(tmp_path / name[8], {name: data}), NIGHT)
        assert delivery_id is not None and "larger than the 2 MB that are taken" in findings(delivery_id)["max_file_bytes"]
    (tmp_path / "after").write_bytes(content)  # the limit is not left on the process


def test_the_same_file_plain_and_wrapped(clean_db: Path, tmp_path: Path) -> None:
    inbox = put(tmp_path, {"aliases.csv": ALIASES, "police.zip": zipped(tmp_path / "z", {"aliases.csv": ALIASES})})
    assert "aliases.csv came more than once" in refused(inbox, "same_file_name")
