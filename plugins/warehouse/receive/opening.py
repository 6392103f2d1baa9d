"""Open what lies in an inbox down to plain files: decrypt, list archives, read manifests. Nothing is unpacked yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from warehouse.contracts import thresholds
from warehouse.contracts.model import Contract
from warehouse.receive import archive, manifest, pgp
from warehouse.receive.archive import Member
from warehouse.receive.copying import Copied, copy_item, copy_stream
from warehouse.receive.errors import ArrivalFault
from warehouse.receive.inbox import Item
from warehouse.receive.manifest import Manifest


@dataclass(frozen=True)
class Piece:
    """One plain file of a delivery: the file of the inbox itself, the decrypted file at `place`, or a member of the archive there."""

    name: str
    size: int
    item: Item
    place: Path | None = None
    member: Member | None = None

    def copy_to(self, target: Path, limit: float | None) -> Copied:
        """Copy the file to stable storage, hashing it.

        Raises:
            Replaced: the file of the inbox changed meanwhile.
            ArrivalFault: it is damaged, or larger than the limit.
            ReceiveError: it cannot be read, or the disk is full.
        """
        if self.place is None:
            return copy_item(self.item, target, limit)
        if self.member is not None:
            return archive.extract(self.place, self.member, target, limit)
        with self.place.open("rb", buffering=0) as stream:
            return copy_stream(stream.read, self.name, target, limit)


@dataclass
class Opened:
    """A file of the inbox with the plain files and the manifest in it, or with why it cannot be used.

    `sha256` is that of the file as it was sent; known for files that were copied to be opened.
    """

    item: Item
    pieces: list[Piece] = field(default_factory=list)
    manifest: Manifest | None = None
    fault: ArrivalFault | None = None
    sha256: str | None = None

    @property
    def is_manifest(self) -> bool:
        """Whether the file is nothing but a manifest."""
        return self.manifest is not None and not self.pieces


def is_wrapped(name: str) -> bool:
    """Whether a file of this name has to be opened before it can be read."""
    return name.lower().endswith((".zip", *pgp.SUFFIXES))


def largest(feed: str, table: str = "*") -> float | None:
    """Most bytes that a file of a feed, or of a table, may have; None where no limit refuses."""
    limit = thresholds.find("max_file_bytes", feed, table)
    return limit.value if limit.severity == "refuse" else None


def open_item(item: Item, contract: Contract, scratch: Path) -> Opened:
    """Open one file of the inbox.

    Archives and encrypted files are first copied to `scratch`: what is then decrypted and unpacked cannot change any more.

    Raises:
        Replaced: the file changed while it was copied.
        ReceiveError: the warehouse cannot open it: no private key, disk full, no read access.
    """
    opened = Opened(item)
    try:
        name, place = _unwrap(opened, contract, scratch)
        if manifest.is_manifest(name):
            opened.manifest = manifest.read(_small(place or item.path, name), name, contract.feed)
        elif name.lower().endswith(".zip") and place is not None:
            _open_archive(opened, name, place, contract)
        else:
            size = place.stat().st_size if place else item.size
            opened.pieces = [Piece(name, size, item, place)]
    except ArrivalFault as fault:
        opened.fault = fault
    return opened


def _unwrap(opened: Opened, contract: Contract, scratch: Path) -> tuple[str, Path | None]:
    """The name of what the file holds when it is decrypted, and where its copy lies; no copy is made of a plain file."""
    item, feed, policy = opened.item, contract.feed, contract.arrival.encryption
    encrypted = pgp.is_encrypted_name(item.name)
    if encrypted and policy == "none":
        raise ArrivalFault("encryption", f"{item.name} is encrypted, but the contract says that the feed's files are not; send the plain file")
    if not encrypted and policy == "required" and not manifest.is_manifest(item.name):
        raise ArrivalFault("encryption", f"{item.name} is not encrypted, as the contract says it must be; encrypt it and remove the plain file at once")
    if not is_wrapped(item.name):
        return item.name, None
    limit = largest(feed)
    copy = scratch / f"{item.inode}-{item.changed_ns}"
    opened.sha256 = copy_item(item, copy, limit).sha256
    if not encrypted:
        return item.name, copy
    decrypted = copy.with_suffix(".open")
    pgp.decrypt(copy, item.name, feed, decrypted, limit)
    copy.unlink()
    name = item.name.rsplit(".", 1)[0]
    if pgp.is_encrypted_name(name):
        raise ArrivalFault("encryption", f"{item.name} is encrypted twice; encrypt it once")
    return name, decrypted


def _open_archive(opened: Opened, name: str, place: Path, contract: Contract) -> None:
    members = archive.members(place, name, largest(contract.feed))
    manifests = [member for member in members if manifest.is_manifest(member.name)]
    if len(manifests) > 1:
        raise ArrivalFault("manifest", f"{name} holds more than one manifest; a delivery has one")
    opened.pieces = [Piece(m.name, m.size, opened.item, place, m) for m in members if m not in manifests]
    for member in manifests:
        if member.size > manifest.MOST_BYTES:
            raise _too_long(member.name)
        target = place.with_suffix(".manifest")
        archive.extract(place, member, target, manifest.MOST_BYTES)
        opened.manifest = manifest.read(target.read_bytes(), member.name, contract.feed)


def _small(path: Path, name: str) -> bytes:
    with path.open("rb") as stream:
        content = stream.read(manifest.MOST_BYTES + 1)
    if len(content) > manifest.MOST_BYTES:
        raise _too_long(name)
    return content


def _too_long(name: str) -> ArrivalFault:
    return ArrivalFault("manifest", f"{name} is too long for a manifest")
