"""The key that agencies share to make tokens: read from a file or the environment, held in memory alone, never kept."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

KEY_VARIABLE = "WAREHOUSE_TOKEN_KEY"
KEY_BYTES = 32
BLOCK_BYTES = 64  # of SHA-256
# Raised when tokens change, so that files of different versions are never compared.
TOKEN_VERSION = 1


class TokenKeyError(ValueError):
    """There is no usable key. The message never holds it."""


def read_key(path: Path | None) -> bytes:
    """The key, 32 bytes written as 64 hexadecimal characters, from a file or else from the environment.

    Args:
        path: file that holds the key; None: the variable WAREHOUSE_TOKEN_KEY does.

    Raises:
        TokenKeyError: there is no key, it has another form, or people beside its owner may read the file.
    """
    if path is None:
        text = os.environ.get(KEY_VARIABLE, "")
        if not text:
            raise TokenKeyError(f"No key: name the file that holds it, or set {KEY_VARIABLE}")
    else:
        if not path.is_file():
            raise TokenKeyError("The key file does not exist")
        if path.stat().st_mode & 0o077:
            raise TokenKeyError("Others than its owner may use the key file: chmod 600 it")
        text = path.read_text(encoding="ascii", errors="replace")
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(set(key)) == 1:
        raise TokenKeyError("The key must be 32 random bytes written as 64 hexadecimal characters, as `openssl rand -hex 32` prints them")
    return key


def token_set(key: bytes, letter_pairs: bool) -> str:
    """What tokens made by this version with this key are marked by: version and eight characters that tell keys, and what is encoded, apart.

    The characters are those of a token of their own, so they say nothing about the key.
    """
    check = hmac.new(key, b"token set:" + (b"with letter pairs" if letter_pairs else b"whole names alone"), hashlib.sha256).hexdigest()[:8]
    return f"{TOKEN_VERSION}-{check}"


def give_key(session: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Set the session's variables `inner_pad` and `outer_pad`, from which `tokens.sql` makes HMAC-SHA-256 (RFC 2104)."""
    padded = key.ljust(BLOCK_BYTES, b"\0")
    for name, pad in (("inner_pad", 0x36), ("outer_pad", 0x5C)):
        session.execute(f"set variable {name} = $1::blob", [bytes(byte ^ pad for byte in padded)]).fetchall()
