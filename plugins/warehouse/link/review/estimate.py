"""Precision and recall of the links from stewards' verdicts, with 95 % intervals, where no truth is known.

A stratum of N pairs (see `sample`) of which n were judged and k found to be the same person holds about N k / n true pairs.
At a certainty, precision is the share of true pairs among the pairs that are one person; recall, their share of all true pairs in
all strata, those that blocking missed and the guard rejected among them. At a threshold both speak of the edges at or above it.
"Cannot tell" counts as not judged.

Most strata hold few surprises or none, where the normal approximation claims a certainty that nobody has. So each stratum has
Jeffreys' interval, which is wide after few verdicts whatever they were, and the strata are put together by recovering from each limit the
variance on its side (MOVER). Recall is true pairs found over true pairs not found, so it takes the form for ratios.
Sources: Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16(2), 2001; Zou and Donner,
"Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008; Donner and Zou, "Closed-form
confidence intervals for functions of the normal mean and standard deviation", Statistical Methods in Medical Research 21(4), 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from warehouse.database import clean_errors, connect
from warehouse.link.errors import LinkageFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

CONFIDENCE = 0.95
METRIC_PREFIX = "review_"
LEVELS = {"strict": 1, "balanced": 2, "inclusive": 3}

# The verdict on a pair is that of most stewards who could tell; where they are evenly divided, nobody can.
TALLIES = """
with verdict as (
    select
        record_key_l, record_key_r,
        count(*) as stewards,
        count(*) filter (where verdict = 'same')      as same,
        count(*) filter (where verdict = 'different') as different
    from linkage.review_decision where night = %(night)s group by record_key_l, record_key_r
)
select
    s.kind, s.frame, s.level, s.low, s.counted_pairs, s.counted_share,
    count(*) filter (where v.same > v.different)::int as same,
    count(*) filter (where v.different > v.same)::int as different,
    count(*) filter (where v.same = v.different)::int as undecided,
    count(*) filter (where v.stewards > 1)::int as judged_twice,
    count(*) filter (where v.stewards > 1 and greatest(v.same, v.different, v.stewards - v.same - v.different) = v.stewards)::int as agreed
from linkage.review_stratum as s
left join linkage.review_pair as p on p.night = s.night and p.stratum = s.stratum
left join verdict as v using (record_key_l, record_key_r)
where s.night = %(night)s
group by s.stratum, s.kind, s.frame, s.level, s.low, s.counted_pairs, s.counted_share
order by s.stratum
"""

LABELS = """
with verdict as (
    select
        record_key_l, record_key_r,
        count(*) filter (where verdict = 'same')      as same,
        count(*) filter (where verdict = 'different') as different
    from linkage.review_decision where night = %(night)s group by record_key_l, record_key_r
)
select record_key_l, record_key_r, case when same > different then 'same' else 'different' end
from verdict where same <> different order by record_key_l, record_key_r
"""


@dataclass(frozen=True)
class Tally:
    """One stratum with what was decided about its pairs."""

    kind: str
    frame: str
    level: int | None
    low: float | None
    counted_pairs: int
    counted_share: float
    same: int
    different: int
    undecided: int = 0
    judged_twice: int = 0
    agreed: int = 0

    @property
    def judged(self) -> int:
        """Pairs with a verdict that says something."""
        return self.same + self.different

    @property
    def pairs(self) -> float:
        """Pairs of the stratum in the whole night."""
        return self.counted_pairs / self.counted_share


@dataclass(frozen=True)
class Share:
    """An estimated share with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """Precision and recall of one kind of pairs (named or minimal): at a certainty, or of the edges from a threshold on.

    `cut` names the certainty or the threshold in bits; `unjudged` counts the pairs in strata of which none was judged: there the
    share is as good as unknown, and the interval says so.
    """

    kind: str
    cut: str
    bits: float | None
    pairs: float
    unjudged: float
    precision: Share
    recall: Share


def tallies(night: date) -> list[Tally]:
    """The strata of the pairs drawn for a night, with the verdicts so far.

    Raises:
        LinkageFault: no pairs were drawn for the night, or none was judged.
        DatabaseFault: the database could not be read.
    """
    with clean_errors("read the verdicts"), connect("linker") as connection:
        found = [Tally(*row) for row in connection.execute(TALLIES, {"night": night})]
    if not any(tally.judged for tally in found):
        raise LinkageFault(f"No pair of {night.isoformat()} has been judged yet, so there is nothing to estimate from")
    return found


def estimates(strata: Sequence[Tally]) -> list[Estimate]:
    """Precision and recall of each kind at the three certainties, then at every score where a stratum begins."""
    found = []
    for kind in sorted({tally.kind for tally in strata if tally.frame == "linked"}, reverse=True):
        own = [tally for tally in strata if tally.kind == kind]
        matches = _matches(own)
        pairs = np.array([tally.pairs for tally in own])
        linked = np.array([tally.frame == "linked" for tally in own])
        together = linked | np.array([tally.frame == "joined" for tally in own])
        level = np.array([tally.level or 9 for tally in own])
        low = np.array([-np.inf if tally.low is None else tally.low for tally in own])
        starts = sorted({float(start) for start in low[linked] if np.isfinite(start)})
        cuts: list[tuple[str, float | None, Numbers]] = [(name, None, together & (level <= number)) for name, number in LEVELS.items()]
        cuts += [(f"{start:g} bits", start, linked & (low >= start)) for start in starts]
        unjudged = np.array([tally.judged == 0 for tally in own])
        found += [
            Estimate(kind, name, bits, float(pairs[cut].sum()), float(pairs[cut & unjudged].sum()), _precision(pairs, matches, cut), _recall(matches, cut))
            for name, bits, cut in cuts
            if cut.any()
        ]
    return found


