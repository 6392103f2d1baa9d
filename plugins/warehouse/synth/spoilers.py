"""Find ways to spoil a row so that it breaks one rule of its table and no other.

Nothing here knows a rule by name. For each rule the columns it names are given other values - none, other codes, dates
before and after each other, numbers at the edge, words its condition holds - and the first row that breaks the wanted rule
alone is taken. Whether it does is asked of the compiled rules themselves. A rule for which nothing is found is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import combinations, product

import pyarrow as pa

from warehouse.contracts.compile import RowCheck, kind, row_checks
from warehouse.contracts.load import load_contract
from warehouse.contracts.model import Column
from warehouse.contracts.suite import Rule, build
from warehouse.synth.arrays import DATE_FORMATS, Text
from warehouse.synth.files import Layout
from warehouse.synth.nights import Cells

Row = dict[str, str | None]

NONE_BROKEN = ""
DAYS_APART = (-43_000, -7_300, -400, -30, -10, -1, 1, 10, 30, 400, 7_300)
MOST_CODES, MOST_PAIRS = 12, 40
# What no column of the type may hold.
MISFITS = {"integer": ("12x",), "flag": ("Maybe",), "code": ("QQ",), "text": ("not as agreed",), "date": ()}


@dataclass(frozen=True)
class Candidate:
    """A change to the row `victim` of a file that is to break one rule: its code, or NONE_BROKEN for one that is to break none."""

    rule: str
    victim: int
    change: Row


@lru_cache(maxsize=32)
def rules_of(feed: str, table: str) -> tuple[Rule, ...]:
    """The rules of a table, from its contract and suite."""
    return next(tuple(found.rules) for found in build(load_contract(feed)) if found.table.name == table)


def row_rules(layout: Layout) -> list[Rule]:
    """The rules about single rows that a row can break without the delivery being refused."""
    return [rule for rule in rules_of(layout.contract.feed, layout.table.name) if kind(rule) == "row" and rule.severity != "refuse"]


def candidates(layout: Layout, rule: Rule, victim: int, row: Row, night: date) -> Iterator[Candidate]:
    """Changes to a row that may break a rule, simple ones first."""
    named = named_columns(layout, rule)
    others = [column for column in named if column.name not in _kept(layout)]
    values = {column.name: _values(layout, column, row, named, rule, night) for column in others}
    changes: list[Row] = [{name: value} for name, found in values.items() for value in found]
    few = {name: [None, *[v for v in found if v is not None][:7]] for name, found in values.items()}
    pairs = [dict(zip(names, both, strict=True)) for names in combinations(few, 2) for both in product(*(few[name] for name in names))]
    changes += pairs[:: max(1, len(pairs) // MOST_PAIRS)]
    changes += [{c.name: None for c in others if c is not kept} for kept in [None, *others]]
    yield from (Candidate(rule.code, victim, change) for change in changes)


def breaking_one(layout: Layout, cells: Cells, proposed: list[Candidate], night: date) -> list[Candidate]:
    """Those of the candidates that break the rule they are to break and no other, in their order."""
    if not proposed:
        return []
    found = _broken(layout, _changed(layout, cells, proposed), night)
    return [candidate for candidate, broken in zip(proposed, found, strict=True) if broken == ({candidate.rule} - {NONE_BROKEN})]


def _kept(layout: Layout) -> set[str]:
    """Columns that are never changed: those of the keys, which tell rows apart, and what decides which rules are asked."""
    consent = layout.contract.consent
    kept = {name for columns in layout.table.keys.values() for name in columns} | ({consent.column} if consent else set())
    return kept | {column.name for column in layout.table.columns if column.role == "change_type"}


def named_columns(layout: Layout, rule: Rule) -> list[Column]:
    """The columns a rule is about, in the order of the file."""
    words = set(re.findall(r"[a-z_0-9]+", " ".join(str(value) for value in rule.kwargs.values())))
    words |= {word.removesuffix("__unparsed") for word in words}
    return [column for column in layout.table.columns if column.field in words]


def _values(layout: Layout, column: Column, row: Row, named: list[Column], rule: Rule, night: date) -> list[str | None]:
    """Values to try in a column, without the one it has."""
    texts: list[str | None] = [None]
    literals = re.findall(r"'([^']+)'", str(rule.kwargs.get("condition", "")))
    if column.type == "code":
        codes = list(layout.contract.codes(column))
        texts += [code for code in literals if code in codes] + [row.get(c.name) for c in named if row.get(c.name) in codes] + codes[:MOST_CODES]
    elif column.type == "flag":
        texts += ["Y", "N"]
    elif column.type == "integer":
        edges = [bound for bound in (column.min, column.max) if isinstance(bound, int)]
        texts += [str(number) for number in (0, 5, *(edge + step for edge in edges for step in (-3, 7)))]
    elif column.type == "date":
        texts += _dates(layout, [row.get(c.name) for c in named if c.type == "date"], night)
    else:
        own = row.get(column.name) or ""
        texts += [literal + own[len(literal) :] for literal in literals]
    texts += MISFITS[column.type]
    return [text for text in dict.fromkeys(texts) if text != row.get(column.name)]


def _dates(layout: Layout, texts: list[str | None], night: date) -> list[str | None]:
    """Dates before and after those of the row, one in the far past, one to come, and one that no calendar has."""
    style = DATE_FORMATS[layout.contract.format.date_format]
    days = [day for text in texts if text and (day := parsed(text, layout.contract.format.date_format))]
    found = [day + timedelta(days=apart) for day in days for apart in DAYS_APART] + [date(1850, 1, 1), night + timedelta(days=10), night - timedelta(days=400)]
    impossible = date(2024, 2, 1).strftime(style.replace("%d", "31"))
    return [impossible, *(day.strftime(style) for day in found if day.year >= 1000)]


def parsed(text: str, date_format: str) -> date | None:
    """The date a text written in a contract's date format stands for; None where it is not a row of digits in that form."""
    place = {part: date_format.index(part) for part in ("YYYY", "MM", "DD")}
    numbers = {part: text[at : at + len(part)] for part, at in place.items()}
    return date(*(int(number) for number in numbers.values())) if len(text) == len(date_format) and all(map(str.isdigit, numbers.values())) else None


