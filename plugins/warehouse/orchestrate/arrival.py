"""How long a night waits for a feed, and what it then goes on with.

Until the cut-off (`WAREHOUSE_CUT_OFF`, London time of the night's own date) a night waits for the deliveries that are due. From then
on it takes what is whole. A night without a cut-off, as one run by hand, waits only until files stop changing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from warehouse.contracts.load import load_contract
from warehouse.receive.errors import NotArrived
from warehouse.receive.stage import left_waiting, receive_all
from warehouse.settings import settings

LONDON = ZoneInfo("Europe/London")
SHOWN_NAMES = 10
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What a look at a feed's inbox came to.

    `delivery_ids` are the deliveries to go on with, none where the night goes on without the feed; None means to look again,
    `settling` after a moment, since files changed just now.
    """

    delivery_ids: list[int] | None
    settling: bool = False


def cut_off(night: date) -> datetime | None:
    """When a night stops waiting; None when it does not wait."""
    told = settings().cut_off
    return datetime.combine(night, time.fromisoformat(told), LONDON) if told else None


def await_deliveries(feed: str, inbox: Path, night: date) -> list[int] | None:
    """The deliveries of a feed that a night goes on with, as a sensor asks for them; None to be asked again.

    Raises:
        AirflowSkipException: nothing came, and the night does not wait any longer.
        ReceiveError, DatabaseFault, ContractError: as `warehouse.receive.stage.receive_all`.
    """
    from airflow.sdk.exceptions import AirflowSkipException

    ids = look_once(feed, inbox, night, datetime.now(UTC)).delivery_ids
    if ids == []:
        raise AirflowSkipException(f"Nothing came from {feed} for the night of {night}")
    return ids


def look_once(feed: str, inbox: Path, night: date, now: datetime) -> Verdict:
    """Look into a feed's inbox, and take what is there if it need not wait any longer.

    Raises:
        ReceiveError, DatabaseFault, ContractError: as `warehouse.receive.stage.receive_all`.
    """
    limit = cut_off(night)
    is_over = limit is not None and now >= limit
    try:
        verdict = Verdict(receive_all(feed, inbox, night, "none" if is_over else "whole" if limit else "settled"))
    except NotArrived as waiting:
        if waiting.settling or (limit is not None and not is_over):
            log.info("%s; looking again later", waiting)
            return Verdict(None, waiting.settling)
        verdict = Verdict([])
    if limit is None or is_over:
        _tell_what_is_left(feed, inbox, night)
    return verdict


def next_look(feed: str, night: date, verdict: Verdict, now: datetime) -> datetime:
    """When to look again although nothing new was seen: when files have settled, else at the cut-off."""
    limit = cut_off(night)
    if verdict.settling or limit is None:
        chosen = settings().settle_seconds
        seconds = load_contract(feed).arrival.settle_seconds if chosen is None else chosen
        return now + timedelta(seconds=seconds + 1)
    return limit


def _tell_what_is_left(feed: str, inbox: Path, night: date) -> None:
    from warehouse.orchestrate.alerts import Alert, raise_alert

    names = left_waiting(feed, inbox)
    if names:
        shown = ", ".join(names[:SHOWN_NAMES]) + (" and others" if len(names) > SHOWN_NAMES else "")
        count = "1 file" if len(names) == 1 else f"{len(names)} files"
        message = f"The night goes on without {count} of {feed} that are not whole: {shown}"
        raise_alert(Alert(f"ingest_{feed}.receive", night, message, "arrival"))
