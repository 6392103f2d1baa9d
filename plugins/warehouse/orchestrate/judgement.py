"""What is wrong or late, and what to do about it: judged from plain facts, without database or clock.

Each problem names the exact command or step that mends it, and the page of the runbooks that says more. Texts hold feed
names, delivery ids, dates, counts and messages of ours; never a person's value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from warehouse.receive.staleness import NightFeed

Level = Literal["wrong", "late", "look"]
LEVELS: tuple[Level, ...] = ("wrong", "late", "look")
UNFINISHED = ("received", "loaded", "checked")
# A stage that has been at work for longer was killed, or hangs: the largest takes minutes.
LONGEST_STAGE_HOURS = 6
# The retention runs weekly; one missed week is an Airflow that was down, two are a fault.
RETENTION_DAYS = 15
RUNBOOKS = "docs/runbooks"
# Whoever ran these saw them fail, and may never run them again.
BY_HAND = ("admit.redo", "admit.release", "admit.reject")


@dataclass(frozen=True)
class Problem:
    """One thing that needs a person.

    Attributes:
        level: `wrong` something failed; `late` an agency is; `look` nothing failed, but somebody should know.
        about: the feed, stage or part of the operation.
        what: what is the matter, in one sentence.
        do: what to type or whom to ask.
        page: where the runbooks say more, as path and heading.
    """

    level: Level
    about: str
    what: str
    do: str
    page: str


@dataclass(frozen=True)
class Newest:
    """The newest delivery of a feed that was not a repetition or replaced."""

    delivery_id: int
    night: date
    status: str
    message: str | None = None
    received: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class FeedState:
    """A feed as it stands: `inbox` its folder, `is_busy` while one of its stages is at work; from `told_share` of its rows on, and from
    `told_rows` of them, what is in quarantine is worth a word."""

    standing: NightFeed
    owner: str
    inbox: str
    newest: Newest | None = None
    is_busy: bool = False
    told_share: float = 1.0
    told_rows: int = 1


@dataclass(frozen=True)
class StageState:
    """The last run of a stage: `hours` since it started."""

    stage: str
    feed: str | None
    night: date
    status: str
    hours: float
    error: str | None = None

    @property
    def label(self) -> str:
        return f"{self.stage} of {self.feed}" if self.feed else self.stage


@dataclass(frozen=True)
class Cause:
    """A kind of failure, known by a part of its message: what to do, and where the runbooks say more."""

    sign: str
    do: str
    page: str


CLEAR = "clear the failed task in Airflow"
# The first whose sign a message holds is taken.
CAUSES = (
    Cause("SQLSTATE 53100", f"Free space on the database's disk, then {CLEAR}", "machine.md#the-disk-is-full"),
    Cause("no SQLSTATE", f"See that Postgres is up, then {CLEAR}", "machine.md#postgres-was-restarted"),
    Cause("SQLSTATE 57P01", f"See that Postgres is up, then {CLEAR}", "machine.md#postgres-was-restarted"),
    Cause("SQLSTATE 40P01", f"End the long session that holds the lock, then {CLEAR}", "machine.md#a-lock-is-held"),
    Cause("SQLSTATE 55P03", f"End the long session that holds the lock, then {CLEAR}", "machine.md#a-lock-is-held"),
    Cause("landing disk is full", f"Free space on the disk of WAREHOUSE_HOME (`df -h`), then {CLEAR}", "machine.md#the-disk-is-full"),
    Cause("DuckDB IOException", f"Look at the disk of WAREHOUSE_HOME (`df -h`), then {CLEAR}", "machine.md#the-disk-is-full"),
    Cause("DuckDB OutOfMemory", f"Free memory and the disk of WAREHOUSE_HOME, then {CLEAR}", "machine.md#the-disk-is-full"),
    Cause("WAREHOUSE_PGP", f"Set the key that the message names, then {CLEAR}", "arrival.md#an-encrypted-file-cannot-be-read"),
    Cause("cannot be read", f"Give the warehouse's account read access to the inbox, then {CLEAR}", "arrival.md#the-inbox-cannot-be-read"),
    Cause("NotArrived", "Wait for the agency to finish sending; the sensor looks again until the cut-off", "arrival.md#files-lie-there-but-are-not-taken"),
    Cause("does not accept our key", f"Have the agency enter our public key, then {CLEAR}", "arrival.md#sftp-our-key-is-not-accepted"),
    Cause("is not the one we know", "Ask the agency by telephone before you change anything", "arrival.md#sftp-the-servers-key-is-not-the-one-we-know"),
    Cause("is not known; ask the agency", "Get the server's key from the agency", "arrival.md#sftp-the-servers-key-is-not-the-one-we-know"),
    Cause(
        "was lost or not made", "See whether the agency's server answers; the next look takes up where it stopped", "arrival.md#sftp-the-server-does-not-answer"
    ),
    Cause("goes on without", "See whether the upload broke off; if so, ask the agency for the files again", "arrival.md#files-lie-there-but-are-not-taken"),
    Cause("ContractError", f"`warehouse contracts check` names the fault; mend it by a commit, then {CLEAR}", "quarantine.md#the-contract-has-a-fault"),
    Cause("PublishBlocked", f"Ask the login named in the message to end its transaction, then {CLEAR}", "marts.md#triage"),
    Cause("PublishRefused", "Follow the row of the message in the runbook", "marts.md#triage"),
    Cause("ModelBuildFailed", f"Mend the model or the data that the message names, then {CLEAR}", "marts.md#triage"),
    Cause("LinkageFault", "Follow the row of the message in the runbook", "link.md#triage"),
    Cause("OSError", f"Look at the disk of WAREHOUSE_HOME (`df -h`), then {CLEAR}", "machine.md#the-disk-is-full"),
)
ANY_CAUSE = Cause("", f"Read the task's log, mend the cause, then {CLEAR}", "night-failed.md#the-night-failed")


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """The problems with the gravest first, feeds and stages in alphabetical order within."""
    return sorted(problems, key=lambda problem: (LEVELS.index(problem.level), problem.about))


def of_feed(state: FeedState) -> list[Problem]:
    """What is wrong with a feed: its newest delivery came to nothing, too much of it is in quarantine, or the agency is late."""
    newest, standing = state.newest, state.standing
    found: list[Problem] = []
    if newest is not None and newest.status == "refused":
        found.append(_refused(newest, standing))
    elif newest is not None and newest.status in UNFINISHED and not state.is_busy:
        what = f"delivery {newest.delivery_id} of {newest.night} got no further than '{newest.status}'"
        found.append(_problem("wrong", standing.feed, what, f"`warehouse redo {newest.delivery_id}`, or {CLEAR}", "machine.md#a-task-was-killed"))
    elif standing.is_stale:
        found.append(_late(state))
    if newest is not None and newest.status == "admitted" and newest.quarantined >= max(state.told_rows, state.told_share * newest.received):
        share = f"{newest.quarantined / newest.received:.1%} of the rows of delivery {newest.delivery_id} of {newest.night} are in quarantine"
        number = newest.delivery_id
        do = f"`warehouse delivery {number}` shows the rules; send the agency its answer, or mend the contract and `warehouse release {number}`"
        found.append(_problem("look", standing.feed, share, do, "quarantine.md#many-rows-are-in-quarantine"))
    return found


def _refused(newest: Newest, standing: NightFeed) -> Problem:
    reason = (newest.message or "").partition("is refused: ")[2] or newest.message or "no message"
    what = f"delivery {newest.delivery_id} of {newest.night} was refused: {reason}"
    what += f"; the feed stays at the night {standing.last_night}" if standing.last_night else "; the feed holds nothing yet"
    what += f", and is late since {standing.due_on}" if standing.is_stale and standing.due_on else ""
    number = newest.delivery_id
    do = f"`warehouse delivery {number}` shows why; send the agency what `warehouse answer {number}` prints and ask for the delivery again"
    return _problem("wrong", standing.feed, what, do, "refused.md#a-delivery-was-refused")


def _late(state: FeedState) -> Problem:
    do = f"`ls -la {state.inbox}` for files under another name; if there are none, ask the owner: {state.owner}"
    return _problem("late", state.standing.feed, state.standing.reason, do, "arrival.md#nothing-came")


def of_arrival(feed: str, message: str) -> Problem:
    """What an alert of the feed's `receive` task tells, where nothing of the feed was admitted for the night: no stage ran that could."""
    cause = next((cause for cause in CAUSES if cause.sign in message), ANY_CAUSE)
    return _problem("wrong", feed, message, cause.do, cause.page)