def _changed(layout: Layout, cells: Cells, proposed: list[Candidate]) -> pa.Table:
    """The rows as they would be after each change, as text."""
    victims = pa.array([candidate.victim for candidate in proposed])
    new: dict[str, list[tuple[int, str | None]]] = {}
    for place, candidate in enumerate(proposed):
        for name, value in candidate.change.items():
            new.setdefault(name, []).append((place, value))
    columns: dict[str, Text] = {}
    for name in layout.header:
        columns[name] = cells[name].take(victims) if name in cells else pa.nulls(len(proposed), pa.string())
        if name in new:
            values = columns[name].to_pylist()
            for place, value in new[name]:
                values[place] = value
            columns[name] = pa.array(values, pa.string())
    return pa.table(columns | {"_row_number": pa.array(range(len(proposed)))})


def _broken(layout: Layout, rows: pa.Table, night: date) -> list[set[str]]:
    """The codes of the rules that each row breaks."""
    import duckdb

    checks: list[RowCheck] = row_checks(list(rules_of(layout.contract.feed, layout.table.name)))
    told = ", ".join(f"case when {check.broken} then {place} end" for place, check in enumerate(checks))
    with duckdb.connect() as session:
        session.register("offered", rows)
        typed = ", ".join(_typed(layout, column) for column in layout.table.columns)
        marks = f"date '{night}' as night, 1 as _complete, null as _duplicate_key, null as _repeated_row"
        session.execute(f"create table typed as select _row_number, {marks}, {typed} from offered").fetchall()
        found = session.execute(f"select list_filter([{told}], lambda place: place is not null) from typed order by _row_number").fetchall()
    return [{checks[place].rule.code for place in places} for (places,) in found]


def _typed(layout: Layout, column: Column) -> str:
    """SQL for a column in its type under its name in the warehouse, and for the mark of text that cannot be read."""
    text, field = f'"{column.name}"', f'"{column.field}"'
    if column.type in ("text", "code"):
        return f"{text} as {field}"
    style = DATE_FORMATS[layout.contract.format.date_format]
    read = {
        "date": f"try_strptime({text}, '{style}')::date",
        "integer": f"try_cast({text} as integer)",
        "flag": f"case {text} when 'Y' then true when 'N' then false end",
    }[column.type]
    return f'{read} as {field}, case when {text} is not null and {read} is null then 1 end as "{column.field}__unparsed"'
