"""What can go wrong in the model stage, said without any value of a row."""

from __future__ import annotations

import re

# What Postgres and dbt say that names relations, columns, constraints or SQL of ours. All else they say may repeat a value.
SAFE_MESSAGES = (
    re.compile(r'(relation|table|schema|function|type|column) "?[\w.]+"? does not exist'),
    re.compile(r"permission denied for \w+ [\w.]+"),
    re.compile(r'null value in column "\w+" of relation "\w+" violates not-null constraint'),
    re.compile(r'(duplicate key value violates|could not create) unique (constraint|index) "\w+"'),
    re.compile(r'syntax error at or near "[\w(),;:=]+"'),
    re.compile(r"canceling statement due to [\w ]+"),
    re.compile(r"could not (extend|write to|open) file"),
    re.compile(r"No space left on device"),
    re.compile(r'new row for relation "\w+" violates check constraint "\w+"'),
    re.compile(r"(deadlock detected|division by zero|out of memory|server closed the connection unexpectedly)"),
    re.compile(r"This model has an enforced contract that failed"),
    re.compile(r"Compilation Error"),
)


def safe_message(message: str | None) -> str:
    """The part of a dbt message that cannot hold a value of a row; `details withheld` when there is none."""
    found = (pattern.search(message or "") for pattern in SAFE_MESSAGES)
    return next((match.group(0) for match in found if match), "details withheld")


class ModelBuildFailed(Exception):
    """A layer was not built, or its tests failed: nothing of it may be published."""

    def __init__(self, layer: str, failures: list[str]) -> None:
        self.layer, self.failures = layer, failures
        super().__init__(f"The {layer} layer failed: {'; '.join(failures)}")

    def __reduce__(self) -> tuple[type[ModelBuildFailed], tuple[str, list[str]]]:
        return ModelBuildFailed, (self.layer, self.failures)
