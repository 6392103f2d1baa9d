"""Why a publication did not happen. Whatever the reason, last night's marts are still live and whole."""

from __future__ import annotations


class PublishRefused(Exception):
    """The newly built marts may not go live: a check failed, or other people's views stand in the way.

    The message is plain English for the engineer on call and names tables, stages and views only.
    """


class PublishBlocked(PublishRefused):
    """Readers held the live views for as long as publication was prepared to wait. Running it again later is enough."""
