"""A refused delivery is the agency's to mend: trying the task again would refuse it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_retry_when_refused() -> Iterator[None]:
    """Fail the Airflow task for good, with the refusal's own message, when the delivery inside is refused."""
    from airflow.sdk.exceptions import AirflowFailException

    from warehouse.admit.errors import DeliveryRefused

    try:
        yield
    except DeliveryRefused as refusal:
        raise AirflowFailException(str(refusal)) from None
