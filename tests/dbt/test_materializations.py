"""The project's own materializations, on a project of one model: what stands afterwards, and what a broken contract leaves standing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warehouse.database import connect
from warehouse.model import runner
from warehouse.settings import settings

pytestmark = pytest.mark.integration

PROJECT = """
name: warehouse
config-version: 2
version: "1.0.0"
profile: warehouse
models: {warehouse: {+schema: intermediate, +unlogged: true, +persist_docs: {relation: true, columns: true}}}
"""
COLUMNS = """
  - name: {name}
    description: A small table, of $1 and 'quotes'.
    config: {{contract: {{enforced: true}}}}
    columns:
      - {{name: number, data_type: integer, description: A number., constraints: [{{type: not_null}}]}}
      - {{name: letter, data_type: text, description: A letter.}}
"""
TABLE = "{{ config(materialized='table', indexes=[{'columns': ['number'], 'unique': true}]) }} "
FOLLOWING = TABLE.replace("'table'", "'incremental', on_schema_change='fail', incremental_strategy='persons'")
GOOD = TABLE + "select 'a'::text as letter, 1 as number union all select 'b', 2"
BROKEN = {
    "another_type": "select 'c'::text as letter, 3.5 as number",
    "a_column_too_many": "select 'c'::text as letter, 3 as number, 3 as other",
    "a_null": "select 'c'::text as letter, null::integer as number",
    "the_same_twice": "select 'c'::text as letter, 3 as number union all select 'd', 3",
}
KIND = "select relkind::text || relpersistence::text, reltuples::integer from pg_class where oid = %s::regclass"
COMMENTS = "select string_agg(description, ' ' order by objsubid) from pg_description where objoid = %s::regclass"
INDEXES = "select count(*) from pg_index where indrelid = %s::regclass and indisunique"
RELATIONS = "select relname::text from pg_class where relnamespace = 'intermediate'::regnamespace and relkind in ('r', 'v') order by 1"


@pytest.fixture
def run(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], set[str]]:
    """A function that builds models from their SQL, and gives the names of what failed."""
    true_project = settings().dbt_project_dir
    models = tmp_path / "models" / "intermediate"
    models.mkdir(parents=True)
    (tmp_path / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "macros").symlink_to(true_project / "macros")
    (tmp_path / "profiles.yml").symlink_to(true_project / "profiles.yml")
    monkeypatch.setattr(type(settings()), "dbt_project_dir", property(lambda _: tmp_path))

    def build(queries: dict[str, str]) -> set[str]:
        (models / "models.yml").write_text("models:" + "".join(COLUMNS.format(name=name) for name in queries), encoding="utf-8")
        for name, query in queries.items():
            (models / f"{name}.sql").write_text(query, encoding="utf-8")
        invocation = runner.invoke(["run"], {"slot": "blue", "as_at": "2026-11-01"})
        assert invocation.error is None
        return {result.name for result in invocation.results if result.has_failed}

    return build


def ask(query: str, *values: str) -> list[Any]:
    with connect("admin") as connection:
        return [row[0] if len(row) == 1 else row for row in connection.execute(query, values).fetchall()]


def test_a_table_replaces_what_stands_and_a_broken_contract_does_not(run: Callable[[dict[str, str]], set[str]]) -> None:
    view = "{{ config(materialized='view', contract={'enforced': false}, persist_docs={}) }} select 1 as other"
    assert run({"small": view, "following": FOLLOWING + "select 'a'::text as letter, 1 as number", **dict.fromkeys(BROKEN, GOOD)}) == set()
    broken = {name: TABLE + query for name, query in BROKEN.items()}
    # No state stands for a table that follows the night's change, so it is written whole.
    assert run({"small": GOOD, "following": FOLLOWING + "select 'c'::text as letter, 3 as number", **broken}) == BROKEN.keys()

    assert ask(KIND, "intermediate.small") == [("ru", 2)]
    assert ask(COMMENTS, "intermediate.small") == ["A small table, of $1 and 'quotes'. A number. A letter."]
    assert ask(INDEXES, "intermediate.small") == [1]
    assert ask("select number || letter from intermediate.following") == ["3c"]
    for name in ("small", *BROKEN):
        assert ask(f"select number || letter from intermediate.{name} order by number") == ["1a", "2b"]
    assert set(ask(RELATIONS)) >= {"small", "following", *BROKEN} and not [name for name in ask(RELATIONS) if "__dbt" in name]
