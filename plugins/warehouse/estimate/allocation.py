"""The share of the Pooled Treatment Budget that rests on people who complete treatment and stay away, allocated to areas.

From April 2012, 20 % of the national allocation rested on the number of adults who completed drug treatment and did not come back anywhere
in England for at least six months (UK Drug Policy Commission, Charting New Waters, April 2012, note 10); the rest went by need
and numbers, which the caller gives as weights. Money is whole pounds, and the areas' sums add up to the total to the pound: what
rounding down leaves goes to the largest remainders (Hamilton's method; Balinski and Young, Fair Representation, 1982).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.estimate.common import numbers
from warehouse.estimate.errors import EstimateFault

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

REWARD_SHARE = 0.2


def largest_remainder(total: int, weights: object) -> Numbers:
    """Whole numbers in proportion to the weights that add up to the total.

    Equal remainders go to the larger weight, then to the earlier row, so the same input always has the same result.

    Raises:
        EstimateFault: a total or a weight below 0, or no weight above 0.
    """
    parts = numbers(weights, "weights")
    if total < 0 or not len(parts) or parts.min() < 0 or parts.sum() <= 0:
        raise EstimateFault("A total of 0 or more is shared by weights of 0 or more, not all of them 0")
    exact = total * (parts / parts.sum())
    whole: Numbers = np.floor(exact + 1e-9).astype(np.int64)
    left = int(total - whole.sum())
    # Rounding up by a billionth may have given one too many where the total is huge: then the smallest remainders give it back.
    remainder = np.round(exact - whole, 9)
    order = np.lexsort((np.arange(len(parts)), -parts, -remainder))
    if left < 0:
        holders = order[whole[order] > 0]
        whole[holders[left:]] -= 1
    else:
        whole[order[:left]] += 1
    return whole


def allocate(areas: pd.DataFrame, total: int, reward_share: float = REWARD_SHARE) -> pd.DataFrame:
    """Each area's money.

    Args:
        areas: a row an area: area_code, need_weight (its part of what does not rest on results, in any unit), completions (people
            who completed and did not come back within six months).
        total: pounds.
        reward_share: the part of the total that rests on completions.

    Returns:
        In the order given: area_code, need_weight, completions, by_need, by_completions, allocation; pounds, adding up to the total.

    Raises:
        EstimateFault: columns missing, an area twice, a share not from 0 to 1, or nothing to share by.
    """
    missing = {"area_code", "need_weight", "completions"} - set(areas.columns)
    if missing:
        raise EstimateFault(f"Areas lack {', '.join(sorted(missing))}")
    if areas["area_code"].duplicated().any():
        raise EstimateFault("An area occurs twice")
    if not 0 <= reward_share <= 1:
        raise EstimateFault("The share that rests on completions lies between 0 and 1")
    reward = int(np.floor(total * reward_share + 0.5))
    nothing = np.zeros(len(areas), dtype=np.int64)
    by_completions = largest_remainder(reward, areas["completions"]) if reward else nothing
    by_need = largest_remainder(total - reward, areas["need_weight"]) if total > reward else nothing
    kept = areas[["area_code", "need_weight", "completions"]].reset_index(drop=True)
    return kept.assign(by_need=by_need, by_completions=by_completions, allocation=by_need + by_completions)


def chance_limits(areas: pd.DataFrame, total: int, reward_share: float = REWARD_SHARE, draws: int = 2000, seed: int = 2012) -> pd.DataFrame:
    """Between what limits chance alone would move each area's money: few completions say little about how an area treats.

    Each area's rate of completion is drawn from what its year says of it (Jeffreys' interval: a beta distribution with half a person
    added on either side), all areas at once, and the share that rests on completions is shared out again. The rest does not move.

    Args:
        areas: as `allocate`, with in_treatment: the people the completions are of.
        draws: how often.

    Returns:
        In the order given: allocation_lower_95, allocation_upper_95, whole pounds; 95 in 100 draws lie between them.

    Raises:
        EstimateFault: more completions than people in treatment, or as `allocate`.
    """
    import pandas as pd

    treated, completed = numbers(areas["in_treatment"], "in_treatment"), numbers(areas["completions"], "completions")
    if (completed > treated).any():
        raise EstimateFault("More completed than were in treatment")
    found = allocate(areas, total, reward_share)
    rates = np.random.default_rng(seed).beta(completed + 0.5, treated - completed + 0.5, (draws, len(areas)))
    shares = rates * treated / (rates * treated).sum(axis=1, keepdims=True)
    reward = int(found["by_completions"].sum())
    low, high = np.quantile(shares, [0.025, 0.975], axis=0)
    limits = {"allocation_lower_95": found["by_need"] + np.rint(reward * low), "allocation_upper_95": found["by_need"] + np.rint(reward * high)}
    return pd.DataFrame(limits).astype(np.int64)
