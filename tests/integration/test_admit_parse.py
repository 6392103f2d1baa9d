"""Keys in the database: HMAC-SHA-256 of the agency's own ids, the same in every table of a feed."""

import hashlib
import hmac
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.deliveries import deliver, golden_inbox, query

from warehouse.settings import settings

pytestmark = pytest.mark.integration


def test_keys_are_hmacs_and_agree_between_tables_of_a_feed(clean_db: Path, tmp_path: Path) -> None:
    deliver("police", golden_inbox(tmp_path, "police", "night_1"), "night_1")
    key = settings().feed_key("police")

    def keyed(*message: str) -> UUID:
        return UUID(bytes=hmac.new(key, "\x1f".join(message).encode(), hashlib.sha256).digest()[:16])

    assert query("select record_key, row_key from source.police__offences where _row_number = 1") == [(keyed("record_key", "N1"), keyed("row_key", "N1", "O1"))]
    assert query("select row_key from vault.police__aliases where alias_no = 2") == [(keyed("row_key", "N1", "2"),)]
    assert query("select count(*) from source.police__offences as o join vault.police__nominals as n using (record_key)") == [(3,)]
