"""Collect a feed's files from its agency's SFTP server into a spool folder, which is then read like an inbox.

A file appears in the spool only when it is whole: it is written under a hidden name, taken up again where a lost connection left
it, and renamed when the server still shows the size and time that it had at the start. The agency's files stay on its server;
what was collected is remembered by name, size and time, so that the spool can be emptied once its files have landed.

The connection is Airflow's `sftp_<feed>`: a key, never a password alone, and a host key that is known beforehand.
"""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.database import clean_errors, connect
from warehouse.receive import registry
from warehouse.receive.batches import shown
from warehouse.receive.copying import sync_folder
from warehouse.receive.errors import ReceiveError
from warehouse.receive.inbox import TEMPORARY, look
from warehouse.receive.opening import largest
from warehouse.settings import settings

if TYPE_CHECKING:
    from paramiko import SFTPClient

BLOCK_BYTES = 1 << 20
MOST_FILES = 1000
COLLECTED = ".collected.json"
PARTIAL = ".partial-"
# Size in bytes and time of last change in seconds, as the server tells them.
Remote = dict[str, tuple[int, int]]


class SftpRefused(ReceiveError):
    """The server does not let us in, or is not the one we know: trying again does not help until someone changes a key."""


class SftpUnreachable(ReceiveError):
    """The server did not answer, or the connection was lost: trying again may help. What was transferred is kept for it."""


def connection_id(feed: str) -> str:
    """The Airflow connection of a feed's SFTP server."""
    return f"sftp_{feed}"


def spool(feed: str) -> Path:
    """The folder that a feed's files are collected in, readable by the warehouse's account alone."""
    folder = settings().spool_dir / feed
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def collected(feed: str) -> Remote:
    """What was collected so far of what the server holds."""
    path = spool(feed) / COLLECTED
    return {name: (found[0], found[1]) for name, found in json.loads(path.read_text(encoding="utf-8")).items()} if path.exists() else {}


def collect(feed: str) -> int:
    """Fetch every file of the feed that the server holds and that was not fetched before in its present state.

    Returns:
        The number of files fetched. A file that changed meanwhile is left for the next time.

    Raises:
        SftpRefused: our key, or the server's, is not accepted; or a file is too large, once the others were fetched.
        SftpUnreachable: the server does not answer, or the connection was lost.
        ReceiveError: the spool cannot be written.
    """
    folder = spool(feed)
    with _session(feed) as (client, path):
        listing = wanted((entry.filename, entry.st_mode, entry.st_size, entry.st_mtime) for entry in client.listdir_attr(path))
        known = {name: state for name, state in collected(feed).items() if name in listing}
        _forget_gone(folder, listing)
        limit = largest(feed)
        too_large = [name for name, (size, _) in listing.items() if limit is not None and size > limit]
        fetched = 0
        for name, state in listing.items():
            if name not in too_large and known.get(name) != state and _fetch(client, f"{path}/{name}", name, state, folder):
                known[name] = state
                fetched += 1
                _remember(folder, known)
        _remember(folder, known)
    if too_large:
        raise SftpRefused(f"{shown(too_large)} on the agency's server is larger than what is taken of {feed}; ask the agency what it is")
    return fetched


def wanted(entries: Any) -> Remote:
    """The files worth fetching among (name, mode, size, time) of a listing: plain files that are not hidden or unfinished.

    Raises:
        SftpRefused: the server lists more files than a feed can have.
    """
    found = {
        name: (int(size or 0), int(changed or 0))
        for name, mode, size, changed in entries
        if mode is not None and stat.S_ISREG(mode) and not name.startswith(".") and not TEMPORARY.search(name) and "/" not in name and "\0" not in name
    }
    if len(found) > MOST_FILES:
        raise SftpRefused(f"The agency's server lists {len(found)} files, more than {MOST_FILES}: ask it to clear its folder")
    return dict(sorted(found.items()))


