"""The data dictionary: one Markdown page for each feed, written from its contract, and the first page of all."""

from __future__ import annotations

from collections.abc import Iterable

from warehouse.contracts import thresholds
from warehouse.contracts.markdown import HEADER, as_cell, as_table
from warehouse.contracts.model import Column, Contract, Suite, Table
from warehouse.contracts.suite import Rule, build
from warehouse.contracts.thresholds import Check, Threshold, Thresholds
from warehouse.contracts.zones import source_columns, vault_columns

TYPES = {"text": "text", "code": "code", "integer": "whole number", "date": "date", "flag": "yes or no"}
KINDS = {
    "snapshot": "a full snapshot: what is missing from a delivery was withdrawn",
    "changes": "the changes since the last delivery: inserts, updates and deletes",
    "events": "what happened since the last delivery: rows are added, never altered or withdrawn",
}
ENCRYPTION = {"required": "required", "optional": "possible", "none": "not used"}
SEVERITIES = {"refuse": "delivery refused", "quarantine": "row quarantined", "warn": "counted, row admitted"}
POLICIES = {"refuse": "delivery refused", "quarantine": "row quarantined", "warn": "told, delivery admitted", "ignore": ""}


def feed_page(contract: Contract, suite: Suite, limits: Thresholds | None = None) -> str:
    """The dictionary page of a feed: the feed, its tables with every column and rule, its thresholds and code lists.

    Args:
        limits: the thresholds, when not the project's own.
    """
    limits = limits if limits is not None else thresholds.load()
    parts = [
        HEADER.format(origin=f"expectations/*/{contract.feed}.yaml, its suite and expectations/thresholds.csv"),
        f"# {contract.title}\n\n{contract.description.strip()}\n\n",
        as_table(["", ""], _feed_facts(contract)),
        _how_to_read(),
        *(_table_section(contract, checked.table, checked.rules) for checked in build(contract, suite)),
        _thresholds(contract, limits),
        _code_lists(contract),
    ]
    return "".join(parts).rstrip("\n") + "\n"


def index_page(contracts: Iterable[Contract], *, with_marts: bool) -> str:
    """The first page of the dictionary: the feeds with their tables, and the marts where they are described."""
    rows = [
        [f"[{contract.feed}]({contract.feed}.md)", contract.title, str(len(contract.tables)), str(sum(len(t.columns) for t in contract.tables.values()))]
        for contract in contracts
    ]
    marts = (
        "What analysts and BI tools read is on pages of its own: [marts](marts.md), and what [the outcomes and indicators](indicators.md) mean.\n\n"
        if with_marts
        else ""
    )
    return (
        HEADER.format(origin="the contracts in expectations/")
        + "# Data dictionary\n\nWhat each agency delivers, column by column, and which zone each column goes to.\n\n"
        + as_table(["feed", "what it is", "tables", "columns"], rows)
        + marts
        + "The contracts these pages come from are in `expectations/`. [Add a feed](../how-to/add-a-feed.md) says how to change one.\n"
    )


def _feed_facts(contract: Contract) -> list[list[str]]:
    delivery, form, arrival = contract.delivery, contract.format, contract.arrival
    tokens = ", ".join(f"`{token}`" if token else "empty" for token in form.null_tokens)
    facts = [
        ["feed", f"`{contract.feed}`"],
        ["owner", contract.owner],
        ["layout and codes after", contract.source],
        ["each delivery holds", KINDS[delivery.kind]],
        ["cadence", f"{delivery.cadence}; late after {_days(delivery.late_after_days)}; events lag {_days(delivery.coverage_lag_days)} behind a delivery"],
        ["files", f"{form.encoding}, separated by `{as_cell(form.delimiter)}`, dates as {form.date_format}, no value written as {tokens}"],
    ]
    settled = "" if arrival.manifest == "required" else f", or no file has changed for {arrival.settle_seconds} seconds"
    facts.append(["arrival", f"taken in when its manifest is fulfilled{settled}; PGP encryption {ENCRYPTION[arrival.encryption]}"])
    if contract.consent:
        kept = ", ".join(f"`{name}`" for name in contract.consent.keep)
        facts.append(["consent", f"where `{contract.consent.column}` is `{contract.consent.withheld}` only {kept} are admitted, and nothing goes to the vault"])
    return facts


def _how_to_read() -> str:
    return (
        "**Zones.** `vault` holds identifiers and is read by the linker alone. `source` holds everything else and is read by the transformer alone. "
        "*key only* means that the column is not stored in either: it enters a keyed hash and stays with the untouched file. "
        "Names in the warehouse are the file's names in lower case.\n\n"
        "**Rules.** A column's rules are called `<column>.required`, `.type`, `.codes`, `.pattern`, `.range` and `.future` in `ops.check_result`, in "
        "quarantine and in the answer to the agency. The *night* is the day a delivery is for: dates may not lie after it unless the column says so.\n\n"
    )


