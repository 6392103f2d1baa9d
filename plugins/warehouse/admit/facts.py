"""What was counted while a delivery's files were read: counts alone, no values."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from warehouse.admit.deliveries import Finding


@dataclass(frozen=True)
class RuleFacts:
    """What one rule about rows found in one table: rows it was asked of, and rows that broke it."""

    rule: str
    checked_rows: int
    failed_rows: int


@dataclass(frozen=True)
class TableFacts:
    """What one table's file held.

    Attributes:
        file_name: the file, as it lies landed.
        file_bytes: its size.
        file_changed_ns: when it was last written, which tells whether it still is what was read.
        received: rows of the file; malformed ones are counted, blank lines are not.
        refused: rows to be quarantined, the malformed ones among them.
        repeated: rows that repeat an earlier one.
        rules: every rule about rows, in the order of the suite.
    """

    file_name: str
    file_bytes: int
    file_changed_ns: int
    received: int
    malformed: int
    refused: int
    repeated: int
    rules: list[RuleFacts]


@dataclass(frozen=True)
class Facts:
    """What a delivery's files held, by table; tables whose file did not come are left out.

    `findings`: what the file phase told of the files without refusing them, and the malformed rows.
    """

    contract_hash: str
    tables: dict[str, TableFacts]
    findings: list[Finding]

    def to_json(self) -> str:
        """The facts as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Facts:
        """The facts of a JSON text that `to_json` gave."""
        known: dict[str, Any] = json.loads(text)
        tables = {name: TableFacts(**table | {"rules": [RuleFacts(**rule) for rule in table["rules"]]}) for name, table in known["tables"].items()}
        return cls(known["contract_hash"], tables, [Finding(**finding) for finding in known["findings"]])
