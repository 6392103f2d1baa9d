"""Pseudonymous keys: the first 128 bits of HMAC-SHA-256, computed by Postgres over whole tables.

The message is the key's name and its values joined by the ASCII unit separator, a missing value counting as empty. Core
Postgres has no HMAC, but HMAC is two rounds of its `sha256` over padded keys (RFC 2104), which are bound as parameters.
"""

from __future__ import annotations

from warehouse.contracts.ddl import literal, quoted

BLOCK_BYTES = 64
SEPARATOR = "chr(31)"


def padded_keys(key: bytes) -> dict[str, bytes]:
    """The inner and outer padded keys of HMAC (RFC 2104), named as `key_expression` refers to them."""
    block = key.ljust(BLOCK_BYTES, b"\0")
    return {"inner_key": bytes(b ^ 0x36 for b in block), "outer_key": bytes(b ^ 0x5C for b in block)}


def key_expression(name: str, fields: list[str]) -> str:
    """SQL for the uuid of a key called `name` over columns `fields`, with the parameters of `padded_keys`.

    Dates are hashed as their text, so the session's DateStyle must be ISO.
    """
    message = f" || {SEPARATOR} || ".join([literal(name), *(f"coalesce({quoted(field)}::text, '')" for field in fields)])
    digest = f"sha256(%(outer_key)s::bytea || sha256(%(inner_key)s::bytea || convert_to({message}, 'UTF8')))"
    return f"encode(substring({digest} from 1 for 16), 'hex')::uuid"
