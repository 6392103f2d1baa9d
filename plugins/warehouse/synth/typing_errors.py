"""Slips of the keyboard, made on many names at once: a letter changed, left out, doubled or swapped with the next."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from warehouse.synth.arrays import Text

LONGEST = 28
# For each lower-case letter, the ones it is mistaken for: neighbours on the keyboard and letters that sound alike.
CONFUSED = {
    "a": "seo", "b": "vnp", "c": "kvs", "d": "fst", "e": "rai", "f": "dgv", "g": "fhj", "h": "gjn", "i": "yeo", "j": "khg", "k": "cjl", "l": "kri", "m": "nk",
    "n": "mbh", "o": "aip", "p": "bol", "q": "kw", "r": "etl", "s": "zac", "t": "rdy", "u": "iyo", "v": "fbc", "w": "esq", "x": "zsc", "y": "iut", "z": "sxa",
}  # fmt: skip


def _confusion_table() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    table = np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 3))
    for letter, others in CONFUSED.items():
        for case in (str.lower, str.upper):
            table[ord(case(letter))] = [ord(case(others[k % len(others)])) for k in range(3)]
    return table


def slip(rng: np.random.Generator, names: Text) -> Text:
    """Each name with one slip in it. The first letter is changed only by one slip in ten: clerks rarely miss it.

    Args:
        names: no nulls; at most LONGEST characters of plain ASCII.
    """
    count = len(names)
    if count == 0:
        return names
    letters = np.array(names.to_numpy(zero_copy_only=False), dtype=f"S{LONGEST + 2}").view(np.uint8).reshape(count, LONGEST + 2)
    length = (letters != 0).sum(axis=1)
    at_start = rng.random(count) < 0.1
    place = np.where(at_start | (length < 2), 0, 1 + (rng.random(count) * np.maximum(length - 1, 1)).astype(np.int64))
    place = np.minimum(place, length - 1)
    kind = rng.integers(0, 4, count)
    kind = np.where((kind == 3) & (place >= length - 1), 0, kind)
    kind = np.where((kind == 1) & (length < 3), 0, kind)
    column = np.arange(LONGEST + 2)[None, :]
    at, which = place[:, None], kind[:, None]
    source = column + np.where((which == 1) & (column >= at), 1, 0) - np.where((which == 2) & (column > at), 1, 0)
    source += np.where((which == 3) & (column == at), 1, 0) - np.where((which == 3) & (column == at + 1), 1, 0)
    slipped = np.take_along_axis(letters, np.clip(source, 0, LONGEST + 1), axis=1)
    rows = np.flatnonzero(kind == 0)
    slipped[rows, place[rows]] = _confusion_table()[letters[rows, place[rows]], rng.integers(0, 3, len(rows))]
    return pa.array(slipped.view(f"S{LONGEST + 2}").ravel()).cast(pa.string())
