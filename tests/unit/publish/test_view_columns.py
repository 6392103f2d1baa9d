"""Which columns a published view shall have when its table has changed, and whether it can stay in place."""

from __future__ import annotations

import pytest

from warehouse.publish.catalogue import Column, Relation
from warehouse.publish.slots import idle_slot, other_slot, physical_schema
from warehouse.publish.swap import view_columns


def relation(**columns: str) -> Relation:
    return Relation("facts", "r", None, tuple(Column(name, kind, None) for name, kind in columns.items()))


def test_a_first_view_has_the_tables_own_order() -> None:
    columns, in_place = view_columns(None, relation(b="text", a="integer"))
    assert [column.name for column in columns] == ["b", "a"]
    assert in_place


def test_new_columns_come_last_and_the_view_stays() -> None:
    columns, in_place = view_columns(relation(a="integer", b="text"), relation(new="date", b="text", a="integer"))
    assert [column.name for column in columns] == ["a", "b", "new"]
    assert in_place


@pytest.mark.parametrize("table", [relation(a="integer"), relation(a="integer", b="date"), relation(a="integer", b="character varying(3)")])
def test_a_column_withdrawn_or_retyped_needs_a_new_view(table: Relation) -> None:
    columns, in_place = view_columns(relation(a="integer", b="text"), table)
    assert columns == table.columns
    assert not in_place


def test_comments_are_those_of_the_table() -> None:
    view = Relation("facts", "v", None, (Column("a", "integer", "old words"),))
    columns, _ = view_columns(view, Relation("facts", "r", None, (Column("a", "integer", "new words"),)))
    assert columns[0].comment == "new words"


class Answers:
    """Stands for a connection that gives one answer."""

    def __init__(self, row: tuple[str] | None) -> None:
        self.row = row

    def execute(self, _: str) -> Answers:
        return self

    def fetchone(self) -> tuple[str] | None:
        return self.row


def test_the_idle_slot_is_the_one_not_live() -> None:
    assert idle_slot(Answers(None)) == "blue"
    assert idle_slot(Answers(("blue",))) == "green"
    assert idle_slot(Answers(("green",))) == "blue"
    assert other_slot(other_slot("blue")) == "blue"
    assert physical_schema("marts", "green") == "marts_green"
