"""Look into a zip archive and read its files as streams, refusing archives that hide, escape or explode."""

from __future__ import annotations

import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from warehouse.receive.copying import Copied, copy_stream, too_large
from warehouse.receive.errors import ArrivalFault

MOST_FILES = 200
# Tables of codes and blanks shrink to a thirtieth, the most monotonous to a hundredth; deflate's limit is a thousandth.
MOST_RATIO = 250
# Below this size an archive does no harm whatever its ratio.
HARMLESS_BYTES = 64 << 20
WRAPPERS = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".pgp", ".gpg", ".asc")
ENCRYPTED_FLAG = 0x1


@dataclass(frozen=True)
class Member:
    """One file of an archive: its bare name, unpacked size in bytes, and where it lies in the archive."""

    name: str
    size: int
    info: zipfile.ZipInfo


def members(path: Path, name: str, limit: float | None) -> list[Member]:
    """The files of an archive, in the archive's order; folders and hidden files are left out.

    Args:
        name: what the agency called the archive, for messages.
        limit: most bytes an unpacked file may have.

    Raises:
        ArrivalFault: the archive is damaged, protected by a password, holds an archive, a link, two files of one name or a
            name that leads outside, or unpacks to far more than it should.
    """
    if not zipfile.is_zipfile(path):
        raise _fault(name, "is not a zip archive, or its end is missing; send it again")
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        raise _fault(name, "is damaged; send it again") from None
    if len(infos) > MOST_FILES:
        raise _fault(name, f"holds {len(infos)} files; a delivery has at most {MOST_FILES}")
    found = [_member(info, name) for info in infos if not info.is_dir()]
    found = [member for member in found if not member.name.startswith(".")]
    names = [member.name for member in found]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise _fault(name, f"holds more than one file named {', '.join(twice)}")
    _refuse_explosion(found, path.stat().st_size, name, limit)
    return found


def extract(path: Path, member: Member, target: Path, limit: float | None) -> Copied:
    """Unpack one file of an archive in a stream, hashing it on the way.

    Raises:
        ArrivalFault: the file is damaged, or larger than the archive said or than the limit.
        ReceiveError: the disk is full.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member.info) as stream:
            copied = copy_stream(stream.read, member.name, target, limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise _fault(member.name, "is damaged inside its archive; send the archive again") from None
    if copied.size != member.size:
        raise _fault(member.name, "does not have the size its archive tells; send the archive again")
    return copied


def _member(info: zipfile.ZipInfo, archive: str) -> Member:
    inside = PurePosixPath(info.filename)
    # `orig_filename` keeps what zipfile cleans away: zero bytes and, on some systems, backslashes.
    if not inside.parts or inside.is_absolute() or ".." in inside.parts or "\\" in info.orig_filename or "\0" in info.orig_filename or ":" in inside.parts[0]:
        raise _fault(archive, "holds a name that leads out of the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _fault(archive, "holds a link instead of a file")
    if info.flag_bits & ENCRYPTED_FLAG:
        raise _fault(archive, "is protected by a password; encrypt the archive with PGP instead")
    if inside.name.lower().endswith(WRAPPERS):
        raise _fault(archive, f"holds another archive or an encrypted file ({inside.name}); put the plain files in, and encrypt the archive as a whole")
    return Member(inside.name, info.file_size, info)


def _refuse_explosion(found: list[Member], packed: int, name: str, limit: float | None) -> None:
    total = sum(member.size for member in found)
    if total > HARMLESS_BYTES and total > MOST_RATIO * packed:
        raise _fault(name, f"unpacks to more than {MOST_RATIO} times its size, which no table does")
    large = next((member for member in found if limit is not None and member.size > limit), None)
    if large is not None:
        raise too_large(f"{large.name} in {name}", limit or 0)


def _fault(name: str, what: str) -> ArrivalFault:
    return ArrivalFault("archive", f"{name} {what}")