def learnt_threshold(found: Sequence[Estimate], kind: str, wanted: float, is_sure: bool) -> Estimate | None:
    """The lowest score from which the edges of a kind have the wanted precision; None when no score has it.

    Args:
        is_sure: whether the lower end of the interval must reach it, rather than the estimate alone.
    """
    scored = [e for e in found if e.kind == kind and e.bits is not None]
    good = [e for e in scored if (e.precision.low if is_sure else e.precision.value) >= wanted]
    return min(good, key=lambda e: e.bits if e.bits is not None else np.inf, default=None)


def labelled(night: date) -> list[tuple[UUID, UUID, str]]:
    """The pairs of a night's sample with a verdict that says something: both record keys, and `same` or `different`.

    Raises:
        DatabaseFault: the database could not be read.
    """
    with clean_errors("read the verdicts"), connect("linker") as connection:
        return connection.execute(LABELS, {"night": night}).fetchall()


def keep(night: date, found: Sequence[Estimate]) -> None:
    """Keep the estimates at the certainties in `ops.linkage_metric`, as review_... with the kind and the certainty, for the report.

    Raises:
        DatabaseFault: the database refused.
    """
    rows = [
        (night, METRIC_PREFIX + measure + suffix, e.kind, e.cut, value)
        for e in found
        if e.bits is None
        for measure, share in (("precision", e.precision), ("recall", e.recall))
        for suffix, value in (("", share.value), ("_low", share.low), ("_high", share.high))
    ]
    with clean_errors("keep the estimates"), connect("linker") as connection, connection.cursor() as cursor:
        cursor.execute("delete from ops.linkage_metric where night = %s and starts_with(metric, %s)", [night, METRIC_PREFIX])
        cursor.executemany("insert into ops.linkage_metric (night, metric, feed_a, feed_b, value) values (%s, %s, %s, %s, %s)", rows)


def _matches(strata: Sequence[Tally]) -> Numbers:
    """True pairs of each stratum: a row each for the estimate, its distance to the lower limit and that to the upper.

    Pairs that were judged are known, so a stratum that was judged whole has no distance. Where nobody judged, anything goes.
    """
    from scipy.stats import beta

    same, judged = (np.array([getattr(tally, name) for tally in strata], dtype=float) for name in ("same", "judged"))
    pairs = np.array([tally.pairs for tally in strata])
    share = np.divide(same, judged, out=np.full(len(strata), 0.5), where=judged > 0)
    tail = (1 - CONFIDENCE) / 2
    least = np.where(same > 0, beta.ppf(tail, same + 0.5, judged - same + 0.5), 0.0)
    most = np.where(same < judged, beta.ppf(1 - tail, same + 0.5, judged - same + 0.5), 1.0)
    rest = np.maximum(pairs - judged, 0)
    # Counted in a share of the records, the size itself is a Poisson count over that share.
    of_size = np.array([_norm_width() * tally.counted_pairs**0.5 / tally.counted_share if tally.counted_share < 1 else 0.0 for tally in strata]) * share
    return np.array([pairs * share, np.hypot(rest * (share - least), of_size), np.hypot(rest * (most - share), of_size)])


def _norm_width() -> float:
    """Standard deviations from the middle of a normal distribution to the end of the interval."""
    from scipy.stats import norm

    return float(norm.ppf((1 + CONFIDENCE) / 2))


def _total(matches: Numbers, chosen: Numbers) -> tuple[float, float, float]:
    """The true pairs of the chosen strata together, with their limits."""
    value, below, above = matches[0, chosen].sum(), *(np.sqrt((matches[side, chosen] ** 2).sum()) for side in (1, 2))
    return float(value), float(max(value - below, 0)), float(value + above)


def _precision(pairs: Numbers, matches: Numbers, cut: Numbers) -> Share:
    whole = float(pairs[cut].sum())
    value, low, high = (total / whole for total in _total(matches, cut))
    return Share(value, low, min(high, 1.0))


def _recall(matches: Numbers, cut: Numbers) -> Share:
    """Found over found and not found; its limits follow from those of the ratio of not found to found."""
    found, not_found = _total(matches, cut), _total(matches, ~cut)
    if not found[0]:
        return Share(0.0, 0.0, 1.0)
    least, most = ratio_limits(not_found, found)
    return Share(found[0] / (found[0] + not_found[0]), 1 / (1 + most), 1 / (1 + least))


def ratio_limits(part: tuple[float, float, float], base: tuple[float, float, float]) -> tuple[float, float]:
    """Limits of the ratio of two independent estimates, each given with its lower and upper limit (Donner and Zou, 2012).

    The upper one is infinite when the base may be nothing.
    """
    (a, a_low, a_high), (b, b_low, b_high) = part, base
    low_bend, high_bend = b_high * (2 * b - b_high), b_low * (2 * b - b_low)
    least = (a * b - max((a * b) ** 2 - a_low * (2 * a - a_low) * low_bend, 0) ** 0.5) / low_bend if low_bend > 0 else 0.0
    most = (a * b + max((a * b) ** 2 - a_high * (2 * a - a_high) * high_bend, 0) ** 0.5) / high_bend if high_bend > 0 else float("inf")
    return max(least, 0.0), most
