"""Alerts: entered, sent to a real web server, never with a value, and never in the way of the task they are about."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from tests.integration.inboxes import NIGHT, query

from warehouse.admit.errors import DeliveryRefused
from warehouse.database import connect
from warehouse.orchestrate.alerts import Alert, AlertNotifier, ToldAlready, alert_stale_feeds, raise_alert
from warehouse.orchestrate.refusals import no_retry_when_refused
from warehouse.settings import settings

pytestmark = pytest.mark.integration


class Hook:
    """A web server that keeps what is posted to it and answers with a status."""

    def __init__(self, status: int = 200) -> None:
        kept: list[dict[str, Any]] = []
        self.kept = kept

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    running = Hook()
    monkeypatch.setattr(settings(), "alert_webhook", SecretStr(running.address))
    monkeypatch.setattr(settings(), "runbook_url", "https://runbooks.example/")
    yield running
    running.stop()


def failed(error: BaseException | None, task_id: str = "load") -> None:
    """Let a task of the night fail with an error."""
    context = {"ti": SimpleNamespace(dag_id="ingest_police", task_id=task_id), "dag_run": SimpleNamespace(partition_key="2026-11-01"), "exception": error}
    AlertNotifier().notify(context)


def entered() -> list[tuple[Any, ...]]:
    return query("select night, source, message, sent from ops.alert order by alert_id")


def test_a_refusal_is_entered_and_posted(clean_db: Path, hook: Hook) -> None:
    message = "Delivery 7 of police for 2026-11-01 is refused: aliases: the file is empty [empty_file]"
    with pytest.raises(Exception, match="Delivery 7") as caught, no_retry_when_refused():
        raise DeliveryRefused(message)
    failed(caught.value)
    assert entered() == [(NIGHT, "ingest_police.load", message, True)]
    assert hook.kept == [
        {
            "text": f"Warehouse: ingest_police.load, night of 2026-11-01: {message} (https://runbooks.example/ingest.md)",
            "source": "ingest_police.load",
            "night": "2026-11-01",
            "message": message,
            "runbook": "https://runbooks.example/ingest.md",
        }
    ]


def test_errors_of_others_are_told_by_their_kind_alone(clean_db: Path, hook: Hook) -> None:
    failed(ValueError("Key (surname)=(Quillfeather) already exists"))
    failed(None)
    assert [message for _, _, message, _ in entered()] == ["it ended with ValueError", "it was killed or lost"]
    assert "Quillfeather" not in json.dumps(hook.kept)


def test_one_refusal_is_told_once(clean_db: Path, hook: Hook) -> None:
    failed(ToldAlready("Delivery 7 is refused"), "answer")
    assert entered() == [] and hook.kept == []


def test_an_alert_that_cannot_be_sent_stays_as_not_sent(clean_db: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    running = Hook(status=500)
    monkeypatch.setattr(settings(), "alert_webhook", SecretStr(running.address + "/secret-token"))
    assert not raise_alert(Alert("link.score", NIGHT, "told", "link"))
    running.stop()
    assert not raise_alert(Alert("link.score", NIGHT, "told again", "link"))  # nobody there at all
    assert [sent for *_, sent in entered()] == [False, False]
    assert "webhook" in caplog.text and "secret-token" not in caplog.text


def test_without_a_way_to_send_alerts_are_entered(clean_db: Path) -> None:
    assert not raise_alert(Alert("link.score", NIGHT, "told", "link"))
    assert [sent for *_, sent in entered()] == [False]


def test_without_a_database_alerts_are_still_sent(clean_db: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.database.connect", None)
    assert raise_alert(Alert("link.score", NIGHT, "told", "link"))
    assert len(hook.kept) == 1


def test_mail_goes_through_airflows_notifier(clean_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "alert_email", "night@example.gov.uk, desk@example.gov.uk")
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        "airflow.providers.smtp.notifications.smtp.SmtpNotifier.notify", lambda self, _: sent.append((self.to, self.subject, self.html_content))
    )
    assert raise_alert(Alert("ingest_police.load", NIGHT, "3 files <{{ odd }}>", "ingest"))
    to, subject, content = sent[0]
    assert to == ["night@example.gov.uk", "desk@example.gov.uk"] and subject == "Warehouse: ingest_police.load, night of 2026-11-01"
    assert "3 files &lt;{{ odd }}&gt;" in content


def test_stale_feeds_make_one_alert(clean_db: Path, hook: Hook) -> None:
    assert alert_stale_feeds(NIGHT) == 0 and hook.kept == []
    with connect("admin") as connection:
        connection.execute(
            "insert into ops.night_feed (night, feed, is_stale, reason) values (%s, 'police', true, 'never delivered'),"
            " (%s, 'housing', true, 'late'), (%s, 'benefits', false, 'on time')",
            [NIGHT] * 3,
        )
    assert alert_stale_feeds(NIGHT) == 2
    assert [source for _, source, _, _ in entered()] == ["link.score"]
    assert hook.kept[0]["message"] == "2 feeds are stale, the night goes on with what it held before. housing: late; police: never delivered"
