"""The deferrable sensor of feeds that are collected by SFTP: it waits in the triggerer, without a task process of its own.

Airflow's own SFTPSensor waits for a file to be there, but agencies leave theirs on the server; what matters is a listing that
differs from what was collected and has stopped changing. Hence a trigger of our own on the provider's asynchronous hook.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from warehouse.settings import settings

if TYPE_CHECKING:
    from airflow.sdk import Context


class SftpArrival(BaseSensorOperator):
    """Collects a feed's files and takes the deliveries among them; waits for what is due until the cut-off.

    Returns the ids of the deliveries to go on with; skipped when there are none.
    """

    def __init__(self, *, feed: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.feed = feed

    def execute(self, context: Context, event: dict[str, Any] | None = None) -> list[int]:
        """Collect, look, and defer to the trigger while there is something to wait for."""
        from warehouse.orchestrate.arrival import Verdict, cut_off, look_once, next_look
        from warehouse.orchestrate.dag_defaults import night_of_run
        from warehouse.receive import sftp

        night, now = night_of_run(), datetime.now(UTC)
        limit = cut_off(night)
        try:
            sftp.collect(self.feed)
            verdict = look_once(self.feed, settings().spool_dir, night, now)
        except sftp.SftpRefused as refusal:
            raise AirflowFailException(str(refusal)) from None
        except sftp.SftpUnreachable as away:
            if limit is None or now >= limit:
                raise
            self.log.info("%s; trying again until the cut-off", away)
            verdict = Verdict(None)
        if verdict.delivery_ids is None:
            wake = next_look(self.feed, night, verdict, now)
            trigger = SftpChange(self.feed, {name: list(state) for name, state in sftp.collected(self.feed).items()}, wake.isoformat(), self.poke_interval)
            self.defer(trigger=trigger, method_name="execute")
        if not verdict.delivery_ids:
            raise AirflowSkipException(f"Nothing came from {self.feed} for the night of {night}")
        sftp.clear_landed(self.feed)
        return verdict.delivery_ids


class SftpChange(BaseTrigger):
    """Fires when the server's files differ from what was collected and no longer change, or when it is time to look anyway.

    Args:
        feed: whose server.
        known: size and time of each file as collected, by name.
        wake_at: when to fire although nothing is new, as an ISO date and time.
        poll_seconds: how often the server is asked; two answers must agree.
    """

    def __init__(self, feed: str, known: dict[str, list[int]], wake_at: str, poll_seconds: float) -> None:
        super().__init__()
        self.feed, self.known, self.wake_at, self.poll_seconds = feed, known, wake_at, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer makes the trigger from."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"feed": self.feed, "known": self.known, "wake_at": self.wake_at, "poll_seconds": self.poll_seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask the server again and again; a server that does not answer is asked again too."""
        wake, last = datetime.fromisoformat(self.wake_at), None
        while (left := (wake - datetime.now(UTC)).total_seconds()) > 0:
            listing = await self._listing()
            if listing is not None and listing != self.known and listing == last:
                yield TriggerEvent({"reason": "changed"})
                return
            last = listing
            await asyncio.sleep(min(self.poll_seconds, max(left, 0.1)))
        yield TriggerEvent({"reason": "time"})

    async def _listing(self) -> dict[str, list[int]] | None:
        """The server's files as `known` has them; None when it cannot be asked: the task will tell why, when its time has come."""
        import asyncssh
        from airflow.providers.common.compat.connection import get_async_connection
        from airflow.providers.sftp.hooks.sftp import SFTPHookAsync

        from warehouse.receive import sftp

        connection = sftp.connection_id(self.feed)
        try:
            path = (await get_async_connection(connection)).extra_dejson.get("path") or "."
            entries = await SFTPHookAsync(sftp_conn_id=connection).read_directory(str(path)) or []
            found = sftp.wanted((str(e.filename), e.attrs.permissions, e.attrs.size, e.attrs.mtime) for e in entries)
        except (OSError, asyncssh.Error, sftp.SftpRefused) as error:
            self.log.warning("The server of %s could not be asked: %s", self.feed, type(error).__name__)
            return None
        return {name: list(state) for name, state in found.items()}
