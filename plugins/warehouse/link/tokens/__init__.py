"""Linkage on keyed tokens instead of clear identifiers.

Agencies run `warehouse tokenise`, which replaces the identifiers in a delivery by tokens made with a key that the agencies share
and the warehouse never sees. The same models then compare tokens: `levels` says what each of their conditions becomes.
"""
