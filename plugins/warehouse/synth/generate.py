"""Make a synthetic population and write what each agency would deliver about it, night after night."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import pyarrow.compute as pc

from warehouse.synth import truth
from warehouse.synth.faults import BAD_FILE_FEED, BAD_FILE_NIGHT, BAD_FILE_TABLE, PlantedFaults, plant, spoil_header
from warehouse.synth.files import Layout, append, begin, day_of, layouts, lines
from warehouse.synth.geography import country
from warehouse.synth.nights import Rows, delivered, since
from warehouse.synth.people import HORIZON_NIGHTS, Period, period
from warehouse.synth.world import deliverable, generator, make_world

CHUNK = 50_000
PEOPLE_PER_AREA, SECTOR_PEOPLE, SECTORS_PER_AREA = 2_000, 3_000, 12
FIRST_NIGHT = date(2026, 11, 1)


def generate(
    out: Path,
    people: int,
    nights: int,
    seed: int,
    density: float = 1.0,
    faults: bool = False,
    first_night: date = FIRST_NIGHT,
    progress: Callable[[int, int], None] | None = None,
    only_nights: Iterable[int] | None = None,
) -> dict[str, int]:
    """Write the extracts of `nights` nights under `out`/inbox and the answers under `out`/truth.

    Night k is the same however many nights are asked for. The first night holds six years of history; a feed that is not
    delivered daily comes on it and then by its cadence, with everything since its last file. Files of the nights that are
    written replace what stands there; the truth is that of the last night.

    Args:
        people: adults in the population, an even number.
        nights: how many nights there are, from 1.
        density: how many times the people per day of birth are raised; 10e6 / people gives ten million adults' density.
        faults: plant bad rows, and on the third night one bad file; all are listed in truth/planted_faults.csv.
        progress: called with people done and people in all.
        only_nights: nights to write, numbered from 0; all of them when None.

    Returns:
        Rows written of each table, as "feed.table".

    Raises:
        ValueError: a number is out of range.
    """
    if people < 2 or people % 2 or not 1 <= nights <= HORIZON_NIGHTS or density <= 0:
        raise ValueError(f"people must be an even number from 2, nights from 1 to {HORIZON_NIGHTS}, density above 0")
    span = period(first_night)
    wanted = [span.first_night + k for k in (range(nights) if only_nights is None else only_nights) if 0 <= k < nights]
    land = country(people, density, PEOPLE_PER_AREA, SECTOR_PEOPLE, SECTORS_PER_AREA)
    shapes = layouts()
    _begin_files(out, shapes, wanted, span.first_night)
    answers = truth.begin(out)
    planted = PlantedFaults()
    counts: Counter[str] = Counter()
    for chunk, first_id in enumerate(range(0, people, CHUNK)):
        size = min(CHUNK, people - first_id)
        world = make_world(seed, chunk, first_id, size, land, span, density)
        feeds = deliverable(world, seed, chunk, span)
        for (feed, name), layout in shapes.items():
            for night in wanted:
                spoil = faults and chunk == 0 and not (feed == BAD_FILE_FEED and night == span.first_night + BAD_FILE_NIGHT)
                counts[f"{feed}.{name}"] += _write(out, layout, feeds[feed][name], night, span, planted if spoil else None, seed)
        answers.add(world, feeds, span, span.first_night + nights - 1)
        if progress is not None:
            progress(first_id + size, people)
    answers.close()
    if faults and span.first_night + BAD_FILE_NIGHT in wanted:
        spoil_header(shapes[BAD_FILE_FEED, BAD_FILE_TABLE], out, day_of(span.first_night + BAD_FILE_NIGHT), planted)
    planted.write(out / "truth" / "planted_faults.csv", [day_of(night) for night in wanted])
    return dict(counts)


def _begin_files(out: Path, shapes: dict[tuple[str, str], Layout], wanted: list[int], first_night: int) -> None:
    for night in wanted:
        folder = out / "inbox" / day_of(night).isoformat()
        if folder.exists():
            shutil.rmtree(folder)
        for layout in shapes.values():
            if since(night, first_night, layout.contract.delivery.cadence) is not None:
                begin(layout, layout.path(out, day_of(night)))


def _write(out: Path, layout: Layout, rows: Rows, night: int, span: Period, planted: PlantedFaults | None, seed: int) -> int:
    delivery = layout.contract.delivery
    previous = since(night, span.first_night, delivery.cadence)
    if previous is None:
        return 0
    index, change = delivered(rows, night, previous, delivery.kind)
    cells = rows.cells(index, night)
    if change is not None:
        cells["CHANGE_TYPE"] = change
    # In order of the agency's ids: the order in which people were made would tell who is who.
    order = pc.sort_indices(cells[layout.table.key_columns("row_key")[0].name])
    cells = {column: values.take(order) for column, values in cells.items()}
    texts = lines(layout, cells, len(index))
    if planted is not None:
        rng = generator(seed, night, "faults")
        texts = plant(rng, layout, cells, texts, day_of(night), planted)
    append(layout.path(out, day_of(night)), texts)
    return len(texts)
