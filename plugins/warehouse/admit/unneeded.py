"""Leave out what a library imports at its start and our use of it never asks for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _WhenUsed(ModuleType):
    """Stands for a module, and imports it when something is asked of it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


@contextmanager
def imported_when_used(*names: str) -> Iterator[None]:
    """Let the imports inside take stand-ins for these modules; those imported before stay as they are.

    A module of a package is named after its package: `scipy.stats`. Afterwards everyone else gets the module itself.
    """
    stand_ins = {name: _WhenUsed(name) for name in names if name not in sys.modules}
    for name, stand_in in stand_ins.items():
        sys.modules[name] = stand_in
        package, _, place = name.rpartition(".")
        if package:
            setattr(import_module(package), place, stand_in)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]
            package, _, place = name.rpartition(".")
            if package:
                delattr(import_module(package), place)
