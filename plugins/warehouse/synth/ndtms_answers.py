"""What clients answer: the questions of the assessment, the flags of reviews and the items of the TOP."""

from __future__ import annotations

import numpy as np

from warehouse.synth.arrays import NEVER, YEAR, Flags, Floats, Text, blank, chance, choose, choose_by_row, date_texts, flags, numbers, pick
from warehouse.synth.ndtms_episodes import EXIT, PHARMACOLOGICAL, PSYCHOSOCIAL, RECOVERY, START, Forms, Interventions
from warehouse.synth.people import ALCOHOL, NON_OPIATE_ALCOHOL, OPIATE, People
from warehouse.synth.rates import matrix, rate, vector
from warehouse.synth.treatment import COMPLETED, DROPPED_OUT, Episodes

REVIEW_FLAGS = {
    PHARMACOLOGICAL: ("PHSTBL", "PHWTH", "PHMAIN", "PHRELPR"),
    PSYCHOSOCIAL: ("PSYMOTI", "PSYCNMG", "PSYFSNI", "PSYCGBH", "PSYMNTH", "PSYDNMC", "PSYSTP", "PSYCOUN", "PSYOTHR"),
    RECOVERY: (
        "RECPEER", "RECMAID", "RECFMSP", "RECPRNT", "RECHSE", "RECEMP", "RECEDUT", "RECWPRJ", "RECCHKP", "RECRLPP", "RECCMPT", "RECGNH", "RECOTH",
    ),
}  # fmt: skip
USE_ITEMS = ("ALCUSE", "OPIUSE", "CRAUSE", "COCAUSE", "AMPHUSE", "CANNUSE", "OTDRGUSE")
# What is injected, of the items above.
INJECTED_ITEMS = ("OPIUSE", "CRAUSE", "COCAUSE", "AMPHUSE", "OTDRGUSE")
EMPLOYMENT = ("1", "2", "9", "10", "12", "14", "15", "6")


def answers(rng: np.random.Generator, people: People, episodes: Episodes) -> dict[str, Text]:
    """The assessment of each episode."""
    count = len(episodes.person)
    group = episodes.group
    opiate = group == OPIATE
    injecting = choose_by_row(rng, matrix("treatment.injecting_by_group"), group)
    children = choose(rng, [0.55, 0.1, 0.2, 0.13, 0.02], count)
    with_client = np.where((children == 1) | (children == 3), rng.integers(1, 4, count), 0)
    female = people.sex[episodes.person] == 1
    age = ((episodes.triage - people.born[episodes.person]) / YEAR).astype(np.int64)
    first_use = np.minimum(np.where(opiate, 15 + rng.poisson(6, count), 12 + rng.poisson(4, count)), age)
    drinks = (group == ALCOHOL) | (group == NON_OPIATE_ALCOHOL)
    drinking_days = np.where(drinks, np.clip(28 - rng.geometric(0.08, count) + 1, 4, 28), np.maximum(rng.integers(-10, 12, count), 0))
    hep_b = choose(rng, [0.35, 0.3, 0.12, 0.18, 0.05], count)
    hep_c = choose(rng, [0.45, 0.3, 0.25], count)
    tested = (hep_c == 0) & chance(rng, np.where(opiate, 0.7, 0.25), count)
    tested_on = np.where(tested, np.maximum(episodes.triage - rng.integers(0, 300, count), people.born[episodes.person] + int(16 * YEAR)), NEVER)
    route = choose_by_row(rng, matrix("treatment.route_by_group"), group)
    # Whoever injects the main drug has injected.
    injecting = np.where((route == 0) & (injecting == 2), 1, injecting)
    plan_day = episodes.triage + rng.integers(0, 3, count)
    return {
        "ACCMNEED": pick(["1", "2", "3"], choose(rng, vector("treatment.accommodation_need"), count)),
        "PRNTSTAT": pick(["14", "11", "13", "12", "15"], children),
        "CHILDWTH": numbers(with_client, children == 4),
        "DRUG1AGE": numbers(first_use, chance(rng, 0.06, count)),
        "ROUTE": pick(["1", "2", "3", "4"], route, chance(rng, 0.04, count)),
        "CPLANDT": date_texts(np.minimum(plan_day, episodes.triage), "DD/MM/YYYY"),
        "INJSTAT": pick(["C", "P", "N", "Z"], injecting),
        "INJECT": flags(injecting == 0, chance(rng, 0.05, count)),
        "SHARE": flags((injecting < 2) & chance(rng, 0.3, count)),
        "PREGNANT": blank(flags(female & chance(rng, 0.02, count)), ~female),
        "DUALDIAG": flags(chance(rng, rate("treatment.dual_diagnosis"), count)),
        "SEXUAL": pick(["H", "G", "B", "R", "Z"], choose(rng, [0.88, 0.03, 0.03, 0.04, 0.02], count)),
        "EMPSTAT": pick(EMPLOYMENT, choose_by_row(rng, matrix("treatment.employment_by_group"), group)),
        "ALCDDAYS": numbers(drinking_days),
        "ALCUNITS": numbers(np.where(drinking_days > 0, np.clip(rng.gamma(2.0, np.where(drinks, 10.0, 3.0)), 1, 200).astype(np.int64), 0)),
        "HEPBSTAT": pick(list("ABCDE"), hep_b),
        "HEPBVAC": blank(pick(["1", "2", "3", "C"], choose(rng, [0.3, 0.2, 0.15, 0.35], count)), hep_b != 0),
        "PREVHEPB": flags(hep_b == 4),
        "HEPCSTAT": pick(["A", "B", "D"], hep_c),
        "HEPCTSTD": date_texts(tested_on, "DD/MM/YYYY"),
        "HEPCTD": flags(tested),
        "HEPCPOS": blank(flags(chance(rng, np.where(opiate, 0.22, 0.03), count)), ~tested),
        "REFHEPGY": blank(flags(chance(rng, 0.15, count)), ~tested),
    }


