"""Alerts: entered in `ops.alert` and sent by webhook and mail, where these are configured. They hold counts, ids and file names,
and a link to the runbook; never a person's value.

An alert that cannot be sent never fails the task it is about: it stays in `ops.alert` as not sent, and `warehouse status` shows it.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowFailException

from warehouse.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context

WEBHOOK_SECONDS = 10.0
log = logging.getLogger(__name__)


class ToldAlready(AirflowFailException):
    """Fails a task for good for something that an alert was raised for before."""


@dataclass(frozen=True)
class Alert:
    """What an engineer should know: where it comes from (DAG and task), the night, a sentence, and the runbook's name."""

    source: str
    night: date | None
    message: str
    runbook: str

    @property
    def link(self) -> str:
        """Where to read what to do."""
        return f"{settings().runbook_url.rstrip('/')}/{self.runbook}.md"


class AlertNotifier(BaseNotifier):
    """Raises an alert for a task that failed for good; the callback of every task of the project."""

    def notify(self, context: Context) -> None:
        """Raise the alert. The message of an exception is told only where we wrote it ourselves: others may repeat values."""
        error = context.get("exception")
        if isinstance(error, ToldAlready):
            return
        task = context["ti"]
        ours = error is not None and (type(error).__module__.startswith("warehouse.") or isinstance(error, AirflowFailException))
        reason = str(error) if ours else f"it ended with {type(error).__name__}" if error is not None else "it was killed or lost"
        raise_alert(Alert(f"{task.dag_id}.{task.task_id}", _night_of(context), reason, task.dag_id.split("_")[0]))


def raise_alert(alert: Alert) -> bool:
    """Enter an alert and send it; never raises.

    Returns:
        Whether it was sent by every way that is configured, and at least one is.
    """
    alert_id = _attempt("enter it", lambda: _enter(alert))
    sent = [_attempt(f"send it by {name}", send) for name, send in _ways(alert)]
    was_sent = bool(sent) and all(sent)
    if alert_id and was_sent:
        _attempt("mark it as sent", lambda: _mark_sent(alert_id))
    return was_sent


def alert_stale_feeds(night: date) -> int:
    """Raise one alert when feeds are late on a night; gives their number. Never raises an error."""
    return _attempt("read which feeds are stale", lambda: _alert_stale(night))


def _alert_stale(night: date) -> int:
    from warehouse.database import connect

    with connect("linker") as connection:
        rows = connection.execute("select feed, reason from ops.night_feed where night = %s and is_stale order by feed", [night]).fetchall()
    if rows:
        told = "; ".join(f"{feed}: {reason}" for feed, reason in rows)
        count = "1 feed is" if len(rows) == 1 else f"{len(rows)} feeds are"
        raise_alert(Alert("link.score", night, f"{count} stale, the night goes on with what it held before. {told}", "arrival"))
    return len(rows)


def _night_of(context: Context) -> date | None:
    key = getattr(context.get("dag_run"), "partition_key", None) or (context.get("params") or {}).get("night")
    return date.fromisoformat(key) if key else None


def _attempt(doing: str, act: Callable[[], int]) -> int:
    """What an act gives; 0, and a line in the log, when it fails."""
    try:
        return act()
    except Exception as error:
        # The class alone: a library may repeat the address of a webhook, which is a secret.
        log.warning("An alert: could not %s: %s", doing, type(error).__name__)
        return 0


def _enter(alert: Alert) -> int:
    from warehouse.database import connect

    with connect("loader") as connection:
        row = connection.execute(
            "insert into ops.alert (night, source, message) values (%s, %s, %s) returning alert_id", [alert.night, alert.source, alert.message]
        ).fetchone()
    assert row is not None  # insert ... returning always gives its row
    return int(row[0])


def _mark_sent(alert_id: int) -> int:
    from warehouse.database import connect

    with connect("loader") as connection:
        return connection.execute("update ops.alert set sent = true where alert_id = %s", [alert_id]).rowcount


def _ways(alert: Alert) -> list[tuple[str, Callable[[], int]]]:
    """The ways that are configured, each returning 1 when it has sent the alert."""
    ways: list[tuple[str, Callable[[], int]]] = []
    if settings().alert_webhook is not None:
        ways.append(("webhook", lambda: _post(alert)))
    if settings().alert_email:
        ways.append(("mail", lambda: _mail(alert)))
    return ways


def _post(alert: Alert) -> int:
    import httpx

    address = settings().alert_webhook
    night = alert.night.isoformat() if alert.night else None
    # `text` is what chat programs show; the rest is for machines.
    body = {"text": f"{_subject(alert)}: {alert.message} ({alert.link})", "source": alert.source, "night": night}
    body |= {"message": alert.message, "runbook": alert.link}
    with httpx.Client(timeout=WEBHOOK_SECONDS, transport=httpx.HTTPTransport(retries=1)) as client:
        client.post(address.get_secret_value() if address else "", json=body).raise_for_status()
    return 1


def _mail(alert: Alert) -> int:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    text = f"<p>{html.escape(alert.message)}</p><p>What to do: {html.escape(alert.link)}</p>"
    receivers = [address.strip() for address in settings().alert_email.split(",")]
    # Its method, not the object itself, which would take file names in the message for templates.
    SmtpNotifier(to=receivers, subject=_subject(alert), html_content=text).notify({})
    return 1


def _subject(alert: Alert) -> str:
    return f"Warehouse: {alert.source}" + (f", night of {alert.night}" if alert.night else "")
