"""Airflow on one machine: its environment, its services, and its API.

The services (scheduler with LocalExecutor, DAG processor, API server) are started as processes of our own rather than by
`airflow standalone`, whose children outlive it.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from warehouse.database import server
from warehouse.settings import settings

SERVICES = ("api-server", "dag-processor", "scheduler")
# Waits for files on agencies' SFTP servers, so it is needed only where feeds are collected from them.
WAITING_SERVICE = "triggerer"
START_LIMIT_SECONDS = 180.0
USER = "admin"


class AirflowError(Exception):
    """Airflow could not be started, or did not do what was asked of it."""


def home() -> Path:
    """AIRFLOW_HOME of this warehouse."""
    return settings().home / "airflow"


def log_dir() -> Path:
    """Where the services write what they print; tasks' own logs lie in `<home>/logs`."""
    return home() / "services"


def password_file() -> Path:
    """The file with the password of Airflow's one login, readable by its owner only."""
    return home() / "simple_auth_manager_passwords.json"


def _port() -> int:
    """The API server's port, chosen once per warehouse home."""
    if settings().airflow_port:
        return int(settings().airflow_port or 0)
    kept = home() / "port"
    if not kept.exists():
        home().mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            kept.write_text(str(probe.getsockname()[1]), encoding="utf-8")
    return int(kept.read_text(encoding="utf-8"))


def url() -> str:
    """The address of Airflow's user interface and API."""
    return f"http://127.0.0.1:{_port()}"


