"""Treatment journeys, counted by walking through each person's episodes. Definitions: NI 040 metadata (continuous treatment), and the
discharge-reason rules of DHSC's script, as the project's notes of the domain give them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from tests.recount.held import Person, Record
from tests.recount.particulars import most_frequent

COMPLETED = {1, 2, *range(15, 29), 80, 81, 82}
DECLINED = {12, 71, 88}
DIED = {9, 89}  # a legacy and a present code
RECODED = {90: 80, 91: 82, 92: 81}
INCONSISTENT, NOT_KNOWN = 999, 500
# Both the day of discharge and the day of the next start count, so that 21 days lie between days 20 apart.
CONTINUOUS_DAYS = 21
OPIATES = {"1000", "1011", "1105"}
NO_DRUG = {"3409", "9996", "9997", None}


@dataclass(frozen=True)
class Episode:
    """A person's time with one provider of one partnership from one triage on."""

    provider: str
    partnership: str | None
    authority: str | None
    triage: date
    modality_start: date | None
    end: date | None
    reason: int | None
    drugs: frozenset[str | None]

    @property
    def placed(self) -> date:
        """The day from which it can continue an earlier one."""
        start = self.modality_start or self.triage
        return start if self.end is None else min(start, self.end)


@dataclass(frozen=True)
class Journey:
    """Episodes in continuous treatment."""

    episodes: tuple[Episode, ...]

    @property
    def start(self) -> date:
        return min(episode.triage for episode in self.episodes)

    @property
    def treatment_start(self) -> date | None:
        return min((episode.modality_start for episode in self.episodes if episode.modality_start), default=None)

    @property
    def end(self) -> date | None:
        ends = [episode.end for episode in self.episodes]
        return None if None in ends else max(end for end in ends if end)

    @property
    def reason(self) -> int | None:
        """The reason of the episodes that ended with the journey; one that is not known contradicts nothing."""
        if self.end is None:
            return None
        given = [episode.reason for episode in self.episodes if episode.end == self.end and episode.reason != NOT_KNOWN]
        return standing([reason for reason in given if reason is not None])

    @property
    def last_episode(self) -> Episode:
        """With the latest triage; of several the one that ends last, then the first by partnership and provider."""
        latest = max((episode.triage, episode.end or date.max) for episode in self.episodes)
        of_them = [episode for episode in self.episodes if (episode.triage, episode.end or date.max) == latest]
        return min(of_them, key=lambda episode: (episode.partnership is None, episode.partnership or "", episode.provider))

    @property
    def is_completed(self) -> bool:
        return self.reason in COMPLETED

    @property
    def drug_group(self) -> str:
        """Hierarchical over all substances of the journey: any opiate wins."""
        drugs = frozenset[str | None]().union(*(episode.drugs for episode in self.episodes)) - NO_DRUG
        if drugs & OPIATES:
            return "opiate"
        if not drugs:
            return "not known"
        if drugs == {"7000"}:
            return "alcohol only"
        return "non-opiate and alcohol" if "7000" in drugs else "non-opiate only"


def standing(reasons: list[int]) -> int:
    """The one reason of several given for one discharge."""
    if not reasons:
        return NOT_KNOWN
    if len(set(reasons)) == 1 or set(reasons) <= COMPLETED or set(reasons) <= DECLINED:
        return max(reasons)
    return INCONSISTENT


def episodes_of(person: Person) -> list[Episode]:
    """The person's episodes."""
    rows: dict[tuple[str, str | None, date], list[Record]] = {}
    for row in person.of("ndtms"):
        rows.setdefault((row["AGNCY"], row["DAT"], row["TRIAGED"]), []).append(row)
    return [_episode(*key, of) for key, of in rows.items()]


def _episode(provider: str, partnership: str | None, triage: date, rows: list[Record]) -> Episode:
    end = max((row["DISD"] for row in rows if row["DISD"]), default=None)
    given = [int(row["DISRSN"]) for row in rows if end and row["DISD"] == end and row["DISRSN"] is not None]
    return Episode(
        provider,
        partnership,
        most_frequent(row["LA"] for row in rows if row["LA"]),
        triage,
        min((row["MODST"] for row in rows if row["MODST"]), default=None),
        end,
        standing([RECODED.get(reason, reason) for reason in given]) if end else None,
        frozenset(row[drug] for row in rows for drug in ("DRUG1", "DRUG2", "DRUG3")),
    )


def journeys_of(person: Person) -> list[Journey]:
    """The person's journeys, first to last."""
    found: list[Journey] = []
    going: list[Episode] = []
    for episode in sorted(episodes_of(person), key=lambda episode: (episode.placed, episode.end or date.max)):
        if going and not _continues(going, episode):
            found.append(Journey(tuple(going)))
            going = []
        going.append(episode)
    return [*found, Journey(tuple(going))] if going else found


def _continues(going: list[Episode], episode: Episode) -> bool:
    ends = [one.end for one in going]
    return None in ends or episode.placed <= max(end for end in ends if end) + timedelta(days=CONTINUOUS_DAYS - 1)