def of_stage(run: StageState) -> Problem | None:
    """What is wrong with the last run of a stage; None when it ended well, is at work, or its failure is told of the delivery."""
    if run.status == "running" and run.hours > LONGEST_STAGE_HOURS:
        what = f"{run.label} for {run.night} started {run.hours:.0f} hours ago and never ended: it was killed, or it hangs"
        return _problem("wrong", run.feed or run.stage, what, f"See whether its task still runs; if not, {CLEAR}", "machine.md#a-task-was-killed")
    error = run.error or "no message"
    if run.status != "failed" or error.startswith("DeliveryRefused") or run.stage in BY_HAND:
        return None
    cause = next((cause for cause in CAUSES if cause.sign in error), ANY_CAUSE)
    return _problem("wrong", run.feed or run.stage, f"{run.label} failed for {run.night}: {error}", cause.do, cause.page)


def of_night(live: date | None, last_run: date | None, today: date, stale: list[str], is_busy: bool) -> list[Problem]:
    """What is wrong with the night as a whole.

    Args:
        live: the night whose marts analysts see.
        last_run: the last night that any stage worked for.
        stale: feeds that were late on the live night.
        is_busy: a stage is at work now.
    """
    found = []
    if last_run is not None and today > last_run + timedelta(days=1):
        what = f"the last night that ran is {last_run}; nothing has run since"
        do = "If nights should run by the clock, see that Airflow is up and its DAGs are not paused"
        found.append(_problem("look", "night", what, do, "night-failed.md#airflow-itself-is-down"))
    if last_run is not None and not is_busy and (live is None or live < last_run):
        what = f"the night {last_run} is not published: analysts see {'nothing' if live is None else f'the night {live}'}"
        found.append(
            _problem("wrong", "marts", what, "Find the first stage that failed and mend it; the later ones follow", "night-failed.md#the-night-failed")
        )
    if stale:
        what = f"the live marts were built without fresh data from {', '.join(stale)}"
        do = "Nothing, when the agency is known to be late: the next night takes what comes; every outcome names the feed in stale_feeds"
        found.append(_problem("look", "marts", what, do, "arrival.md#a-feed-is-stale"))
    return found


