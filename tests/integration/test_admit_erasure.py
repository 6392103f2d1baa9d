"""Erasure on request and by withdrawn consent: the person's data of that agency are gone from everywhere, and stay gone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.integration.deliveries import golden_rows, query
from tests.integration.test_admit_late import Agency, client, night, nominal

from warehouse.admit import erasure, redact, withdraw
from warehouse.admit.erasure import finish_pending, request
from warehouse.database import connect
from warehouse.settings import settings

pytestmark = pytest.mark.integration

ASKED = date(2026, 11, 9)
POLICE_ZONES = ("source.police__nominals", "vault.police__nominals", "source.police__aliases", "vault.police__aliases")


def holds(zone: str, text: str) -> bool:
    """Whether a relation has a row with a text anywhere in it."""
    return query(f"select exists (select from {zone} as t where to_jsonb(t)::text like %s)", f"%{text}%") == [(True,)]


def landed(feed: str) -> str:
    """All that lies landed of a feed, as text."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted((settings().landing_dir / feed).glob("*/*")))


def record_of(feed: str, nominal_id: str) -> str:
    """The record key of a police nominal as the vault has it."""
    ((key,),) = query(f"select distinct record_key::text from vault.{feed}__nominals where nominal_id = %s", nominal_id)
    return str(key)


def link(key: str, other: str) -> None:
    """Link two records to a person each, with an edge between them, and leave scores for the next run."""
    with connect("linker") as connection:
        for record in (key, other):
            connection.execute(
                "with p as (insert into linkage.person (first_night) values ('2026-11-01') returning person_id)"
                " insert into linkage.person_link (record_key, feed, person_id, _valid_from) select %s, 'police', person_id, '2026-11-01' from p",
                [record],
            )
        connection.execute("insert into linkage.edge values ('2026-11-01', %s, %s, 'named', 9, 0.99, 0)", [key, other])
    (settings().work_dir / "link" / "2026-11-01").mkdir(parents=True)


def test_a_request_reaches_every_zone(clean_db: Path, tmp_path: Path) -> None:
    police = Agency("police", tmp_path)
    police.send(1, {"nominals": [nominal(1, SURNAME="Erasable"), nominal(2), nominal(3)]})
    police.send(2, {"nominals": [nominal(1, "U", SURNAME="Erasable-Again"), nominal(1, "I", SURNAME="Erasable-Twice"), nominal(2, "U", SEX="U")]})
    police.send(3, {"nominals": [nominal(1, "U", SURNAME="Erasable-Still")]})
    key, other = record_of("police", "N1"), record_of("police", "N2")
    link(key, other)
    answer = settings().home / "answers" / "police" / "2"
    answer.mkdir(parents=True, exist_ok=True)
    (answer / "answer.csv").write_text("NOMINAL_ID N1", encoding="utf-8")
    assert any(holds(zone, "Erasable") for zone in POLICE_ZONES) and holds("quarantine.refused_row", "Erasable") and "Erasable" in landed("police")

    (erasure_id,) = request("police", [{"NOMINAL_ID": "N1"}], "erasure request", ASKED, "data protection officer")

    assert not [
        zone for zone in (*POLICE_ZONES, "quarantine.refused_row", "linkage.person_link", "linkage.edge") if holds(zone, key) or holds(zone, "Erasable")
    ]
    assert "Erasable" not in landed("police") and "N1" not in landed("police") and "N2" in landed("police") and "N3" in landed("police")
    assert not answer.exists() and not list((settings().work_dir / "link").glob("????-*"))
    assert query("select event, night from linkage.person_event") == [("retired", date(2026, 11, 1))]
    assert query("select record_key::text, reason, requested_on, finished_at is not null, removed from ops.erasure where erasure_id = %s", erasure_id) == [
        (key, "erasure request", ASKED, True, {"source": 1, "vault": 2, "quarantine": 2, "linkage": 1})
    ]
    assert query("select nominal_id from vault.police__nominals where _valid_to is null order by 1") == [("N2",), ("N3",)]
    assert request("police", [{"NOMINAL_ID": "N1"}], "erasure request", ASKED, "someone else") == [erasure_id]


def test_rows_that_come_again_are_counted_and_kept_nowhere(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    police = Agency("police", tmp_path)
    police.send(1, {"nominals": [nominal(1, SURNAME="Erasable"), nominal(2)]})
    (erasure_id,) = request("police", [{"NOMINAL_ID": "N1"}], "erasure request", ASKED, "officer")
    second = police.send(2, {"nominals": [nominal(2, "U", SEX="U"), nominal(1, SURNAME="Erasable"), nominal(3)]})
    counts = "select rows_received, rows_admitted, rows_quarantined, rows_unchanged, rows_erased from ops.delivery_file"
    counts += " where delivery_id = %s and table_name = 'nominals'"
    assert query(counts, second) == [(3, 2, 0, 0, 1)]
    assert not [zone for zone in (*POLICE_ZONES, "quarantine.refused_row") if holds(zone, "Erasable")] and "Erasable" not in landed("police")
    police.send(1, {"nominals": [nominal(1, SURNAME="Erasable"), nominal(2), nominal(4)]})  # replays the second night
    assert query(counts, second) == [(3, 2, 0, 0, 1)]
    monkeypatch.setattr(withdraw, "judge", lambda delivery, contract: ([], {}))
    withdraw.redo(second)
    assert query(counts, second) == [(3, 2, 0, 0, 1)]
    assert not [zone for zone in POLICE_ZONES if holds(zone, "Erasable")] and "Erasable" not in landed("police")
    erasure.lift(erasure_id, "officer")
    police.send(3, {"nominals": [nominal(1, SURNAME="Returned")]})
    assert holds("vault.police__nominals", "Returned")
    with pytest.raises(ValueError, match="no erasure"):
        erasure.lift(erasure_id, "officer")


def test_withdrawn_consent_leaves_what_consent_keeps(clean_db: Path, tmp_path: Path) -> None:
    treatment = Agency("treatment", tmp_path)
    treatment.send(1, {"ndtms": [client(1, PC="AB7 7", ETHNIC="A"), client(2), client(3, PC="AB5 5", SEX="X")]})
    treatment.send(2, {"ndtms": [client(1, PC="AB3 4", ETHNIC="B"), client(2), client(3, SEX="X")]})
    assert "AB7 7" in landed("treatment")
    treatment.send(3, {"ndtms": [client(2), client(1, CONSENT="N"), client(3, CONSENT="N")]})
    assert query("select consent, _valid_from, _valid_to from source.treatment__ndtms order by 1, 2") == [
        (False, night(3), None), (False, night(3), None), (True, night(1), None),
    ]  # fmt: skip
    assert query("select clientid from vault.treatment__ndtms") == [("2",)]
    assert query("select reason, requested_on, delivery_id, removed -> 'source', removed -> 'vault', finished_at is not null from ops.erasure") == [
        ("consent withdrawn", night(3), 3, 2, 2, True)
    ]
    nights_before = [(settings().landing_dir / "treatment" / str(number)).glob("*") for number in (1, 2)]
    assert "AB7 7" not in "".join(path.read_text(encoding="utf-8") for files in nights_before for path in files)
    # Rows of the client are admitted again once there is consent, and late nights before the withdrawal bring nothing.
    treatment.send(2, {"ndtms": [client(1, ETHNIC="C"), client(2)]})
    assert query("select count(*) from source.treatment__ndtms where ethnic = 'C'") == [(0,)]
    treatment.send(4, {"ndtms": [client(1, ETHNIC="D"), client(2)]})
    assert query("select lifted_at is not null from ops.erasure") == [(True,)]
    assert query("select ethnic, _valid_from from source.treatment__ndtms where ethnic = 'D'") == [("D", night(4))]


@pytest.mark.parametrize("step", ["loader", "landed", "answers", "linkage", "end"])
def test_an_erasure_stopped_anywhere_is_finished_later(step: str, clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    police = Agency("police", tmp_path)
    police.send(1, {"nominals": [nominal(1, SURNAME="Erasable"), nominal(2)]})
    key = record_of("police", "N1")
    link(key, record_of("police", "N2"))
    stopped = Stopper(step, monkeypatch)
    with pytest.raises(Stopped):
        request("police", [{"NOMINAL_ID": "N1"}], "erasure request", ASKED, "officer")
    stopped.undo()
    assert query("select count(*) from ops.erasure where finished_at is null") == [(1,)]
    assert finish_pending() == 1 and finish_pending() == 0
    assert not [zone for zone in (*POLICE_ZONES, "linkage.person_link") if holds(zone, key) or holds(zone, "Erasable")]
    assert "Erasable" not in landed("police")
    ((removed,),) = query("select removed from ops.erasure")
    assert removed == {"source": 1, "vault": 1, "linkage": 1}
    assert query("select rows_received, rows_redacted from ops.delivery_file where table_name = 'nominals'") == [(2, 1)]


class Stopped(Exception):
    """Stands for a process killed at a chosen place."""


class Stopper:
    """Lets one step of an erasure do its work and stops right after it."""

    def __init__(self, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
        from warehouse.admit.answer import stage as answers
        from warehouse.link import forget

        places: dict[str, tuple[Any, str]] = {
            "loader": (erasure, "redact"),
            "landed": (answers, "forget"),
            "answers": (forget, "forget"),
            "linkage": (erasure, "connect"),
            "end": (redact, "_sync"),
        }
        self.monkeypatch, (module, name) = monkeypatch, places[step]
        calls = {"seen": 0}
        original = getattr(module, name)

        def stopping(*arguments: Any, **named: Any) -> Any:
            calls["seen"] += 1
            if step != "linkage" or calls["seen"] == 4:
                raise Stopped
            return original(*arguments, **named)

        monkeypatch.setattr(module, name, stopping)

    def undo(self) -> None:
        """Let everything work again."""
        self.monkeypatch.undo()


def test_rows_stay_byte_for_byte_when_others_leave_a_landed_file(tmp_path: Path) -> None:
    import numpy as np

    kept_before = 'id,text\r\n1,"a\r\nline break, and ""quotes"""\r\n\r\n'
    path = tmp_path / "file.csv"
    path.write_bytes((kept_before + '2,"leaves\r\nwith it"\r\n3,plain\r\n4\r\n5,last').encode())
    rewritten, rows = redact.rewrite(path, np.array([2, 5]))
    assert rows == 5
    assert rewritten.read_bytes().decode() == kept_before + "3,plain\r\n4\r\n"


def test_a_record_that_nobody_knows_and_wrong_columns(clean_db: Path) -> None:
    assert erasure.known("police", [{"NOMINAL_ID": "N404"}]) == 0
    with pytest.raises(ValueError, match="NOMINAL_ID") as caught:
        request("police", [{"PNC_ID": "2001/1234567A"}], "erasure request", ASKED, "officer")
    assert "2001" not in str(caught.value)


def test_a_case_goes_when_its_last_person_does(clean_db: Path, tmp_path: Path) -> None:
    housing = Agency("housing", tmp_path)
    case, person = golden_rows("housing", "cases")[0], golden_rows("housing", "people")[0]
    rows = {
        "cases": [case | {"CASE_ID": "HC1"}, case | {"CASE_ID": "HC2"}],
        "people": [person | {"CASE_ID": case_id, "PERSON_NO": place} for case_id, place in (("HC1", "1"), ("HC2", "1"), ("HC2", "2"))],
    }
    housing.send(1, rows)
    persons = [{"CASE_ID": "HC1", "PERSON_NO": "1"}, {"CASE_ID": "HC2", "PERSON_NO": "1"}]
    assert erasure.known("housing", persons) == 2
    assert len(request("housing", persons, "erasure request", ASKED, "officer")) == 3
    assert query("select count(*) from source.housing__cases") == [(1,)]
    assert query("select count(*) from source.housing__people") == [(1,)]
    assert "HC1" not in landed("housing") and "HC2" in landed("housing")
    assert json.dumps(query("select key_name, removed from ops.erasure order by 1, erasure_id")).count("case_key") == 1