def clear_landed(feed: str) -> int:
    """Remove from the spool what has landed; files of deliveries that were refused on arrival stay, to be opened again.

    Returns:
        The number of files removed.
    """
    with clean_errors(f"look for what was taken of {feed}"), connect("loader") as connection:
        items = look(spool(feed)).items
        seen, known = registry.seen(feed, items, connection), registry.of_feed(feed, connection)
    landed = [item for item in items if item.mark in seen and not known[seen[item.mark]].at_arrival]
    for item in landed:
        item.path.unlink()
    return len(landed)


def _fetch(client: SFTPClient, source: str, name: str, state: tuple[int, int], folder: Path) -> bool:
    """Bring one file over, from where an earlier attempt at the same state of it ended; False when it changed meanwhile."""
    size, changed = state
    partial = folder / f"{PARTIAL}{size}-{changed}-{name}"
    for other in folder.iterdir():
        if other.name.startswith(PARTIAL) and other != partial and _whole_name(other) == name:
            other.unlink()
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab", buffering=0) as target, client.open(source, "rb") as remote:
        start = min(target.tell(), size)
        target.truncate(start)
        if start < size:
            remote.seek(start)
            remote.prefetch(size)
            while block := remote.read(BLOCK_BYTES):
                _write(target, block, name)
        os.fsync(target.fileno())
    after = client.stat(source)
    if (after.st_size, after.st_mtime) != state or partial.stat().st_size != size:
        partial.unlink()
        return False
    partial.replace(folder / name)
    sync_folder(folder)
    return True


def _write(target: io.FileIO, block: bytes, name: str) -> None:
    """Write a block to the spool, and say so if the disk and not the connection is at fault."""
    try:
        rest = memoryview(block)
        while rest:
            rest = rest[target.write(rest) :]
    except OSError as error:
        raise ReceiveError(f"{name} could not be written to the spool ({os.strerror(error.errno or 0)}); free space and run the step again") from None


def _forget_gone(folder: Path, listing: Remote) -> None:
    """Remove what the agency has taken back before it landed, and parts of files that are no longer there."""
    for path in folder.iterdir():
        if path.name != COLLECTED and _whole_name(path) not in listing:
            path.unlink()


def _whole_name(path: Path) -> str:
    """The name of the file that a file of the spool is, or is a part of."""
    return path.name.split("-", 3)[3] if path.name.startswith(PARTIAL) else path.name


def _remember(folder: Path, known: Remote) -> None:
    fresh = folder / f"{COLLECTED}.new"
    fresh.write_text(json.dumps(known), encoding="utf-8")
    fresh.replace(folder / COLLECTED)


@contextmanager
def _session(feed: str) -> Iterator[tuple[SFTPClient, str]]:
    """A session with the feed's server, and the folder to look into there."""
    import paramiko
    from airflow.providers.sftp.hooks.sftp import SFTPHook

    hook = SFTPHook(ssh_conn_id=connection_id(feed), conn_retry_attempts=1)
    if hook.no_host_key_check or hook.allow_host_key_change:
        raise SftpRefused(f"The connection {connection_id(feed)} does not check the server's key; give the key as `host_key` in its extra instead")
    path = str(hook.get_connection(connection_id(feed)).extra_dejson.get("path") or ".").rstrip("/") or "/"
    where = f"{hook.username} at {hook.remote_host}:{hook.port}"
    try:
        with hook.get_managed_conn() as client:
            yield client, path
    except paramiko.AuthenticationException:
        raise SftpRefused(f"The agency's server does not accept our key for {where}; ask the agency to enter our public key") from None
    except paramiko.BadHostKeyException:
        raise SftpRefused(f"The server's key of {where} is not the one we know; ask the agency, by another way, whether it changed its key") from None
    except paramiko.SSHException as error:
        if "not found in known_hosts" in str(error):
            raise SftpRefused(f"The server's key of {where} is not known; ask the agency for it and enter it as `host_key`") from None
        raise SftpUnreachable(f"The connection to {where} was lost or not made ({type(error).__name__})") from None
    except FileNotFoundError:
        raise SftpRefused(f"The folder {path} of {where} does not exist; ask the agency which folder it uses") from None
    except (OSError, EOFError) as error:
        raise SftpUnreachable(f"The connection to {where} was lost or not made ({type(error).__name__})") from None
