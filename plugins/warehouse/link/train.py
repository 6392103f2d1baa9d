"""Train the linkage models on a population, apart from any night, and write them as new versions with their cards.

A version is `link-<n>` for pairs across feeds, `dedupe-<feed>-<n>` for pairs inside each feed that holds people more than
once, and `minimal-<n>` for records with initials alone. The u probabilities come from random pairs, the m probabilities from
expectation maximisation on blocked pairs; no truth is used. A level that saw no true pairs borrows from the link model, or from
the model in force. Thresholds are not learnt here: they are set in `models/policy.yaml` from another population
(`benchmarks/linkage`), where a version is also put in force.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warehouse.contracts.load import all_contracts
from warehouse.link import cards, comparisons, evidence, named
from warehouse.link.blocking import MINIMAL_RULES, NAMED_RULES, OTHER_RECORD, same
from warehouse.link.cluster import clusters
from warehouse.link.comparisons import Comparison
from warehouse.link.conflicts import find_conflicts
from warehouse.link.errors import LinkageFault, clean_duckdb_errors
from warehouse.link.extract import from_delivery, from_vault
from warehouse.link.minimal import NO_CLIENT_CLUSTERS, lay_out
from warehouse.link.models import MODELS_DIR, Policy, load_model, policy
from warehouse.link.training import Plan, trained, write
from warehouse.link.workspace import duckdb_session, one_row, private_folder
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb

# A feed has a model of its own when this many pairs of its records agree on names and date of birth. With fewer there is
# nothing to learn from, and the link model judges its pairs.
FEWEST_DUPLICATES = 500

# With so few identifiers a rule must leave three comparisons free: two cannot tell matches from others by themselves.
MINIMAL_SESSIONS = (same("dob"), same("initials"))

# Units of one row alone, where there is no doubt which of several names or dates of birth a client would have given.
SINGLE_ROWS = """
create or replace temp view single_client as select * from client_row where rows_of_unit = 1;
create or replace temp view single_person as select * from person_row where rows_of_unit = 1;
"""


def train(inbox: Path | None, night: date, population: str, version: int, seed: int, out: Path = MODELS_DIR) -> dict[str, Path]:
    """Train all models of a version and write them to `out`, each with its card and charts.

    Args:
        inbox: a first delivery, with one sub-folder a feed as `warehouse generate` writes it; None for the vault.
        night: date of that delivery, or the night as of which the vault is read.
        population: what the population is, for the model cards.
        version: number of the new version.
        seed: seed of the random pairs.

    Returns:
        The settings file of each model, by the model's name.

    Raises:
        LinkageFault: a level of a model could not be trained.
        DatabaseFault: the vault could not be read.
    """
    facts = {"population": population, "date of the delivery": night.isoformat(), "seed of the random pairs": str(seed)}
    with private_folder("train") as folder, duckdb_session(folder / "spill") as session:
        with clean_duckdb_errors("read the training population"):
            if inbox is None:
                from_vault(session, all_contracts(), night, folder)
            else:
                from_delivery(session, all_contracts(), inbox)
            evidence.build(session, night)
        out.mkdir(parents=True, exist_ok=True)
        link, link_facts = _link_plan(session, version)
        paths = {link.name: write(out, link.name, trained(session, link, seed), facts | link_facts, load_model(policy().named.model))}
        link_model = json.loads(paths[link.name].read_text(encoding="utf-8"))
        for plan, plan_facts in _dedupe_plans(session, version):
            paths[plan.name] = write(out, plan.name, trained(session, plan, seed), facts | plan_facts, link_model)
        _cluster_named(session, link_model, policy())
        minimal, minimal_facts = _minimal_plan(session, version, policy())
        paths[minimal.name] = write(out, minimal.name, trained(session, minimal, seed), facts | minimal_facts, load_model(policy().minimal.model))
    return paths


def new_version_folder(version: int) -> Path:
    """Where the training DAG puts a version, until it has been reviewed and copied to the models in use."""
    return settings().home / "models" / f"version-{version}"


def write_changes(folder: Path, names: Sequence[str]) -> Path:
    """Write `changes.md`: the weights of trained models in a folder beside those of the models in force that do their work."""
    rules = policy()
    in_force = {}
    for name in names:
        kind, *feed, _ = name.split("-")
        own = rules.named.dedupe.get("-".join(feed)) if kind == "dedupe" else None
        now = rules.minimal.model if kind == "minimal" else own.model if own else rules.named.model
        in_force[name] = (now, load_model(now))
    path = folder / "changes.md"
    path.write_text(cards.changes({name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names}, in_force), encoding="utf-8")
    return path


def _link_plan(session: duckdb.DuckDBPyConnection, version: int) -> tuple[Plan, dict[str, str]]:
    """Pairs of records of different feeds.

    Raises:
        LinkageFault: names come from fewer than two feeds.
    """
    feeds = _named_feeds(session)
    if len(feeds) < 2:
        raise LinkageFault("The link model learns from records with names of two feeds or more; the population has fewer")
    for feed in feeds:
        session.execute(f"create or replace temp view name_row_{feed} as select * from name_row where feed = '{feed}'").fetchall()
    rows, records = one_row(session, "select count(*), count(distinct record_no) from name_row")
    plan = Plan(
        f"link-{version}", {feed: f"name_row_{feed}" for feed in feeds}, comparisons.NAMED, NAMED_RULES, _sessions(comparisons.NAMED),
        "link_only", policy().named.matches_per_record / records,
    )  # fmt: skip
    return plan, {"pairs": "records of different feeds", "records with names": f"{records:,}", "rows of names": f"{rows:,}"}


def _dedupe_plans(session: duckdb.DuckDBPyConnection, version: int) -> list[tuple[Plan, dict[str, str]]]:
    """Pairs of records inside one feed, for each feed that holds enough people more than once."""
    plans = []
    for feed in _named_feeds(session):
        (twice,) = one_row(
            session,
            f"""
            select count(*) from (select distinct record_no, forename, surname, dob from name_row_{feed}) as l
            inner join (select distinct record_no, forename, surname, dob from name_row_{feed}) as r using (forename, surname, dob)
            where l.record_no < r.record_no
            """,
        )
        if twice < FEWEST_DUPLICATES:
            continue
        compared = _filled(session, f"name_row_{feed}")
        (records,) = one_row(session, f"select count(distinct record_no) from name_row_{feed}")
        facts = {"pairs": f"records inside the feed {feed}", "records": f"{records:,}", "pairs that agree on names and date of birth": f"{twice:,}"}
        sessions = [f"{rule} and {OTHER_RECORD}" for rule in _sessions(compared)]
        plan = Plan(f"dedupe-{feed}-{version}", {feed: f"name_row_{feed}"}, compared, NAMED_RULES, sessions, "dedupe_only", 2 * twice / records**2)
        plans.append((plan, facts))
    return plans


def _minimal_plan(session: duckdb.DuckDBPyConnection, version: int, rules: Policy) -> tuple[Plan, dict[str, str]]:
    """Pairs of a client and a person, from units of one row."""
    session.execute(NO_CLIENT_CLUSTERS).fetchall()
    clients, persons = lay_out(session)
    session.execute(SINGLE_ROWS).fetchall()
    plan = Plan(
        f"minimal-{version}", {"client": "single_client", "person": "single_person"}, comparisons.MINIMAL, MINIMAL_RULES, MINIMAL_SESSIONS,
        "link_only", rules.minimal.share_known / persons,
    )  # fmt: skip
    return plan, {"pairs": "clients and persons", "clients": f"{clients:,}", "persons": f"{persons:,}"}


def _named_feeds(session: duckdb.DuckDBPyConnection) -> list[str]:
    return [feed for (feed,) in session.execute("select distinct feed from name_row order by feed").fetchall()]


def _filled(session: duckdb.DuckDBPyConnection, table: str) -> tuple[Comparison, ...]:
    """The comparisons of names that a table has anything for."""
    return tuple(
        comparison
        for comparison in comparisons.NAMED
        if one_row(session, f"select {' and '.join(f'count({column}) > 0' for column in sorted(comparisons.columns_of(comparison)))} from {table}")[0]
    )


def _sessions(compared: Sequence[Comparison]) -> list[str]:
    """The blocking rules of the training sessions: each trains the comparisons it does not block on; together they cover all."""
    present = {comparison["output_column_name"] for comparison in compared}
    numbers = [same(number) for number in ("nino", "pnc_id") if number in present]
    return [*(numbers or [same("dob", "sex")]), same("surname_sound", "dob"), same("forename", "surname")]


def _cluster_named(session: duckdb.DuckDBPyConnection, model: dict[str, Any], rules: Policy) -> None:
    """Make `named_cluster`, the persons that clients are compared with, by the link model just trained and the policy in force."""
    named.score(session, rules, model)
    session.execute(named.LINKS.format(threshold=rules.named.match_weight["balanced"])).fetchall()
    find_conflicts(session, "named_link", rules.largest_component)
    clusters(session, "named_link", "conflict", "named_cluster")