def of_operations(erasures: int, alerts: int, first_night: date | None, last_retention: date | None, as_of: date) -> list[Problem]:
    """What else waits: erasures begun and not ended, alerts that reached nobody, a retention that does not run.

    Args:
        first_night: the night of the first delivery ever; nothing can be overdue for removal before it.
        last_retention: the night of the last run of the retention.
    """
    found = []
    if erasures:
        what = f"{erasures} {'erasure is' if erasures == 1 else 'erasures are'} registered and not finished"
        found.append(_problem("wrong", "erasure", what, "`warehouse erasures --finish`", "erasure.md#an-erasure-is-not-finished"))
    if alerts:
        what = f"{alerts} {'alert' if alerts == 1 else 'alerts'} of the last week could not be sent"
        found.append(_problem("look", "alerts", what, "`warehouse status --json` lists them; mend the channel", "machine.md#an-alert-was-not-sent"))
    since = last_retention or first_night
    if since is not None and as_of > since + timedelta(days=RETENTION_DAYS):
        what = f"the retention has not run since {last_retention}" if last_retention else "the retention has never run"
        do = "`warehouse retention --dry-run` shows what is past keeping; `warehouse retention` removes it; see why the DAG does not run"
        found.append(_problem("look", "retention", what, do, "retention.md#triage"))
    return found


def _problem(level: Level, about: str, what: str, do: str, page: str) -> Problem:
    return Problem(level, about, what, do, f"{RUNBOOKS}/{page}")
