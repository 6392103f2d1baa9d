"""Why a delivery could not be taken from an inbox."""

from __future__ import annotations


class NotArrived(Exception):
    """Something of the feed lies in the inbox, but is not whole yet: files are still changing, or are missing.

    `settling` tells that files changed a moment ago, so that a short wait makes sense; without it only the agency can mend it.
    """

    def __init__(self, feed: str, why: str, settling: bool = False) -> None:
        self.feed, self.why, self.settling = feed, why, settling
        super().__init__(f"The delivery of {feed} is not whole yet: {why}")

    def __reduce__(self) -> tuple[type[NotArrived], tuple[str, str, bool]]:
        return NotArrived, (self.feed, self.why, self.settling)


class ArrivalFault(Exception):
    """A delivery cannot be used as it was sent. `rule` is the rule it broke; the message says what to do, without values."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)

    def __reduce__(self) -> tuple[type[ArrivalFault], tuple[str, str]]:
        return ArrivalFault, (self.rule, str(self))


class ReceiveError(Exception):
    """The warehouse, not the agency, is at fault: a key is not configured, the disk is full, a file cannot be read. Nothing was taken."""
