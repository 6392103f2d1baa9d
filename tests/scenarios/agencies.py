"""What agencies send in the scenarios: golden files, and police files whose content a test chooses."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from tests.scenarios.workers import Step, Work

GOLDEN = Path(__file__).parents[1] / "golden"
NIGHT = date(2026, 11, 1)
INGEST = ("receive", "load", "check", "admit", "answer")
NOMINALS = "CHANGE_TYPE,NOMINAL_ID,PNC_ID,FORENAME,MIDDLE_NAME,SURNAME,DOB,SEX,ETHNIC_OBSERVED,FORCE_CODE"
ALIASES = "CHANGE_TYPE,NOMINAL_ID,ALIAS_NO,ALIAS_TYPE,FORENAME,SURNAME,DOB"


def night(number: int) -> date:
    """The date of a numbered night."""
    return NIGHT + timedelta(days=number - 1)


def golden(folder: Path, feed: str, number: int) -> Path:
    """An inbox in a folder with the golden files of a feed and numbered night."""
    inbox = folder / f"{feed}_{number}"
    shutil.copytree(GOLDEN / feed / f"night_{number}", inbox / feed)
    return inbox


def nominal(number: int, change: str = "I", surname: str = "Testcase") -> str:
    """A row of a nominal; a deletion has its key alone."""
    return f"D,N{number},,,,,,,," if change == "D" else f"{change},N{number},2019/{number:07}A,Quill,,{surname},1980-04-12,M,1,E23000007"


def alias(number: int, surname: str = "Other") -> str:
    """A row of a nominal's first alias."""
    return f"I,N{number},1,A,Quill,{surname},"


def police(folder: Path, number: int, nominals: Iterable[str], aliases: Iterable[str] = ()) -> Path:
    """An inbox in a folder with police files of a numbered night."""
    inbox = folder / "police"
    inbox.mkdir(parents=True, exist_ok=True)
    for table, header, rows in (("nominals", NOMINALS, nominals), ("aliases", ALIASES, aliases)):
        (inbox / f"{table}_{night(number):%Y%m%d}.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return folder


def nominals(inbox: Path) -> Path:
    """The file of nominals in an inbox."""
    (path,) = (inbox / "police").glob("nominals_*.csv")
    return path


def ingest(inbox: Path, feed: str, number: int = 1, first: str = "receive", last: str = "answer") -> Work:
    """The steps of receive and admit for what lies in an inbox on a numbered night, or some of them."""
    steps = INGEST[INGEST.index(first) : INGEST.index(last) + 1]
    return Work(inbox, night(number), [Step(step, feed) for step in steps])


def nights_of_police(folder: Path) -> list[Path]:
    """Inboxes of four nights: nominals that come, change and go, and rows that are refused."""
    first = [nominal(n) for n in range(1, 9)] + [nominal(30, surname="")], [alias(n) for n in range(1, 9)]
    second = [nominal(1, "U", "Second"), nominal(2, "U", "Second"), nominal(3, "D"), nominal(9), nominal(32, surname="")], [alias(1, "Second")]
    third = [nominal(1, "U", "Third"), nominal(4, "D"), nominal(31, surname="")], [alias(1, "Third"), alias(9), "I,N1,2,Z,Quill,Refused,"]
    fourth = [nominal(1, "U", "Fourth"), nominal(10)], [alias(10)]
    return [police(folder / str(number), number, *rows) for number, rows in enumerate((first, second, third, fourth), start=1)]
