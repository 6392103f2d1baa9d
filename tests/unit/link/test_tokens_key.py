"""The key of tokens: where it is read from, what is refused, and that tokens are the HMAC of RFC 2104."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from pathlib import Path

import duckdb
import pytest

from warehouse.link.tokens.files import prepare
from warehouse.link.tokens.key import KEY_VARIABLE, TokenKeyError, read_key, token_set

KEY = bytes(range(32))


def key_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_text(text, encoding="ascii")
    path.chmod(mode)
    return path


def test_the_key_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_key(key_file(tmp_path, KEY.hex() + "\n")) == KEY
    monkeypatch.setenv(KEY_VARIABLE, KEY.hex())
    assert read_key(None) == KEY


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 32, KEY.hex()[:-2]])
def test_another_form_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(TokenKeyError) as raised:
        read_key(key_file(tmp_path, text))
    assert not text or text not in str(raised.value)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenKeyError, match="chmod 600"):
        read_key(key_file(tmp_path, KEY.hex(), 0o644))


def test_no_key_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(TokenKeyError, match=KEY_VARIABLE):
        read_key(None)
    with pytest.raises(TokenKeyError, match="does not exist"):
        read_key(tmp_path / "none")


def test_tokens_are_hmac_sha_256(session: duckdb.DuckDBPyConnection) -> None:
    prepare(session, KEY, date(2026, 11, 1))
    expected = hmac.new(KEY, b"name:O'BRIEN", hashlib.sha256).hexdigest()
    assert session.execute("select keyed_hash('name', 'O''BRIEN'), token('name', 'O''BRIEN')").fetchall() == [(expected, expected[:16])]


def test_the_key_of_each_combination_is_made_by_hmac(session: duckdb.DuckDBPyConnection) -> None:
    prepare(session, KEY, date(2026, 11, 1))
    own_key = hmac.new(KEY, b"key:sex and date of birth", hashlib.sha256).digest()
    expected = hashlib.sha256(own_key + b"F1980-02-03").hexdigest()[:16]
    assert session.execute("select token_under('sex_key', 'F1980-02-03')").fetchall() == [(expected,)]


def test_the_mark_of_a_token_set_tells_keys_and_encodings_apart() -> None:
    assert token_set(KEY, letter_pairs=True) == token_set(KEY, letter_pairs=True)
    assert token_set(KEY, letter_pairs=True) != token_set(KEY[::-1], letter_pairs=True)
    assert token_set(KEY, letter_pairs=True) != token_set(KEY, letter_pairs=False)
    assert KEY.hex()[:8] not in token_set(KEY, letter_pairs=True)