def environment() -> dict[str, str]:
    """The environment Airflow's processes run in: everything they need, nothing from an Airflow the caller may also have."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    root = settings().project_root
    metadata = f"sqlite:///{home() / 'airflow.db'}" if settings().url else server.airflow_url().replace("postgresql://", "postgresql+psycopg2://")
    return inherited | {
        "AIRFLOW_HOME": str(home()),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file()),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url()}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(_port()),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": settings().secret("airflow_api_secret"),
        "AIRFLOW__API_AUTH__JWT_SECRET": settings().secret("airflow_jwt_secret"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root / "plugins"), os.environ.get("PYTHONPATH", "")])),
        "WAREHOUSE_HOME": str(settings().home),
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        "SCARF_NO_ANALYTICS": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _airflow(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _service(name: str) -> list[str]:
    """The command of a service. Tasks are forked from the scheduler, so it imports beforehand what they need."""
    return [sys.executable, "-m", "warehouse.orchestrate.preload", name] if name == "scheduler" else _airflow(name)


def migrate() -> None:
    """Create or bring up to date Airflow's metadata database and its one login. Idempotent.

    Raises:
        AirflowError: the migration failed; its output is in the services folder.
    """
    log_dir().mkdir(parents=True, exist_ok=True)
    if not password_file().exists():
        password_file().touch(mode=0o600)
        password_file().write_text(json.dumps({USER: secrets.token_urlsafe(16)}), encoding="utf-8")
    output = log_dir() / "migrate.log"
    with output.open("w") as sink:
        done = subprocess.run(_airflow("db", "migrate"), env=environment(), stdout=sink, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise AirflowError(f"airflow db migrate failed with exit code {done.returncode}; see {output}")


@contextmanager
def services(inbox: Path | None = None) -> Iterator[Api]:
    """Run Airflow's services while the code inside works, and stop them after, whatever happens.

    Args:
        inbox: the folder the ingest DAGs read for this one night; nothing then starts by the clock, is collected by SFTP, or is
            waited for longer than files change. Without it the configured inbox, schedule, cut-off and SFTP servers hold.

    Raises:
        AirflowError: a service ended early or did not answer within three minutes.
    """
    by_hand = {"WAREHOUSE_INBOX": str(inbox), "WAREHOUSE_NIGHTLY_CRON": "", "WAREHOUSE_CUT_OFF": "", "WAREHOUSE_SFTP_FEEDS": "", "WAREHOUSE_POLL_SECONDS": "5"}
    variables = environment() | (by_hand if inbox else {})
    names = [*SERVICES, *([WAITING_SERVICE] if settings().collected_feeds and not inbox else [])]
    running: list[subprocess.Popen[bytes]] = []
    end_leftovers()
    try:
        for name in names:
            with (log_dir() / f"{name}.log").open("ab") as sink:
                running.append(
                    subprocess.Popen(_service(name), env=variables, stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
                )
        _pid_file().write_text(json.dumps([[p.pid, psutil.Process(p.pid).create_time()] for p in running]), encoding="utf-8")
        api = Api()
        _wait_until_healthy(api, dict(zip(names, running, strict=True)))
        yield api
    finally:
        _stop(running)
        _pid_file().unlink(missing_ok=True)


def _pid_file() -> Path:
    return log_dir() / "running.json"


def end_leftovers() -> None:
    """End services that an earlier command left behind because it was killed; known by process id and start time."""
    if not _pid_file().exists():
        return
    for pid, created in json.loads(_pid_file().read_text(encoding="utf-8")):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.create_time() == created:
                leftovers = [*process.children(recursive=True), process]
                for leftover in leftovers:
                    with suppress(psutil.NoSuchProcess):
                        leftover.kill()
                psutil.wait_procs(leftovers, timeout=10)
    _pid_file().unlink()


def _wait_until_healthy(api: Api, running: dict[str, subprocess.Popen[bytes]]) -> None:
    parts = ["metadatabase", "scheduler", "dag_processor", *(["triggerer"] if WAITING_SERVICE in running else [])]
    limit = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < limit:
        for name, process in running.items():
            if process.poll() is not None:
                raise AirflowError(f"Airflow's {name} ended with exit code {process.returncode}; see {log_dir() / (name + '.log')}")
        with suppress(httpx.HTTPError, AirflowError, KeyError):
            health = api.health()
            if all(health[part]["status"] == "healthy" for part in parts):
                return
        time.sleep(0.5)
    raise AirflowError(f"Airflow did not become healthy within {START_LIMIT_SECONDS:.0f} seconds; see {log_dir()}")


def _stop(running: list[subprocess.Popen[bytes]]) -> None:
    """End each service with its whole process group: ask first, then insist, also on tasks that left the group."""
    descendants = [child for process in running for child in _descendants(process.pid)]
    for process in running:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    limit = time.monotonic() + 15
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.1, limit - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for child in descendants:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _descendants(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


class Api:
    """The few calls of Airflow's REST API that running a night needs."""

    def __init__(self) -> None:
        self._client = httpx.Client(base_url=url(), timeout=30, trust_env=False)

    def health(self) -> dict[str, Any]:
        """Health of the scheduler, the DAG processor and the metadata database."""
        answer: dict[str, Any] = self._client.get("/api/v2/monitor/health").raise_for_status().json()
        return answer

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        if "Authorization" not in self._client.headers:
            password = json.loads(password_file().read_text(encoding="utf-8"))[USER]
            answer = self._client.post("/auth/token", json={"username": USER, "password": password}).raise_for_status()
            self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        answer = self._client.request(method, f"/api/v2{path}", **arguments)
        if answer.is_error:
            raise AirflowError(f"Airflow answered {answer.status_code} to {method} {path}")
        return answer.json()

    def dags(self) -> set[str]:
        """Ids of the DAGs Airflow has parsed."""
        return {dag["dag_id"] for dag in self._call("GET", "/dags", params={"limit": 100})["dags"]}

    def import_errors(self) -> list[str]:
        """Files that failed to import."""
        return [str(error["filename"]) for error in self._call("GET", "/importErrors")["import_errors"]]

    def trigger(self, dag_id: str, partition_key: str) -> str:
        """Start a run of a DAG for a night; gives the run's id."""
        run = self._call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "partition_key": partition_key})
        return str(run["dag_run_id"])

    def runs(self, dag_id: str, partition_key: str) -> list[dict[str, Any]]:
        """Runs of a DAG for a night, newest first."""
        found = self._call("GET", f"/dags/{dag_id}/dagRuns", params={"order_by": "-id", "limit": 20})["dag_runs"]
        return [run for run in found if run["partition_key"] == partition_key]

    def fail_unfinished(self, dag_id: str) -> None:
        """Close runs that were under way when Airflow was last stopped or killed: the night is started afresh."""
        for state in ("running", "queued"):
            found = self._call("GET", f"/dags/{dag_id}/dagRuns", params={"state": state, "limit": 100})["dag_runs"]
            for run in found:
                note = {"state": "failed", "note": "Interrupted: Airflow was stopped while this run was under way"}
                self._call("PATCH", f"/dags/{dag_id}/dagRuns/{run['dag_run_id']}", json=note)

    def state(self, dag_id: str, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return str(self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Task instances of a run."""
        answer = self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 100})
        tasks: list[dict[str, Any]] = answer["task_instances"]
        return tasks
