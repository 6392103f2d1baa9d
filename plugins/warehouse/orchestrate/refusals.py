"""Refusals that trying again cannot mend: a delivery the agency must correct, a build that must not go live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_retry_when_refused() -> Iterator[None]:
    """Fail the Airflow task for good, with the refusal's own message, when what is tried inside is refused.

    A publication that readers held up is not one: trying again may find the views free.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from warehouse.admit.errors import DeliveryRefused
    from warehouse.publish.errors import PublishBlocked, PublishRefused

    try:
        yield
    except PublishBlocked:
        raise
    except (DeliveryRefused, PublishRefused) as refusal:
        raise AirflowFailException(str(refusal)) from None
