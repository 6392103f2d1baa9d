"""Pseudonymous keys: the first 128 bits of HMAC-SHA-256 as a uuid, computed by DuckDB over whole tables.

The message is the key's name and its values joined by the ASCII unit separator, a missing value counting as empty. DuckDB
has no HMAC, but HMAC is two rounds of its `sha256` over padded keys (RFC 2104).
"""

from __future__ import annotations

from warehouse.contracts.ddl import literal, quoted

BLOCK_BYTES = 64
SEPARATOR = "chr(31)"
INNER_PAD, OUTER_PAD = 0x36, 0x5C


def key_expression(name: str, fields: list[str], secret: bytes) -> str:
    """DuckDB's SQL for the uuid of a key called `name` over columns `fields`; dates enter as YYYY-MM-DD.

    Args:
        secret: the feed's key. It becomes part of the statement, which must not be logged.
    """
    message = f" || {SEPARATOR} || ".join([literal(name), *(f"coalesce({quoted(field)}::varchar, '')" for field in fields)])
    inner = f"sha256({_padded(secret, INNER_PAD)} || encode({message}))"
    return f"left(sha256({_padded(secret, OUTER_PAD)} || unhex({inner})), 32)::uuid"


def _padded(secret: bytes, pad: int) -> str:
    padded = bytes(byte ^ pad for byte in secret.ljust(BLOCK_BYTES, b"\0"))
    return "'" + "".join(f"\\x{byte:02X}" for byte in padded) + "'::blob"
