"""What dbt and Postgres say is passed on only as far as it cannot hold a value of a row."""

from __future__ import annotations

import pickle

import pytest

from warehouse.model.errors import ModelBuildFailed, safe_message

LEAKY = [
    ('duplicate key value violates unique constraint "x"\nDETAIL:  Key (surname)=(Quillfeather) already exists.', 'unique constraint "x"'),
    ('null value in column "sex" of relation "t" violates not-null constraint\nDETAIL:  Failing row contains (Quillfeather, null).', '"sex"'),
    ('invalid input syntax for type integer: "Quillfeather"', "details withheld"),
    ("new row violates check constraint\nDETAIL:  Failing row contains (Quillfeather).", "details withheld"),
    ("relation \"marts_blue.dim_person\" does not exist\nLINE 1: select 'Quillfeather'", 'relation "marts_blue.dim_person" does not exist'),
    (None, "details withheld"),
]


@pytest.mark.parametrize(("message", "kept"), LEAKY)
def test_values_are_dropped_and_names_of_ours_are_kept(message: str | None, kept: str) -> None:
    assert "Quillfeather" not in safe_message(message)
    assert kept in safe_message(message)


def test_a_failure_can_be_sent_between_processes() -> None:
    failure = pickle.loads(pickle.dumps(ModelBuildFailed("marts", ["test unique_x (2 rows)"])))
    assert str(failure) == "The marts layer failed: test unique_x (2 rows)"
