"""Several deliveries in one task: a refused one does not stop the others, and is told in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.inboxes import ALIASES, NEXT, NIGHT, end, put

from warehouse.admit.errors import DeliveryRefused
from warehouse.orchestrate.steps import answer_each, go_on, load_each
from warehouse.receive.stage import receive, receive_all

pytestmark = pytest.mark.integration


@pytest.fixture
def three(clean_db: Path, tmp_path: Path) -> list[int]:
    """Deliveries: a good one, one that will be refused by its rows, and one that was refused on arrival."""
    inbox = put(tmp_path, {"aliases_20261030.csv": ALIASES, "aliases_20261031.csv": ALIASES, "aliases_20270601.csv": ALIASES})
    ids = receive_all("police", inbox, NIGHT)
    assert len(ids) == 3
    return ids


def refusing(refused: int, tried: list[int]):
    """A step that refuses one delivery, as the stages do, and notes which it was given."""

    def step(delivery_id: int) -> dict[str, int]:
        tried.append(delivery_id)
        if delivery_id == refused:
            end(delivery_id, "refused")
            raise DeliveryRefused(f"Delivery {delivery_id} has no rows")
        return {"received": delivery_id}

    return step


def test_a_refusal_is_told_after_the_others_were_loaded(three: list[int]) -> None:
    good, bad, on_arrival = three
    tried: list[int] = []
    with pytest.raises(DeliveryRefused, match=f"Delivery {bad} has no rows\nDelivery {on_arrival} of police .*wrong_period"):
        load_each(refusing(bad, tried), three)
    assert tried == [good, bad]
    assert go_on(refusing(0, tried), three) == {good: {"received": good}}


def test_other_errors_stop_the_step(three: list[int]) -> None:
    with pytest.raises(ZeroDivisionError):
        load_each(lambda _: 1 / 0, three)


def test_answers_go_to_all_that_ended_and_refusals_are_told(three: list[int]) -> None:
    good, bad, _ = three
    end(good, "admitted")
    end(bad, "refused")
    written: list[int] = []
    told = answer_each(written.append, three)
    assert written == three and len(told) == 2


def test_a_repetition_is_not_answered(clean_db: Path, tmp_path: Path) -> None:
    first = receive("police", put(tmp_path, {"aliases.csv": ALIASES}), NIGHT)
    assert first is not None
    end(first, "admitted")
    again = receive("police", put(tmp_path, {"aliases.csv": ALIASES}), NEXT)
    assert again is not None
    written: list[int] = []
    assert answer_each(written.append, [again]) == [] and written == []
