"""Take the deliveries of a feed through a step, one after the other: one that is refused does not stop the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from warehouse.admit.errors import DeliveryRefused
from warehouse.database import clean_errors, connect
from warehouse.receive import registry

# What the agency is answered: everything but repetitions, whose answer is that of the delivery they repeat.
ANSWERED = ("admitted", "refused")


def load_each(load: Callable[[int], Any], delivery_ids: list[int]) -> None:
    """Load deliveries; those refused on arrival are not loaded and count as refused here.

    Raises:
        DeliveryRefused: at the end, when one or more are refused; the message holds every reason.
    """
    _each(load, delivery_ids, _refused_on_arrival(delivery_ids))


def go_on(step: Callable[[int], Any], delivery_ids: list[int]) -> dict[int, Any]:
    """Take on those of the deliveries that no step before refused; gives what the step returned for each.

    Raises:
        DeliveryRefused: at the end, when this step refused one or more.
    """
    refused = {delivery_id: "" for delivery_id, status in statuses(delivery_ids).items() if status == "refused"}
    return _each(step, [delivery_id for delivery_id in delivery_ids if delivery_id not in refused], {})


def answer_each(write: Callable[[int], Any], delivery_ids: list[int]) -> list[str]:
    """Write the answer to the agency for each delivery that came to an end.

    Returns:
        The messages of the refused ones.
    """
    ended = statuses(delivery_ids)
    for delivery_id in delivery_ids:
        if ended.get(delivery_id) in ANSWERED:
            write(delivery_id)
    with clean_errors("read why deliveries are refused"), connect("loader") as connection:
        rows = connection.execute(
            "select message from ops.delivery where delivery_id = any(%s) and status = 'refused' order by delivery_id", [delivery_ids]
        ).fetchall()
    return [str(message) for (message,) in rows]


def statuses(delivery_ids: list[int]) -> dict[int, str]:
    """How far each delivery has got."""
    with clean_errors("read how far deliveries have got"), connect("loader") as connection:
        return dict(connection.execute("select delivery_id, status from ops.delivery where delivery_id = any(%s)", [delivery_ids]).fetchall())


def _refused_on_arrival(delivery_ids: list[int]) -> dict[int, str]:
    with clean_errors("read which deliveries were refused on arrival"), connect("loader") as connection:
        found = {delivery_id: registry.refusal(delivery_id, connection) for delivery_id in delivery_ids}
    return {delivery_id: message for delivery_id, message in found.items() if message}


def _each(step: Callable[[int], Any], delivery_ids: list[int], refused: dict[int, str]) -> dict[int, Any]:
    results: dict[int, Any] = {}
    for delivery_id in delivery_ids:
        if delivery_id in refused:
            continue
        try:
            results[delivery_id] = step(delivery_id)
        except DeliveryRefused as refusal:
            refused[delivery_id] = str(refusal)
    if refused:
        raise DeliveryRefused("\n".join(refused[delivery_id] for delivery_id in sorted(refused)))
    return results
