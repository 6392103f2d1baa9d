"""The local web page of the clerical review: one steward, one machine, one random address, nothing kept by the browser.

Bound to 127.0.0.1 and served under a random token, so that no other account of the machine finds it by its port alone. The `Host`
header is checked, because a hostile page could point a name of its own at 127.0.0.1; forms from other pages do not know the token.
"""

from __future__ import annotations

import secrets
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs
from uuid import UUID

from warehouse.database import DatabaseFault
from warehouse.link.errors import LinkageFault
from warehouse.link.review.session import Session, verdict_of

ADDRESS = "127.0.0.1"
LARGEST_FORM = 1_000
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class ReviewServer(HTTPServer):
    """Serves one review session until it is shut down, or nobody has asked for anything for `idle_seconds`."""

    def __init__(self, session: Session, port: int = 0, idle_seconds: float = 1800) -> None:
        super().__init__((ADDRESS, port), Handler)
        self.session, self.idle_seconds = session, idle_seconds
        self.token = secrets.token_urlsafe(24)
        self.last_asked = time.monotonic()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def service_actions(self) -> None:
        """Called between requests: ends the session that its steward has left open."""
        if time.monotonic() - self.last_asked > self.idle_seconds:
            # From another thread: `shutdown` waits for the loop that calls this.
            threading.Thread(target=self.shutdown, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Answers requests for the one page. Anything else, and anyone who does not know the token, gets 404."""

    server: ReviewServer
    # Neither Python's version nor ours is anyone's business.
    server_version, sys_version = "review", ""
    # A caller that connects and says nothing does not hold the page up.
    timeout = 10

    def do_GET(self) -> None:
        """Show the pair at hand."""
        if self._is_for_us():
            text, nonce = self.server.session.page()
            self._answer(HTTPStatus.OK, text, f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'")

    def do_POST(self) -> None:
        """Keep a verdict or turn the page, then send the browser back to the page: reloading it repeats nothing."""
        if not self._is_for_us():
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_FORM:
            self._answer(HTTPStatus.BAD_REQUEST, "That is no answer of this page")
            return
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(int(length)).decode("ascii", "replace")).items()}
        try:
            self._act(form)
        except (DatabaseFault, LinkageFault) as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, f"The verdict was not kept. {error}")
        except ValueError:
            self._answer(HTTPStatus.BAD_REQUEST, "That is no answer of this page")
        else:
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", f"/{self.server.token}/")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _act(self, form: dict[str, str]) -> None:
        verdict = verdict_of(form.get("verdict", ""))
        if verdict:
            self.server.session.judge(UUID(form.get("pair", "")), verdict)
        elif form.get("go") == "back":
            self.server.session.back()
        elif form.get("go") == "skip":
            self.server.session.skip()
        else:
            raise ValueError("neither a verdict nor a move")

    def _is_for_us(self) -> bool:
        expected = f"{ADDRESS}:{self.server.server_port}"
        if self.headers.get("Host") != expected or not secrets.compare_digest(self.path.encode(), f"/{self.server.token}/".encode()):
            self._answer(HTTPStatus.NOT_FOUND, "There is nothing here")
            return False
        self.server.last_asked = time.monotonic()
        return True

    def _answer(self, status: HTTPStatus, text: str, policy: str = "default-src 'none'") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"text/{'html' if status == HTTPStatus.OK else 'plain'}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged: the address holds the token."""
