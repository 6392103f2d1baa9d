"""What lies in a feed's folder of the inbox, and whether it has stopped changing.

The inbox is the agency's area: nothing here writes to it, and nothing but plain files is read, never through a link.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path

# Names that upload programs give to files they have not finished.
TEMPORARY = re.compile(r"(~|\.(part|partial|filepart|tmp|temp|crdownload|uploading|writing|swp))$", re.IGNORECASE)
# A date, which a time of day may follow.
DATE_IN_NAME = re.compile(r"(?<![0-9])(20[0-9]{2})[-_]?([0-9]{2})[-_]?([0-9]{2})(?:[0-9]{4}|[0-9]{6})?(?![0-9])")


@dataclass(frozen=True)
class Item:
    """One file as it lay in the inbox when it was looked at.

    `changed` is when its content or name last changed, in seconds of the clock of the disk: the later of modification and
    status change, since upload programs may set the former back to the time of the original.
    """

    path: Path
    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def changed(self) -> float:
        return max(self.modified_ns, self.changed_ns) / 1e9

    @property
    def mark(self) -> tuple[str, int, int, int]:
        """What tells this state of the file from any other: the same mark means that nothing was sent anew."""
        return (self.name, self.size, self.modified_ns, self.changed_ns)


@dataclass(frozen=True)
class Look:
    """The files of a folder, and the time of the last change to any upload that is under way."""

    items: list[Item]
    uploading: float | None


def look(folder: Path) -> Look:
    """Every plain file of a folder by name; hidden files, sub-folders, links and unfinished uploads are left out."""
    items: list[Item] = []
    uploading: list[float] = []
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            item = look_at(path)
            if item is None or path.name.startswith("."):
                continue
            if TEMPORARY.search(path.name):
                uploading.append(item.changed)
            else:
                items.append(item)
    return Look(items, max(uploading, default=None))


def look_at(path: Path) -> Item | None:
    """A file's present state; None when it is gone or is not a plain file.

    A link could name another agency's file, so links are not followed.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return _item(path, found) if stat.S_ISREG(found.st_mode) else None


def look_at_open(path: Path, descriptor: int) -> Item:
    """The present state of a file that is open."""
    return _item(path, os.fstat(descriptor))


def _item(path: Path, found: os.stat_result) -> Item:
    return Item(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def is_settled(item: Item, now: float, seconds: float) -> bool:
    """Whether nothing about a file has changed for so many seconds."""
    return item.changed + seconds <= now


def night_in_name(name: str) -> date | None:
    """The date that a file name carries, as 20261101, 2026-11-01 or 2026_11_01; None without one, or with two that differ."""
    found = set()
    for year, month, day in DATE_IN_NAME.findall(name):
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:  # eight digits that are no date are a serial number
            continue
    return found.pop() if len(found) == 1 else None
