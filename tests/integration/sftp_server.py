"""A real SFTP server for tests: asyncssh's, in a thread of its own, with a key for the host and one for the agency."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh


class Files(asyncssh.SFTPServer):
    """Serves a folder; drops the connection when it has sent as many bytes as it may."""

    may_send: int | None = None

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        super().__init__(channel, chroot=Server.root)

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        data = super().read(file_obj, offset, size)
        if Files.may_send is not None:
            Files.may_send -= len(data)
            if Files.may_send < 0:
                self._channel.get_connection().abort()
        return data


class Server:
    """A running server: its port, its keys, and how often someone tried to log in."""

    root: bytes

    def __init__(self, folder: Path) -> None:
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.logins: list[str] = []
        self.port = 0
        Server.root = str(folder).encode()
        Files.may_send = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._acceptor: Any = None

    def start(self) -> None:
        self._thread.start()
        self._acceptor = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        self.port = self._acceptor.get_port()

    def stop(self) -> None:
        async def close() -> None:
            self._acceptor.close()
            await self._acceptor.wait_closed()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _listen(self) -> Any:
        logins = self.logins

        class Login(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                logins.append(username)
                return True

        allowed = asyncssh.import_authorized_keys(self.client_key.export_public_key().decode())
        return await asyncssh.listen("127.0.0.1", 0, server_host_keys=[self.host_key], authorized_client_keys=allowed, sftp_factory=Files, server_factory=Login)

    def connection(self, **extra: object) -> str:
        """The Airflow connection to the server, as AIRFLOW_CONN_... holds it; `extra` replaces what it says."""
        known = {
            "private_key": self.client_key.export_private_key().decode(),
            "host_key": " ".join(self.host_key.export_public_key().decode().split()[:2]),
            "look_for_keys": "false",
            "conn_timeout": "5",
        }
        parts = {name: value for name, value in (known | extra).items() if value is not None}
        return json.dumps({"conn_type": "sftp", "host": "127.0.0.1", "port": self.port, "login": "police", "extra": parts})


@contextmanager
def sftp_server(folder: Path) -> Iterator[Server]:
    """A server of a folder while the code inside works."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
