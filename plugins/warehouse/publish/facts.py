"""What is told about a night, as plain data: counts, names of rules, feeds and tables, times. Never a person's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations

from warehouse.publish.indicator_facts import Indicators

# What can be known of an outcome of a journey; defined by the dbt macro `outcome_status`.
STATUSES = ("yes", "no", "not linked", "censored by death", "not yet observable", "not applicable")


@dataclass(frozen=True)
class Reason:
    """A rule that rows of a delivery broke."""

    table: str
    rule: str
    severity: str
    message: str
    rows: int
    checked: int | None


@dataclass(frozen=True)
class TableLoad:
    """What became of the rows of one table of a delivery."""

    table: str
    received: int
    admitted: int
    quarantined: int
    unchanged: int
    erased: int = 0


@dataclass(frozen=True)
class OtherDelivery:
    """A delivery besides the one that counts for the night: of an earlier night and come or withdrawn since, or of this one and
    replaced, repeated or refused."""

    delivery_id: int
    night: date
    status: str
    message: str | None
    received: int


@dataclass(frozen=True)
class FeedLoad:
    """One feed's delivery of the night, and the others since the night before; `status` is `no delivery` when nothing came."""

    feed: str
    status: str
    message: str | None
    tables: tuple[TableLoad, ...]
    reasons: tuple[Reason, ...]
    others: tuple[OtherDelivery, ...] = ()

    @property
    def received(self) -> int:
        return sum(table.received for table in self.tables)

    @property
    def admitted(self) -> int:
        return sum(table.admitted for table in self.tables)

    @property
    def quarantined(self) -> int:
        return sum(table.quarantined for table in self.tables)

    @property
    def unchanged(self) -> int:
        return sum(table.unchanged for table in self.tables)

    @property
    def erased(self) -> int:
        return sum(table.erased for table in self.tables)


@dataclass(frozen=True)
class Coverage:
    """How far a feed's events are known on the night, when its next delivery is due, and whether it is late."""

    feed: str
    covered_until: date | None
    last_night: date | None
    due_on: date | None = None
    is_stale: bool = False
    reason: str = ""


@dataclass(frozen=True)
class StageTime:
    """The last run of a stage for the night; `seconds` is None while it runs or when it was killed."""

    stage: str
    feed: str | None
    status: str
    started_at: datetime
    seconds: float | None

    @property
    def label(self) -> str:
        return f"{self.stage} {self.feed}" if self.feed else self.stage


@dataclass(frozen=True)
class Publication:
    """Which night analysts see, and from which slot."""

    night: date
    slot: str
    published_at: datetime


@dataclass(frozen=True)
class Tally:
    """Journeys of one status, and the people whose journeys they are."""

    journeys: int = 0
    people: int = 0


@dataclass(frozen=True)
class Outcome:
    """One outcome of the treatment journeys of one cohort, by status. Numerator `yes`, denominator `yes` and `no`.

    `is_adverse`: the rarer, the better.
    """

    indicator: str
    title: str
    definition: str
    source: str
    certainty: str
    tallies: Mapping[str, Tally]
    is_adverse: bool = False

    def tally(self, status: str) -> Tally:
        return self.tallies.get(status, Tally())

    @property
    def numerator(self) -> int:
        return self.tally("yes").journeys

    @property
    def denominator(self) -> int:
        return self.numerator + self.tally("no").journeys


@dataclass(frozen=True)
class YearRate:
    """One published outcome of the journeys that ended in a financial year; in per cent, None where withheld."""

    indicator: str
    year: str
    percent: float | None
    lower: float | None
    upper: float | None
    linked: int | None
    is_follow_up_complete: bool


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of the journeys whose follow-up was completed in the year to the night, and the published trend."""

    recent: tuple[Outcome, ...] = ()
    years: tuple[YearRate, ...] = ()


@dataclass(frozen=True)
class FeedPair:
    """People with records in both feeds; of one feed with itself, people with records there."""

    feed_a: str
    feed_b: str
    people: int


# What is measured where the truth is known: the measure's name in `ops.linkage_metric`, and what a reader calls it.
ACCURACY = {
    "named_pair_precision": "Records with names: precision",
    "named_pair_recall": "Records with names: recall",
    "client_to_person_precision": "Treatment clients: precision",
    "client_to_person_recall": "Treatment clients: recall",
}


@dataclass(frozen=True)
class Linkage:
    """The measures of a night's linkage by name and feed pair; their names are defined in `warehouse.link.metrics`."""

    metrics: Mapping[tuple[str, str, str], float] = field(default_factory=dict)

    def metric(self, name: str, feed_a: str = "", feed_b: str = "") -> float | None:
        return self.metrics.get((name, feed_a, feed_b))

    def accuracy(self, measure: str) -> tuple[float | None, float | None]:
        """One of the measures in `ACCURACY`: of the warehouse, and of the baseline of initials, birth date, sex and district."""
        return self.metric(f"truth_{measure}"), self.metric(f"truth_baseline_{measure}")

    def by_feed(self, name: str) -> dict[str, float]:
        """A measure of each feed by itself."""
        return {a: value for (metric, a, b), value in self.metrics.items() if metric == name and a and not b}

    @property
    def persons(self) -> int | None:
        persons = self.metric("persons_total")
        return None if persons is None else int(persons)

    @property
    def records(self) -> int:
        return int(sum(self.by_feed("records").values()))

    @property
    def pairs(self) -> tuple[FeedPair, ...]:
        """Every pair of feeds that linkage saw, each feed with itself first."""
        persons = self.by_feed("persons")
        alone = [FeedPair(feed, feed, int(count)) for feed, count in persons.items()]
        together = [FeedPair(a, b, int(self.metric("persons_in_both", a, b) or 0)) for a, b in combinations(sorted(persons), 2)]
        return (*alone, *together)


@dataclass(frozen=True)
class NightSummary:
    """Everything the end of a run and the report tell about a night; `erased`: records erased by feed since the night before."""

    night: date
    publication: Publication | None
    feeds: tuple[FeedLoad, ...]
    coverage: tuple[Coverage, ...]
    linkage: Linkage
    outcomes: Outcomes
    stages: tuple[StageTime, ...]
    marts: Mapping[str, int]
    erased: Mapping[str, int] = field(default_factory=dict)
    indicators: Indicators = field(default_factory=Indicators)

    @property
    def stale(self) -> tuple[Coverage, ...]:
        """The feeds that were late on the night."""
        return tuple(coverage for coverage in self.coverage if coverage.is_stale)
