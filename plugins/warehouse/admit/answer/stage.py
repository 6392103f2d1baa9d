"""Write the answer to a delivery: `<home>/answers/<feed>/<delivery_id>/answer.csv` and `answer.html`.

Both hold the agency's own ids of the rows to correct, so the folders are readable by their owner only. Writing again, after
a kill or a changed contract, replaces the answer.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

from warehouse.admit import checkpoint, deliveries
from warehouse.admit.answer import facts as known
from warehouse.admit.answer import listing
from warehouse.admit.answer.facts import DeliveryFacts
from warehouse.admit.answer.listing import Limits, RowRule
from warehouse.admit.answer.page import Broken, page
from warehouse.admit.errors import AdmitFault, full_disk_told
from warehouse.admit.files import FilesRefused
from warehouse.contracts import suite, thresholds
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Contract
from warehouse.contracts.suite import Rule
from warehouse.database import clean_errors, connect, ops
from warehouse.settings import settings

CSV, HTML = "answer.csv", "answer.html"
OPEN = ("received", "loaded", "checked")


def folder(feed: str, delivery_id: int) -> Path:
    """Where the answer to a delivery lies."""
    return settings().home / "answers" / feed / str(delivery_id)


def write(delivery_id: int) -> Path:
    """Write the answer to a delivery that has ended, then remove its checkpoint.

    Returns:
        The folder with `answer.csv` and `answer.html`.

    Raises:
        AdmitFault: the delivery has not ended, its checkpoint could not be made again, or the disk is full.
        ValueError: there is no such delivery.
        DatabaseFault: the database refused.
    """
    # Under the feed's lock nobody else writes this answer, erases records of it or removes the checkpoint meanwhile.
    with clean_errors(f"answer delivery {delivery_id}"), connect("loader") as connection:
        delivery = deliveries.claim(delivery_id, connection)
        facts = known.read(delivery_id, connection)
        if facts.status in OPEN:
            raise AdmitFault(f"Delivery {delivery_id} of {facts.feed} has not ended ({facts.status}), so there is nothing to answer yet")
        with ops.stage_run(facts.night, "admit.answer", facts.feed) as run:
            rules = _write(facts, delivery, known.erased_keys(facts.feed, connection))
            run.count("rules", len(rules))
            run.count("rows", sum(rule.rows for rule in rules))
        checkpoint.remove(delivery_id)
    return folder(facts.feed, delivery_id)


def _write(facts: DeliveryFacts, delivery: deliveries.Delivery, erased: list[UUID]) -> list[RowRule]:
    """Write both files and put them in place; the rules that rows broke."""
    contract = load_contract(facts.feed)
    violations = _violations(facts, contract, delivery)
    final = folder(facts.feed, facts.delivery_id)
    fresh = final.with_name(f".unfinished-{facts.delivery_id}")
    try:
        with full_disk_told(f"write the answer to delivery {facts.delivery_id}", final.parent):
            _empty_folder(fresh)
            rules = _rules(contract)
            messages = {(check.table, check.rule): check.message for check in facts.failed} | {place: rule.message for place, rule in rules.items()}
            listed = listing.write(fresh / CSV, contract, violations, facts.failed, messages, _limits(facts), erased)
            broken = [_told(found, rules, messages) for found in listed.rules]
            (fresh / HTML).write_text(page(facts, contract, listed.whole, broken), encoding="utf-8")
            _publish(fresh, final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return listed.rules


def forget(feed: str) -> int:
    """Remove every answer to a feed, as when records of it are erased; `write` makes them again while the landed files are kept.

    Returns:
        Number of answers removed.
    """
    answers = [path for path in folder(feed, 0).parent.glob("*") if path.is_dir()]
    for answer in answers:
        shutil.rmtree(answer)
    return len(answers)


def _violations(facts: DeliveryFacts, contract: Contract, delivery: deliveries.Delivery) -> dict[str, list[Path]]:
    """By table, the files that say which rows broke which rules; none where the delivery's rows were never read, or cannot be."""
    if facts.status == "duplicate":
        return {}
    try:
        checkpoint.build(delivery, contract)
    except FilesRefused:
        return {}
    folder_of_rows = checkpoint.folder(facts.delivery_id)
    # Of a feed of events, rows that contradict what was admitted before are found by the admission, and written beside.
    found = {table: [checkpoint.violations(facts.delivery_id, table), folder_of_rows / f"{table}.changed.parquet"] for table in contract.tables}
    return {table: present for table, paths in found.items() if (present := [path for path in paths if path.exists()])}


def _rules(contract: Contract) -> dict[tuple[str, str], Rule]:
    return {(part.table.name, rule.code): rule for part in suite.build(contract) for rule in part.rules}


def _told(found: RowRule, rules: dict[tuple[str, str], Rule], messages: dict[tuple[str, str], str]) -> Broken:
    """A rule as the page tells it. Some are not of the suite: a malformed row, say, is found while the file is read."""
    place = (found.table, found.rule)
    return Broken(found, messages.get(place, found.rule), rules[place].reason if place in rules else "")


def _limits(facts: DeliveryFacts) -> Limits:
    """Every quarantined row is listed, but of a refused delivery, of which nothing was quarantined, only the first of each rule."""
    most = int(thresholds.number("answer_warnings", facts.feed))
    return Limits(most if facts.status == "refused" else None, most)


def _empty_folder(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)


def _publish(fresh: Path, final: Path) -> None:
    """Put the files in place, each at once; a reader sees the old answer or the new one."""
    final.mkdir(mode=0o700, exist_ok=True)
    for name in (CSV, HTML):
        (fresh / name).chmod(0o600)
        (fresh / name).replace(final / name)