def _table_section(contract: Contract, table: Table, rules: list[Rule]) -> str:
    source = {column.column.name: column.name for column in source_columns(table) if column.column}
    vault = {column.column.name for column in vault_columns(contract, table) if column.column}
    relations = f"`source.{table.relation}`" + (f", `vault.{table.relation}`" if vault else "")
    keys = [[f"`{key}`", ", ".join(f"`{name}`" for name in columns)] for key, columns in table.keys.items()]
    columns = [
        [f"`{c.name}`", TYPES[c.type] + _code_link(c), _zone(c, source, vault), c.role or "", "yes" if c.required else "", *_rule(c), as_cell(c.description)]
        for c in table.columns
    ]
    return (
        f"## {table.name}\n\nGrain: {table.grain}. Files: `{as_cell(table.file)}`. Relations: {relations}.\n\n"
        + as_table(["key", "keyed hash of"], keys)
        + as_table(["column", "type", "zone", "role", "required", "rule", "when broken", "meaning"], columns)
        + _table_rules(rules)
    )


def _zone(column: Column, source: dict[str, str], vault: set[str]) -> str:
    if column.role == "change_type":
        return "not stored"
    shared = source.get(column.name)
    in_source = f"source as `{shared}`" if shared and shared != column.field else "source" if shared else ""
    zones = [zone for zone in ("vault" if column.name in vault else "", in_source) if zone]
    return ", ".join(zones) or "key only"


def _rule(column: Column) -> list[str]:
    """What the column's values must be, and what happens to one that is not."""
    bounds = " ".join(f"{word} {bound}" for word, bound in (("from", column.min), ("to", column.max)) if bound is not None)
    readable = {"integer": "a whole number", "date": "a date", "flag": "Y or N", "code": "a code of the list"}.get(column.type, "")
    pattern = f"`{as_cell(column.pattern)}`" if column.pattern else ""
    ahead = "that may lie after the night" if column.ahead else ""
    rule = " ".join(part for part in (readable, pattern, bounds, ahead) if part)
    return [rule, SEVERITIES[column.severity] if rule or column.required else ""]


def _table_rules(rules: list[Rule]) -> str:
    """The rules of a table that are not about the form of one column; those are in the column's own line."""
    rows = [[f"`{rule.code}`", rule.message, SEVERITIES[rule.severity], rule.reason] for rule in rules if "." not in rule.code]
    return "Rules of the table:\n\n" + as_table(["rule", "broken when", "then", "why"], rows)


def _thresholds(contract: Contract, limits: Thresholds) -> str:
    """What `expectations/thresholds.csv` says for the feed's tables, and for single columns where that differs; what is ignored is left out."""
    rows = []
    for name, check in thresholds.CHECKS.items():
        places: dict[Threshold, list[str]] = {}
        for table in contract.tables.values():
            places.setdefault(thresholds.find(name, contract.feed, table.name, among=limits), []).append(f"`{table.name}`")
            for column in table.columns:
                if (own := limits[name].get((contract.feed, table.name, column.field))) is not None:
                    places.setdefault(own, []).append(f"`{table.name}.{column.name}`")
        for found, where in places.items():
            if found.severity != "ignore" or (not check.policies and found.value is not None):
                all_tables = len(where) == len(contract.tables) and not any("." in place for place in where)
                rows.append(
                    [
                        f"`{name}`",
                        "all" if all_tables else ", ".join(where),
                        check.meaning,
                        _limit(found.value, check),
                        POLICIES[found.severity],
                        as_cell(found.reason),
                    ]
                )
    return "## Thresholds\n\n" + as_table(["check", "tables", "what it looks at", "limit", "then", "why"], rows)


def _limit(value: float | None, check: Check) -> str:
    if value is None:
        return "any"
    return f"{value:,.0f}" if check.unit == "count" else f"{value:.0%}"


def _code_lists(contract: Contract) -> str:
    used = {column.codes for table in contract.tables.values() for column in table.columns}
    lists = [
        f"### Code list {name}\n\n" + as_table(["code", "meaning"], [[f"`{code}`", label] for code, label in codes.items()])
        for name, codes in contract.code_lists.items()
        if name in used
    ]
    return "## Code lists\n\n" + "".join(lists) if lists else ""


def _code_link(column: Column) -> str:
    return f" [{column.codes}](#code-list-{column.codes})" if column.codes else ""


def _days(days: int) -> str:
    return "0 days" if days == 0 else "1 day" if days == 1 else f"{days} days"
