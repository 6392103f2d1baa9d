"""The local page: shows pairs blind, keeps verdicts, and answers nobody who does not know its address."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from warehouse.database import DatabaseFault
from warehouse.link.review import session as session_module
from warehouse.link.review.decisions import Pair
from warehouse.link.review.page import ReviewServer
from warehouse.link.review.session import Session

Verdicts = list[tuple[UUID, str, str]]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Verdicts:
    """What was sent to the database, in order."""
    verdicts: Verdicts = []
    monkeypatch.setattr(session_module, "decide", lambda pair, verdict, steward: verdicts.append((pair, verdict, steward)))
    return verdicts


@pytest.fixture
def pairs() -> list[Pair]:
    return [Pair(uuid4(), ({"surname": f"<b>Smith{n}"},), ({"surname": "Brown"},), None) for n in range(3)]


@pytest.fixture
def server(kept: Verdicts, pairs: list[Pair]) -> Iterator[ReviewServer]:
    with ReviewServer(Session(date(2026, 11, 1), "ada", pairs)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: ReviewServer, method: str = "GET", path: str | None = None, body: str | None = None, host: str | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Host": host} if host else {})
    connection.request(method, urlsplit(server.address).path if path is None else path, body, headers)
    return connection.getresponse()


def test_it_listens_on_this_machine_alone(server: ReviewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 32


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/wrong/", "/%C3%A9/"])
def test_nobody_gets_in_without_the_token(server: ReviewServer, path: str) -> None:
    answer = ask(server, path=path)
    assert answer.status == 404
    assert b"Smith" not in answer.read()


def test_a_foreign_host_name_is_turned_away(server: ReviewServer) -> None:
    assert ask(server, host=f"evil.example:{server.server_port}").status == 404


def test_the_page_is_escaped_blind_and_not_kept(server: ReviewServer) -> None:
    answer = ask(server)
    text = answer.read().decode()
    assert answer.status == 200
    assert "Smith0" in text
    assert "<b>Smith" not in text
    for word in ("weight", "score", "bits", "stratum", "linked", "guard"):
        assert word not in text.partition("</style>")[2].lower(), f"the page says '{word}'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


def test_a_verdict_is_kept_and_the_next_pair_shown(server: ReviewServer, pairs: list[Pair], kept: Verdicts) -> None:
    answer = ask(server, "POST", body=f"pair={pairs[0].pair_id}&verdict=cannot+tell")
    assert answer.status == 303
    assert kept == [(pairs[0].pair_id, "cannot tell", "ada")]
    assert "Smith1" in ask(server).read().decode()


@pytest.mark.parametrize("body", ["", "verdict=same", "pair=zz&verdict=same", "verdict=maybe", "go=away", "pair=" + "9" * 2_000])
def test_what_is_no_answer_changes_nothing(server: ReviewServer, kept: Verdicts, body: str) -> None:
    assert ask(server, "POST", body=body).status == 400
    assert kept == []


def test_a_pair_of_another_sample_changes_nothing(server: ReviewServer, kept: Verdicts) -> None:
    assert ask(server, "POST", body=f"pair={uuid4()}&verdict=same").status == 303
    assert kept == []


def test_a_verdict_that_cannot_be_kept_is_told(server: ReviewServer, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseFault("keep a verdict")

    monkeypatch.setattr(session_module, "decide", refuse)
    answer = ask(server, "POST", body=f"pair={pairs[0].pair_id}&verdict=same")
    assert answer.status == 500
    assert b"The verdict was not kept" in answer.read()
    assert server.session.decided == 0


def test_nobody_asking_ends_it(kept: Verdicts, pairs: list[Pair]) -> None:
    with ReviewServer(Session(date(2026, 11, 1), "ada", pairs), idle_seconds=0.05) as server:
        server.serve_forever(poll_interval=0.02)


def test_the_way_through_the_pairs(kept: Verdicts, pairs: list[Pair]) -> None:
    steward = Session(date(2026, 11, 1), "ada", pairs)
    steward.skip()
    assert steward.at == 1
    steward.judge(pairs[1].pair_id, "same")
    steward.judge(pairs[2].pair_id, "different")
    assert steward.at == 0, "the one left for later"
    steward.judge(pairs[0].pair_id, "same")
    assert "Every pair has a verdict" in steward.page()[0]
    steward.back()
    assert steward.at == 2
    steward.judge(pairs[2].pair_id, "same")
    assert [verdict for _, verdict, _ in kept] == ["same", "different", "same", "same"]
    assert steward.decided == 3


def test_a_session_goes_on_where_it_was_left(pairs: list[Pair]) -> None:
    judged = [Pair(pairs[0].pair_id, pairs[0].left, pairs[0].right, "same"), *pairs[1:]]
    assert Session(date(2026, 11, 1), "ada", judged).at == 1