def review_flags(rng: np.random.Generator, modalities: Interventions, reviews: Forms) -> dict[str, Text]:
    """The Y/N flags of each review: those of its own kind of modality; the others are not asked."""
    kind = modalities.kind[reviews.parent]
    result: dict[str, Text] = {}
    for modality, items in REVIEW_FLAGS.items():
        asked = kind == modality
        favourite = rng.integers(0, len(items), len(kind))
        for place, name in enumerate(items):
            given = (favourite == place) | chance(rng, 0.18, len(kind))
            result[name] = flags(given, ~asked)
    return result


def interview_answers(rng: np.random.Generator, people: People, episodes: Episodes, interviews: Forms) -> dict[str, Text]:
    """The items of each TOP. Use falls while people stay; those who complete leave with little, dropouts with much."""
    count = len(interviews.parent)
    group = episodes.group[interviews.parent]
    ease = _what_is_left(rng, episodes, interviews)
    start_days = matrix("treatment.top_days_at_start")
    uses = matrix("treatment.top_share_using")
    result: dict[str, Text] = {}
    user_seed = rng.random((len(episodes.person), len(USE_ITEMS)))
    injectable = np.zeros(count, dtype=np.int64)
    for place, item in enumerate(USE_ITEMS):
        user = user_seed[interviews.parent, place] < uses[group, place]
        days = rng.binomial(28, np.clip(start_days[group, place] / 28 * ease, 0, 1))
        missing = chance(rng, rate("treatment.top_item_missing"), count)
        used = np.where(user, days, 0)
        result[item] = numbers(used, missing)
        if item in INJECTED_ITEMS:
            injectable += np.where(missing, 28, used)
    injects = (group == OPIATE) & (user_seed[interviews.parent, 1] < 0.22)
    # A day of injecting is a day of use of something.
    injected = np.minimum(np.where(injects, rng.binomial(28, np.clip(0.5 * ease, 0, 1)), 0), injectable)
    offends = user_seed[interviews.parent, 2] < np.where(group == OPIATE, 0.15, 0.05)
    health = np.clip(20 - 10 * ease[:, None] + rng.normal(0, 3, (count, 3)), 0, 20).astype(np.int64)
    works = user_seed[interviews.parent, 5] < np.where(group == OPIATE, 0.14, 0.3)
    housing = user_seed[interviews.parent, 4] < 0.16
    result |= {
        "IVDRGUSE": numbers(injected),
        "SHARING": flags((injected > 0) & chance(rng, 0.08, count)),
        "SHOTHEFT": numbers(np.where(offends, rng.binomial(28, np.clip(0.3 * ease, 0, 1)), 0)),
        "DRGSELL": numbers(np.where(offends & chance(rng, 0.2, count), rng.binomial(28, 0.2, count), 0)),
        "OTHTHEFT": flags(offends & chance(rng, 0.3 * ease, count)),
        "ASSAULT": flags(chance(rng, 0.02, count)),
        "PSYHSTAT": numbers(health[:, 0]),
        "PWORK": numbers(np.where(works, rng.binomial(28, 0.6, count), 0)),
        "EDUCAT": numbers(np.where(chance(rng, 0.04, count), rng.integers(1, 20, count), 0)),
        "ACUTHPBM": flags(housing & chance(rng, np.clip(ease, 0, 1), count)),
        "HRISK": flags(housing & chance(rng, 0.3, count)),
        "PHSTAT": numbers(health[:, 1]),
        "QUALLIFE": numbers(health[:, 2]),
    }
    return result


def _what_is_left(rng: np.random.Generator, episodes: Episodes, interviews: Forms) -> Floats:
    """How much of the use at the start is left at each interview: 1 at the start, falling with time in treatment."""
    months = (interviews.day - episodes.triage[interviews.parent]) / 30.4
    floor, half_life = rate("treatment.top_use_left"), rate("treatment.top_half_life_months")
    stays = floor + (1 - floor) * 0.5 ** (months / half_life)
    outcome = episodes.outcome[interviews.parent]
    leaving: Flags = interviews.stage == EXIT
    stays = np.where(leaving & (outcome == COMPLETED), 0.05, stays)
    stays = np.where(leaving & (outcome == DROPPED_OUT), np.maximum(stays, 0.7), stays)
    clean = (interviews.stage != START) & chance(rng, rate("treatment.top_abstinent_at_review"), len(months))
    return np.where(clean, 0.0, stays * rng.uniform(0.7, 1.3, len(months)))
