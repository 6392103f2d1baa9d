"""Copy a delivered file to stable storage, hashing it in the same pass, and notice when it is replaced meanwhile."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warehouse.receive.errors import ArrivalFault, ReceiveError
from warehouse.receive.inbox import Item, look_at, look_at_open

BLOCK_BYTES = 4 << 20
MEGABYTE = 1 << 20


class Replaced(Exception):
    """The file was changed or replaced while it was read; what was read of it is worthless."""


@dataclass(frozen=True)
class Copied:
    """A copy on stable storage. `lines` counts its lines, the last also where it has no line end."""

    size: int
    sha256: str
    lines: int


def copy_item(item: Item, target: Path, limit: float | None) -> Copied:
    """Copy a file of the inbox as it was when it was looked at.

    Args:
        limit: most bytes that are taken.

    Raises:
        Replaced: it is no longer the file that was looked at, or changed while it was read.
        ArrivalFault: it is larger than the limit.
        ReceiveError: it cannot be read, or the disk is full.
    """
    if limit is not None and item.size > limit:  # said before the disk is filled with it
        raise too_large(item.name, limit)
    with _clear_reasons(item.name):
        try:
            descriptor = os.open(item.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise Replaced(item.name) from None
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link has taken the file's place
                raise Replaced(item.name) from None
            raise
        with os.fdopen(descriptor, "rb", buffering=0) as source:
            if look_at_open(item.path, descriptor) != item:
                raise Replaced(item.name)
            copied = _pour(source.read, item.name, target, limit)
            if look_at_open(item.path, descriptor) != item or look_at(item.path) != item or copied.size != item.size:
                raise Replaced(item.name)
    return copied


def copy_stream(read: Callable[[int], bytes | None], name: str, target: Path, limit: float | None) -> Copied:
    """Copy what a stream gives; as `copy_item`, without the watch over the source."""
    with _clear_reasons(name):
        return _pour(read, name, target, limit)


def _pour(read: Callable[[int], bytes | None], name: str, target: Path, limit: float | None) -> Copied:
    digest, size, lines, last = hashlib.sha256(), 0, 0, b"\n"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as copy:
        while block := read(BLOCK_BYTES):
            size += len(block)
            if limit is not None and size > limit:
                raise too_large(name, limit)
            digest.update(block)
            lines += block.count(b"\n")
            last = block[-1:]
            _write_all(copy.fileno(), memoryview(block))
        os.fsync(copy.fileno())
    return Copied(size, digest.hexdigest(), lines + (last != b"\n"))


def too_large(name: str, limit: float) -> ArrivalFault:
    """The finding on a file that is larger than what is taken."""
    return ArrivalFault("max_file_bytes", f"{name} is larger than the {limit / MEGABYTE:,.0f} MB that are taken; it may be a dump of something else")


def _write_all(descriptor: int, block: memoryview) -> None:
    """Write the whole block: a disk that fills up takes part of one, and says so at the next."""
    while block:
        block = block[os.write(descriptor, block) :]


@contextmanager
def _clear_reasons(name: str) -> Iterator[None]:
    """Turn the system's errors into our own, which say what to do."""
    try:
        yield
    except PermissionError:
        raise ReceiveError(f"{name} cannot be read: give the warehouse's account read access to the inbox") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ReceiveError(f"The landing disk is full: {name} could not be copied. Free space and run the step again") from None
        raise ReceiveError(f"{name} could not be copied: {os.strerror(error.errno or 0)}") from None


def has_rows(path: Path) -> bool:
    """Whether anything but blank lines follows the header."""
    with path.open("rb") as stream:
        stream.readline()
        return any(line.strip() for line in stream)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
