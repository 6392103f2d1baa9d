"""Decrypt PGP files of agencies with the warehouse's private key, in a stream, and check their signatures.

What is checked: the message is encrypted to the warehouse's key and was not altered (OpenPGP's own integrity protection). Where
the agency's certificate is kept (`WAREHOUSE_PGP_SENDERS`/<feed>.asc), the message must also bear a valid signature by it.
Without such a certificate signatures are not looked at: anyone who has the warehouse's public key can encrypt to it, and who
may deliver is then settled by who may write to the inbox.
"""

from __future__ import annotations

import base64
import binascii
import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.receive.copying import too_large
from warehouse.receive.errors import ArrivalFault, ReceiveError
from warehouse.settings import settings

if TYPE_CHECKING:
    import pysequoia

SUFFIXES = (".pgp", ".gpg", ".asc")
# OpenPGP packets that begin an encrypted message: session keys, encrypted data, marker, padding (RFC 9580).
ENCRYPTED_PACKETS = {1, 3, 9, 10, 18, 20, 21}
HEAD_BYTES = 8192


def is_encrypted_name(name: str) -> bool:
    """Whether a file name says that the file is PGP-encrypted."""
    return name.lower().endswith(SUFFIXES)


def decrypt(source: Path, name: str, feed: str, target: Path, limit: float | None) -> None:
    """Decrypt a file into another. Memory stays below 200 MB whatever the file's size.

    Args:
        name: what the agency called the file, for messages.
        limit: most bytes the decrypted file may have; the system stops the writing there.

    Raises:
        ArrivalFault: not a PGP message, encrypted to another key or not at all, altered, cut off, or not signed by the agency.
        ReceiveError: the warehouse has no usable private key, or the disk is full.
    """
    with source.open("rb") as stream:
        if not is_encrypted(stream.read(HEAD_BYTES)):
            raise ArrivalFault("encryption", f"{name} is not a PGP-encrypted file, although its name says so; encrypt it and send it again")
    import pysequoia

    key, decryptor = _private_key()
    sender = _sender(feed)
    try:
        with _writing_at_most(limit):
            pysequoia.decrypt_file(source, target, decryptor=decryptor, store=None if sender is None else lambda _: [sender])
    except Exception as error:
        target.unlink(missing_ok=True)
        # The library's messages end with a trace of its own calls, which is of no use to anyone here.
        raise _meaning(error, str(error).partition("\n")[0], name, key, limit) from None


def is_encrypted(head: bytes) -> bool:
    """Whether a file that begins so is an encrypted OpenPGP message: signed or compressed data alone are not."""
    text = head.lstrip()
    if text.startswith(b"-----BEGIN PGP MESSAGE-----"):
        lines = text.splitlines()
        # Header lines such as "Comment: ..." end at the first blank line.
        body = next((number + 1 for number, line in enumerate(lines) if not line.strip()), 1)
        try:
            head = base64.b64decode(b"".join(lines[body : body + 1])[:4])
        except (binascii.Error, ValueError):
            return False
    if not head or not head[0] & 0x80:
        return False
    tag = head[0] & 0x3F if head[0] & 0x40 else (head[0] & 0x3C) >> 2
    return tag in ENCRYPTED_PACKETS


def _meaning(error: Exception, reason: str, name: str, key: str, limit: float | None) -> Exception:
    """What a failure to decrypt means for whoever has to mend it."""
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "os error 28" in reason:
        return ReceiveError(f"The landing disk is full: {name} could not be decrypted. Free space and run the step again")
    if "os error 27" in reason and limit is not None:
        return too_large(f"{name}, decrypted,", limit)
    if "No key to decrypt" in reason:
        return ArrivalFault("encryption", f"{name} is encrypted to another key than the warehouse's ({key}); ask for the present public key and send it again")
    if "signature" in reason.lower():
        return ArrivalFault("signature", f"{name} is not signed with the key that the agency agreed; sign it with that key and send it again")
    return ArrivalFault("encryption", f"{name} cannot be decrypted: it was cut off or altered on its way; send it again")


def _private_key() -> tuple[str, pysequoia.PyDecryptor]:
    """The fingerprint of the warehouse's key, and what decrypts with it."""
    import pysequoia

    path, passphrase = settings().pgp_key_file, settings().pgp_passphrase
    if path is None or not path.is_file():
        raise ReceiveError("An encrypted file came, but the warehouse has no private key: set WAREHOUSE_PGP_KEY_FILE to the file that holds it")
    try:
        key = pysequoia.Tsk.from_file(str(path))
        decryptor = key.decryptor(passphrase.get_secret_value() if passphrase else None)
        return key.extract_certificate().fingerprint, decryptor
    except Exception:
        raise ReceiveError("The private key in WAREHOUSE_PGP_KEY_FILE cannot be used: it is damaged, or WAREHOUSE_PGP_PASSPHRASE is wrong") from None


def _sender(feed: str) -> pysequoia.Cert | None:
    """The certificate that the agency of a feed signs with; None where none was agreed."""
    import pysequoia

    folder = settings().pgp_senders
    path = folder / f"{feed}.asc" if folder else None
    if path is None or not path.is_file():
        return None
    try:
        return pysequoia.Cert.from_file(str(path))
    except Exception:
        raise ReceiveError(f"The certificate {feed}.asc in WAREHOUSE_PGP_SENDERS cannot be read") from None


@contextmanager
def _writing_at_most(limit: float | None) -> Iterator[None]:
    """Let no file grow beyond the limit: a small message can hold compressed data without end.

    The limit holds for the whole process. That harms nobody: the library keeps the interpreter to itself while it decrypts.
    """
    if limit is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit) if hard == resource.RLIM_INFINITY else min(int(limit), hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
