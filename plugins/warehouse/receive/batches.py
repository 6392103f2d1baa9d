"""Sort what lies in an inbox into deliveries: which files belong together, and for which night they are.

A manifest says what its delivery consists of. Files without one belong to the night that their names carry, or to the night
that is running where they carry none. All files of a delivery stand or fall together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

from warehouse.contracts.model import Contract
from warehouse.receive.errors import ArrivalFault
from warehouse.receive.inbox import Item, night_in_name
from warehouse.receive.manifest import Manifest, ManifestFile
from warehouse.receive.opening import Opened, Piece

SHOWN_NAMES = 10
# A delivery may be sent the evening before its night; a later date than that is a mistake in the name.
NIGHTS_AHEAD = 1


@dataclass
class Batch:
    """One delivery as it lies in the inbox.

    `promises` is what a manifest says about each file, by the name of the file or of what it was wrapped in. `is_stated` tells
    that the night was said by something other than the names of the files themselves.
    """

    night: date
    pieces: list[Piece] = field(default_factory=list)
    items: list[Opened] = field(default_factory=list)
    faults: list[ArrivalFault] = field(default_factory=list)
    promises: dict[str, ManifestFile] = field(default_factory=dict)
    has_manifest: bool = False
    is_stated: bool = False


@dataclass
class Sorted:
    """The deliveries that can be taken, in the order of their nights; what is missing from others; and files for nights to come."""

    batches: list[Batch] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)


def table_of(contract: Contract, name: str) -> str | None:
    """The table that a file belongs to by its name; None when it belongs to none."""
    return next((table.name for table in contract.tables.values() if fnmatchcase(name, table.file)), None)


def sort(contract: Contract, opened: list[Opened], night: date, newest: date) -> Sorted:
    """Sort opened files into deliveries.

    Args:
        night: the night that is running.
        newest: the latest night that ever ran: what is for a night up to it has its place, though not in this run.
    """
    result = Sorted()
    loose = {id(one): one for one in opened}
    for one in sorted((o for o in opened if o.manifest is not None), key=lambda o: (o.item.changed, o.item.name)):
        if one.manifest is None or id(one) not in loose:
            continue
        batch = _of_manifest(one, one.manifest, list(loose.values()), result)
        if batch is not None:
            result.batches.append(batch)
        for claimed in [one, *(batch.items if batch else _named(one.manifest, list(loose.values())))]:
            loose.pop(id(claimed), None)
    rest = list(loose.values())
    if contract.arrival.manifest == "required" and rest:
        result.missing.append(f"a manifest for {shown([one.item.name for one in rest])}")
    else:
        result.batches += _by_night(contract, rest, night)
    _place_in_time(result, night, newest)
    for batch in result.batches:
        batch.faults += [one.fault for one in batch.items if one.fault is not None] + _repeated_names(batch)
    result.batches.sort(key=lambda b: (b.night, b.has_manifest, max((one.item.changed for one in b.items), default=0.0)))
    return result


def lacking(contract: Contract, batch: Batch) -> list[str]:
    """File patterns of the tables that a full snapshot still lacks; a delivery of changes or events may leave tables out."""
    if contract.delivery.kind != "snapshot" or batch.has_manifest or batch.faults:
        return []
    return [table.file for table in contract.tables.values() if not any(table_of(contract, piece.name) == table.name for piece in batch.pieces)]


def claims(manifest: Manifest, item: Item) -> bool:
    """Whether a manifest names a file of the inbox, with the size it now has."""
    return any(file.name == item.name and file.bytes == item.size for file in manifest.files)


def shown(names: list[str]) -> str:
    """Names for a message, the first few of many."""
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else "")


def _of_manifest(source: Opened, manifest: Manifest, available: list[Opened], result: Sorted) -> Batch | None:
    """The delivery that a manifest describes; None, and what is missing noted, when it is not all there yet."""
    batch = Batch(manifest.night, items=[source], has_manifest=True, is_stated=True)
    inside = not source.is_manifest
    missing: list[str] = []
    for file in manifest.files:
        holder = source if inside else next((o for o in available if claims(manifest, o.item) and o.item.name == file.name), None)
        if holder is not None and not inside:
            pieces = holder.pieces
        else:
            among = source.pieces if inside else [piece for one in available for piece in one.pieces]
            pieces = [piece for piece in among if piece.name == file.name and piece.size == file.bytes]
            holder = next((o for o in available if pieces and pieces[0].item == o.item), None)
        if holder is None or (not pieces and holder.fault is None):
            missing.append(file.name)
            continue
        batch.pieces += [piece for piece in pieces if piece not in batch.pieces]
        batch.promises[file.name] = file
        if holder not in batch.items:
            batch.items.append(holder)
    if missing and inside:
        batch.faults.append(ArrivalFault("manifest", f"{source.item.name} does not hold {shown(missing)} with the size that its manifest tells; send it again"))
    elif missing:
        result.missing.append(f"{shown(missing)}, named in {source.item.name}, with the size told there")
        return None
    _check_names(batch, manifest.night, source.item.name)
    return batch


def _named(manifest: Manifest, available: list[Opened]) -> list[Opened]:
    """The files of the inbox that a manifest names: they wait with it for the others."""
    names = {file.name for file in manifest.files}
    return [one for one in available if one.item.name in names or any(piece.name in names for piece in one.pieces)]


def _check_names(batch: Batch, night: date, by: str) -> None:
    names = {one.item.name for one in batch.items} | {piece.name for piece in batch.pieces}
    other = sorted(name for name in names if night_in_name(name) not in (None, night))
    if other:
        batch.faults.append(
            ArrivalFault("wrong_period", f"{by} says the night of {night}, but {shown(other)} carries another date; send files and date of one night")
        )


def _by_night(contract: Contract, loose: list[Opened], night: date) -> list[Batch]:
    """Files without a manifest, gathered by the night they are for. A file that is of no table and of no night goes with the others."""
    by_night: dict[date, Batch] = {}
    strays = []
    for one in loose:
        dates = {found for name in [one.item.name, *(piece.name for piece in one.pieces)] if (found := night_in_name(name))}
        if not dates and one.pieces and all(table_of(contract, piece.name) is None for piece in one.pieces):
            strays.append(one)
            continue
        batch = by_night.setdefault(min(dates, default=night), Batch(min(dates, default=night)))
        batch.items.append(one)
        batch.pieces += one.pieces
        batch.is_stated |= bool(dates) and any(night_in_name(piece.name) is None for piece in one.pieces)
        if len(dates) > 1:
            told = ", ".join(str(found) for found in sorted(dates))
            batch.faults.append(
                ArrivalFault("wrong_period", f"{one.item.name} carries and holds dates of more than one night ({told}); send one night in one file")
            )
    for one in strays:
        batch = max(by_night.values(), key=lambda b: b.night) if by_night else by_night.setdefault(night, Batch(night))
        batch.items.append(one)
        batch.pieces += one.pieces
    return list(by_night.values())


def _place_in_time(result: Sorted, night: date, newest: date) -> None:
    """Leave what is for a later night, and refuse what is for a night that is not to come soon."""
    kept = []
    for batch in result.batches:
        if batch.night <= night:
            kept.append(batch)
        elif (batch.night - max(night, newest)).days <= NIGHTS_AHEAD:
            result.ahead += [one.item.name for one in batch.items]
        else:
            message = f"the files say the night of {batch.night}, which is still to come on the night of {night}; check the date and send them again"
            batch.faults.append(ArrivalFault("wrong_period", message))
            batch.night = night
            kept.append(batch)
    result.batches = kept


def _repeated_names(batch: Batch) -> list[ArrivalFault]:
    names = [piece.name for piece in batch.pieces]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not twice:
        return []
    return [ArrivalFault("same_file_name", f"{shown(twice)} came more than once, for instance plain and encrypted; send each file once")]
