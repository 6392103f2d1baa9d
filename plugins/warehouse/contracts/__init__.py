"""Contracts: what each feed may hold, read from `expectations/`, and what follows from it (tables, checks, zone split)."""
