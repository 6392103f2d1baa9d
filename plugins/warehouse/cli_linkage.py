"""`warehouse linkage`: judge, explain, redo and train the linkage."""

from __future__ import annotations

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from warehouse.cli_common import EXIT_USAGE, console, fail, operator, usage_errors
from warehouse.cli_review import review

app = typer.Typer(no_args_is_help=True, help="Judge, explain, redo and train the linkage.")
app.command()(review)

NightOption = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Default: the night that is live")]
RequiredNight = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The night")]


class Guard(StrEnum):
    """The guards that a person may overrule for a night."""

    churn = "churn"
    drift = "drift"
    largest_cluster = "largest_cluster"


def _night(night: datetime | None) -> date:
    """The night asked for, else the one that is live."""
    from warehouse.orchestrate.status import live_night

    wanted = night.date() if night else live_night()
    if wanted is None:
        raise fail("Nothing has been published yet: name the night by --date")
    return wanted


def _tell(measured: dict[str, float]) -> None:
    for name, value in measured.items():
        typer.echo(f"{name},{value:.4f}")


@app.command()
def evaluate(
    truth: Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="The truth folder that `warehouse generate` wrote")] = None,
    labels: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="CSV file of judged pairs, as `review --export` writes it")] = None,
    night: NightOption = None,
) -> None:
    """Precision and recall of a night's links against the truth (beside a plain baseline), or against judged pairs."""
    from warehouse.link.evaluate import evaluate as against_truth
    from warehouse.link.labels import evaluate_labels

    if (truth is None) == (labels is None):
        raise fail("Give either --truth or --labels", EXIT_USAGE)
    wanted = _night(night)
    if truth:
        _tell(against_truth(wanted, truth))
    elif labels:
        _tell(evaluate_labels(wanted, labels))


@app.command()
def explain(
    left: Annotated[UUID, typer.Option(help="Record key")],
    right: Annotated[UUID, typer.Option(help="Record key")],
    night: NightOption = None,
    page: Annotated[Path | None, typer.Option(help="Write a page with the waterfall and the identifiers here, for your eyes only")] = None,
) -> None:
    """Why two records are linked, or are not: what every comparison adds to the weight, and what the guards said."""
    from warehouse.link.explain import explain as score_again
    from warehouse.link.explain import identifiers
    from warehouse.link.review.waterfall import findings, table, write_page
    from warehouse.orchestrate.console import wide_console

    if page and page.exists():
        raise fail("There is a file of that name already: choose another", EXIT_USAGE)
    found = score_again(_night(night), left, right, operator())
    out = wide_console()
    out.print(table(found))
    for finding in findings(found):
        out.print(finding, highlight=False, soft_wrap=True)
    if page:
        write_page(found, identifiers(found), page)
        console.print("The page holds identifiers: remove it when you have read it.")


@app.command()
def relink(night: RequiredNight) -> None:
    """Link a night wholly anew: nothing is taken over from the nights before but the person ids, by largest overlap."""
    from warehouse.link.relink import relink as link_anew

    for name, count in link_anew(night.date()).items():
        typer.echo(f"{name},{count}")


@app.command("accept-churn")
def accept_churn(
    night: RequiredNight,
    reason: Annotated[str, typer.Option(help="Why the night may pass, for the record")],
    guard: Annotated[Guard, typer.Option(help="What stopped the night")] = Guard.churn,
) -> None:
    """Let a night pass that a guard has stopped; then run it again."""
    from warehouse.link.guards import accept

    with usage_errors():
        accept(night.date(), guard.value, reason, operator())
    console.print(f"The night of {night.date()} may pass the guard '{guard.value}'. Run linkage again: clear the failed task, or `warehouse linkage relink`.")


@app.command("as-at")
def as_at(
    night: RequiredNight,
    certainty: Annotated[str, typer.Option(help="strict, balanced or inclusive")] = "balanced",
) -> None:
    """The person that each agency record belonged to after a past night, as CSV: record_key, feed, person_id."""
    from warehouse.orchestrate.as_at import links

    with usage_errors():
        for block in links(night.date(), certainty):
            sys.stdout.buffer.write(block)


@app.command()
def score(
    left: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="CSV file with a header, one row a person record")],
    mapping: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="YAML file: which column plays which role")],
    right: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The file to link it to. Default: find the duplicates of the first")] = None,
    truth: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="CSV file of pairs of ids that are one person")] = None,
    minimal: Annotated[bool, typer.Option("--minimal", help="Use the first file's initials, date of birth, sex and postcode sector alone")] = False,
    threshold: Annotated[float | None, typer.Option(help="Bits from which two records are linked. Default: fixed beforehand")] = None,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the links here: id_l, id_r, match_weight")] = None,
) -> None:
    """Link any two CSV files of person records, or find the duplicates of one, and compare with the truth where there is one."""
    from warehouse.link.file_mapping import read_mapping
    from warehouse.link.score_files import score_files

    _tell(score_files(left, right, read_mapping(mapping), truth, minimal, threshold, out))


@app.command()
def train(
    night: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="Date of the delivery, or the night whose vault to train on")],
    population: Annotated[str, typer.Option(help="What the models are trained on, in words, for the model cards")],
    version: Annotated[int, typer.Option(min=1, help="Number of the new version")],
    inbox: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="A first delivery with one sub-folder per feed. Default: the vault of the night")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed and data give the same models")] = 1,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Folder to write to. Default: <home>/models/version-<version>")] = None,
) -> None:
    """Train a new version of the linkage models, with cards, charts and what changed; nothing is put in force (policy.yaml does that)."""
    from warehouse.link.train import new_version_folder, write_changes
    from warehouse.link.train import train as train_models

    folder = out or new_version_folder(version)
    trained = train_models(inbox, night.date(), population, version, seed, folder)
    for path in (*trained.values(), write_changes(folder, sorted(trained))):
        typer.echo(path)
