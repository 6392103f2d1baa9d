"""Helpers of the receive tests: inboxes with files, archives, encrypted files and manifests, and what became of them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.database import connect

NIGHT, NEXT = date(2026, 11, 1), date(2026, 11, 2)
HEADERS = {
    "nominals": "CHANGE_TYPE,NOMINAL_ID,PNC_ID,FORENAME,MIDDLE_NAME,SURNAME,DOB,SEX,ETHNIC_OBSERVED,NINO",
    "addresses": "CHANGE_TYPE,NOMINAL_ID,ADDRESS_NO,ADDRESS_LINE,POSTCODE,LAD_CODE,FROM_DATE,TO_DATE",
    "aliases": "CHANGE_TYPE,NOMINAL_ID,ALIAS_NO,FORENAME,SURNAME,DOB,ALIAS_TYPE",
}


def query(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of a query as the administrator."""
    with connect("admin") as connection:
        return connection.execute(statement, list(parameters)).fetchall()


def text(table: str, *rows: str) -> bytes:
    """The content of a police file."""
    return "\n".join([HEADERS[table], *rows, ""]).encode()


ALIASES = text("aliases", "I,N1,1,Anna,Other,,A")
ADDRESSES = text("addresses", "I,N1,1,1 High Street,,,2020-01-01,")
NOMINALS = text("nominals", "I,N1,,Anna,,Example,1980-01-01,F,1,")


def put(inbox: Path, files: dict[str, bytes], feed: str = "police") -> Path:
    """Put files into the feed's folder of an inbox; gives the inbox."""
    folder = inbox / feed
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return inbox


def manifest(night: date, files: dict[str, bytes], feed: str = "police", **rows: int) -> bytes:
    """A manifest of files; `rows` by the first word of the file's name."""
    named = []
    for name, content in files.items():
        promise: dict[str, Any] = {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        table = name.split("_")[0].split(".")[0]
        named.append(promise | ({"rows": rows[table]} if table in rows else {}))
    return json.dumps({"feed": feed, "night": night.isoformat(), "files": named}).encode()


def zipped(path: Path, files: dict[str, bytes]) -> bytes:
    """A zip archive of files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path.read_bytes()


def deliveries() -> list[tuple[int, date, str]]:
    """Every delivery: id, night, status."""
    return [(row[0], row[1], row[2]) for row in query("select delivery_id, night, status from ops.delivery order by 1")]


def landed(home: Path, delivery_id: int, feed: str = "police") -> dict[str, bytes]:
    """The landed copies of a delivery by name."""
    return {path.name: path.read_bytes() for path in (home / "landing" / feed / str(delivery_id)).iterdir()}


def registered(delivery_id: int) -> set[str]:
    """Names of the files registered for a delivery."""
    return {name for (name,) in query("select file_name from ops.delivery_file where delivery_id = %s", delivery_id)}


def findings(delivery_id: int) -> dict[str, str]:
    """Rules that a delivery broke when it arrived, with their messages."""
    rows = query("select rule, message from ops.check_result where delivery_id = %s and failed_rows > 0", delivery_id)
    return dict(rows)


def end(delivery_id: int, status: str) -> None:
    """Let a delivery come to an end, as the stages after receive do."""
    with connect("admin") as connection:
        connection.execute("update ops.delivery set status = %s, finished_at = now() where delivery_id = %s", [status, delivery_id])
