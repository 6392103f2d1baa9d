"""Dictionary pages of what analysts read: the marts, from dbt's YAML, and the definitions, from their seed."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import yaml

from warehouse.contracts.markdown import HEADER, as_cell, as_table, oneline

FOLDERS = ("marts", "published")
META_LABELS = {"grain": "Grain", "source": "Source", "certainty": "Certainty", "pii": "Personal data"}
DEFINITIONS = Path("seeds", "reference", "indicator_definitions.csv")
CERTAINTIES = [
    ["stated", "read in the named source"],
    ["recalled", "general knowledge of the published document, not checked against its text: correct the row if you hold the text"],
    ["derived", "worked out here, as nobody has published it"],
]
PER = {"1": "", "100": "per 100", "1000": "per 1,000", "100000": "per 100,000"}

MARTS_INTRODUCTION = """\
`marts` holds facts and outcomes with one row for each person, journey, offence or spell, by a random `person_id`, and reports (`rpt_`) that count
them, small numbers among them; analysts read it. `published` holds totals after disclosure control; anyone with a login may read it. Both are
views over the slot that is live: query them, never the slots behind them. What the outcomes and indicators mean is on [their own page](indicators.md).

"""

INDICATORS_INTRODUCTION = """\
What every rule, outcome and indicator of the warehouse means: its window, where it comes from and how well that is known. The rows are those of
`reference.indicator_definitions`, the one place to correct a number: change the row in `dbt_project/seeds/reference/indicator_definitions.csv`, raise
its version, and the next night counts by it. Figures say the version they were made by.

An outcome is only counted when its follow-up is complete: when the window, and the wait after it, closed before the last day every feed it needs
is known for. Until then it is `not yet observable`, for successes as much as for failures. Death censors what has not happened. A person without a record at
the agency that would know is `not linked`, which is not the same as no. Only `yes` and `no` are in a rate; the unlinked are beside it.

"""


def marts_page(dbt_models: Path) -> str | None:
    """The dictionary page of the marts, from the YAML beside dbt's models; None while no mart is described.

    Args:
        dbt_models: the folder `models` of the dbt project.
    """
    models = {folder: _described_models(dbt_models / folder) for folder in FOLDERS}
    if not any(models.values()):
        return None
    parts = [HEADER.format(origin="dbt_project/models/marts and models/published"), "# Marts\n\n", MARTS_INTRODUCTION]
    for folder, described in models.items():
        parts += [f"## Schema `{folder}`\n\n"] if described else []
        parts += [_model_section(folder, model) for model in described]
    return "".join(parts).rstrip("\n") + "\n"


def indicators_page(dbt_project: Path) -> str | None:
    """The dictionary page of the definitions, from their seed; None while there is no seed.

    Args:
        dbt_project: the folder of the dbt project.
    """
    seed = dbt_project / DEFINITIONS
    if not seed.exists():
        return None
    with seed.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    reported = [row for row in rows if row["measure"]]
    others = [row for row in rows if not row["measure"]]
    parts = [
        HEADER.format(origin=f"dbt_project/{DEFINITIONS.as_posix()}"),
        "# Outcomes and indicators\n\n",
        INDICATORS_INTRODUCTION,
        as_table(["certainty", "means"], CERTAINTIES),
        "## Indicators\n\nReported in `marts.rpt_indicators` and, after disclosure control, in `published.published_indicators`.\n\n",
        as_table(["indicator", "figure", "better when", "period"], [_figure(row) for row in reported]),
        *(_definition(row) for row in reported),
        "## Outcomes and rules\n\nCounted in the outcome marts, or used by other definitions.\n\n",
        *(_definition(row) for row in others),
    ]
    return "".join(parts).rstrip("\n") + "\n"


def _figure(row: dict[str, str]) -> list[str]:
    return [f"[{row['title']}](#{row['indicator']})", f"{row['measure']} {PER.get(row['per'], row['per'])}".strip(), row["polarity"], row["period"]]


def _definition(row: dict[str, str]) -> str:
    window = f"{row['window_length']} {row['window_unit']}s" if row["window_length"] else "none"
    wait = f", and {row['wait_months']} months' wait" if row["wait_months"] not in ("", "0") else ""
    feeds = ", ".join(row["feeds"].split(";"))
    facts = [
        ["title", row["title"]],
        ["window", window + wait],
        ["feeds it needs", feeds],
        ["source", row["source"]],
        ["certainty", row["certainty"]],
        ["version", row["version"]],
    ]
    return f"### {row['indicator']}\n\n{oneline(row['definition'])}\n\n" + as_table(["", ""], [[name, as_cell(value)] for name, value in facts])


def _described_models(folder: Path) -> list[dict[str, Any]]:
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) or {} for path in sorted(folder.glob("**/*.yml"))]
    return sorted((model for document in documents for model in document.get("models") or []), key=lambda model: str(model["name"]))


def _model_section(folder: str, model: dict[str, Any]) -> str:
    meta = {**(model.get("meta") or {}), **((model.get("config") or {}).get("meta") or {})}
    facts = [f"{label}: {oneline(meta[name])}." for name, label in META_LABELS.items() if meta.get(name)]
    rows = [
        [f"`{column['name']}`", str(column.get("data_type", "")), as_cell(oneline(column.get("description", ""))), as_cell(", ".join(_accepted_values(column)))]
        for column in model.get("columns") or []
    ]
    table = as_table(["column", "type", "meaning", "values"], rows)
    heading = f"### {folder}.{model['name']}\n\n{oneline(model.get('description', ''))}\n\n"
    return heading + (f"{' '.join(facts)}\n\n" if facts else "") + table


def _accepted_values(column: dict[str, Any]) -> list[str]:
    """The values a column may hold, where a constraint lists them: `column in ('one', 'another')`."""
    rules = [str(constraint["expression"]) for constraint in column.get("constraints") or [] if constraint["type"] == "check"]
    listed = [match[1] for rule in rules if (match := re.fullmatch(rf"{column['name']} in \((.+)\)", rule))]
    return [value.strip().strip("'") for values in listed for value in re.split(r", (?=')|(?<=\d), ", values)]
