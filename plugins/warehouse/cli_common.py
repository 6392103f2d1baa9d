"""What the commands share: exit codes, the console for words, errors that end a command, and who is at the keyboard."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

EXIT_FAILED, EXIT_USAGE, EXIT_PARTIAL = 1, 2, 3
Night = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The night: the date the data are as at. Default: today")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable")]
# Results go to standard output, words about them to standard error.
console = Console(stderr=True)


def today() -> date:
    """The calendar date in London, where the nights are counted."""
    return datetime.now(ZoneInfo("Europe/London")).date()


def fail(message: str, code: int = EXIT_FAILED) -> typer.Exit:
    """Say what is wrong; the caller raises what is returned."""
    console.print(f"[bold red]error[/] {escape(message)}", highlight=False, soft_wrap=True)
    return typer.Exit(code)


@contextmanager
def usage_errors() -> Iterator[None]:
    """End the command with exit code 2 when what was asked for does not exist or cannot be (a ValueError of ours)."""
    try:
        yield
    except ValueError as error:
        raise fail(str(error), EXIT_USAGE) from None


def operator() -> str:
    """The account that runs the command, for the record of who withdrew or erased what."""
    user = os.geteuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"  # a container may run as a number without a name
