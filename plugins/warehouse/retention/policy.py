"""How long each zone is kept: `expectations/retention.yaml`, as a strict model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, ValidationError, model_validator

from warehouse.contracts.model import Strict
from warehouse.settings import settings

FILE = "retention.yaml"


class RetentionFault(ValueError):
    """The retention cannot be read or run. The message names the place in the file or the zone, never a value."""


class Keep(Strict):
    """How long one zone is kept, and why."""

    days: int = Field(ge=1)
    reason: str = Field(min_length=10)

    def older(self, night: date) -> date:
        """The first date that is kept: what is of an earlier one is past keeping."""
        return night - timedelta(days=self.days)


class KeepLanded(Keep):
    """Landed copies are also kept for each feed's last `keep_nights` admitted nights, so that these can be replayed."""

    keep_nights: int = Field(ge=2)


class Policy(Strict):
    """What every zone keeps."""

    landing: KeepLanded
    quarantine: Keep
    answers: Keep
    vault: Keep
    source: Keep
    work: Keep
    ops: Keep
    reports: Keep
    logs: Keep

    def zones(self) -> Iterator[tuple[str, Keep]]:
        """Each zone with what it keeps, in the order of the file."""
        for name in type(self).model_fields:
            yield name, getattr(self, name)

    @model_validator(mode="after")
    def _replays_find_their_history(self) -> Self:
        for zone in ("vault", "source"):
            if getattr(self, zone).days < self.landing.days:
                raise ValueError(f"{zone} must be kept at least as long as landing: a replay takes its closed versions up again")
        if self.answers.days > self.quarantine.days:
            raise ValueError("answers may not be kept longer than quarantine: they repeat ids of the rows in it")
        return self


def load(folder: Path | None = None) -> Policy:
    """The policy in force.

    Args:
        folder: the expectations folder, when not the project's own.

    Raises:
        RetentionFault: the file is missing or not valid; the message lists every fault with its place.
    """
    path = (folder or settings().expectations_dir) / FILE
    try:
        return Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise RetentionFault(f"{FILE} is missing from the expectations folder") from None
    except yaml.YAMLError as error:
        raise RetentionFault(f"{FILE} is not readable YAML: {error}") from None
    except ValidationError as error:
        faults = "\n".join(f"  {'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}" for fault in error.errors(include_url=False))
        raise RetentionFault(f"{FILE} is not valid:\n{faults}") from None
