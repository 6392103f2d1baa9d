"""Admit: check a delivery and split its good rows into the vault (identifiers) and the source zone (everything else)."""
