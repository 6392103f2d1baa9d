"""Every setting of the warehouse, read once from the environment (prefix `WAREHOUSE_`) or `.env`.

Secrets that nobody supplied are generated once into `<home>/secrets.json`, readable by its owner only.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets as random_secrets
from datetime import time
from functools import lru_cache
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """Where things are and which database to use.

    `home` holds everything a run makes: the embedded server, landed files, work files, Airflow's home, reports.
    `url` names an existing Postgres (an administrator's address); without it an embedded server is used.
    """

    model_config = SettingsConfigDict(env_prefix="WAREHOUSE_", env_file=PROJECT_ROOT / ".env", extra="ignore")

    project_root: Path = PROJECT_ROOT
    home: Path = PROJECT_ROOT / ".warehouse"
    url: str | None = None
    inbox: Path | None = Field(default=None, description="Folder the nightly ingest reads: one sub-folder per feed")
    threads: int = Field(default=2, ge=1, description="Worker threads of DuckDB and dbt")
    memory_limit: str = Field(default="3GB", description="Memory limit of DuckDB during linkage")
    linkage_pairs_at_a_time: int = Field(default=20_000_000, ge=1, description="Candidate pairs that linkage holds at a time; 20 million take some 4 GB")
    linkage_workers: int = Field(default=1, ge=1, description="Workers that share the candidate pairs of a full night that has more than are held at a time")
    linkage_backend: Literal["duckdb", "spark"] = Field(default="duckdb", description="Engine that scores candidate pairs of a full night")
    spark_master: str = Field(default="", description="Address of the Spark cluster; empty: Spark runs in the task itself")
    linkage_truth: Path | None = Field(default=None, description="For tests and evaluation alone: the file of the truth to link by instead of by the models")
    nightly_cron: str = Field(default="0 1 * * *", description="When the ingest DAGs run, in London time; empty: only when triggered")
    cut_off: str = Field(default="", description="London time until which a night waits for deliveries that are due, such as 06:00; empty: it does not wait")
    poll_seconds: int = Field(default=120, ge=1, description="How often a waiting ingest looks for deliveries")
    settle_seconds: int | None = Field(default=None, ge=0, description="Overrides the contracts' settle_seconds: how long files must lie unchanged")
    sftp_feeds: str = Field(default="", description="Feeds collected from the agencies' SFTP servers, separated by commas; their connections are sftp_<feed>")
    pgp_key_file: Path | None = Field(default=None, description="The private key that agencies encrypt to")
    pgp_passphrase: SecretStr | None = Field(default=None, description="Passphrase of the private key, where it has one")
    pgp_senders: Path | None = Field(default=None, description="Folder with <feed>.asc, the certificates that agencies must sign with")
    alert_webhook: SecretStr | None = Field(default=None, description="Address that alerts are posted to as JSON")
    alert_email: str = Field(default="", description="Addresses that alerts are mailed to, separated by commas, by Airflow's SMTP connection")
    runbook_url: str = Field(default="docs/runbooks", description="Where the runbooks are found from an alert")
    airflow_port: int | None = Field(default=None, description="Port of Airflow's API server; a free one is chosen when empty")

    @field_validator(
        "inbox", "settle_seconds", "linkage_truth", "pgp_key_file", "pgp_passphrase", "pgp_senders", "alert_webhook", "airflow_port", mode="before"
    )
    @classmethod
    def _empty_is_not_set(cls, value: object) -> object:
        """An empty variable, as compose files pass for what nobody set, means that it is not set."""
        return None if value == "" else value

    @field_validator("cut_off")
    @classmethod
    def _cut_off_is_a_time(cls, value: str) -> str:
        if value:
            time.fromisoformat(value)
        return value

    @property
    def collected_feeds(self) -> list[str]:
        """The feeds that are collected by SFTP."""
        return [feed.strip() for feed in self.sftp_feeds.split(",") if feed.strip()]

    @property
    def landing_dir(self) -> Path:
        return self.home / "landing"

    @property
    def inbox_dir(self) -> Path:
        return self.inbox or self.home / "inbox"

    @property
    def spool_dir(self) -> Path:
        """Where files collected by SFTP wait, laid out as an inbox."""
        return self.home / "spool"

    @property
    def work_dir(self) -> Path:
        return self.home / "work"

    @property
    def reports_dir(self) -> Path:
        return self.home / "reports"

    @property
    def expectations_dir(self) -> Path:
        return self.project_root / "expectations"

    @property
    def dbt_project_dir(self) -> Path:
        return self.project_root / "dbt_project"

    @property
    def secrets_file(self) -> Path:
        return self.home / "secrets.json"

    def secret(self, name: str) -> str:
        """The secret called `name`: from `WAREHOUSE_<NAME>` or `.env`, else the secrets file, else made now and kept there."""
        supplied = os.environ.get(f"WAREHOUSE_{name.upper()}") or dotenv_values(PROJECT_ROOT / ".env").get(f"WAREHOUSE_{name.upper()}")
        if supplied:
            return supplied
        known = self._known_secrets()
        return known[name] if name in known else self._make_secret(name)

    def feed_key(self, feed: str) -> bytes:
        """The 32-byte key that turns the ids of one feed into record keys.

        Raises:
            ValueError: the key supplied for the feed is not 32 bytes written as hexadecimal.
        """
        try:
            key = bytes.fromhex(self.secret(f"feed_key_{feed}"))
        except ValueError:
            key = b""
        if len(key) != 32:
            raise ValueError(f"WAREHOUSE_FEED_KEY_{feed.upper()} must be 32 bytes written as 64 hexadecimal characters") from None
        return key

    def _known_secrets(self) -> dict[str, str]:
        if not self.secrets_file.exists():
            return {}
        known: dict[str, str] = json.loads(self.secrets_file.read_text(encoding="utf-8"))
        return known

    def _make_secret(self, name: str) -> str:
        """Make the secret unless another process just has. One at a time: two that write the file at once would lose each other's secrets."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self.secrets_file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self._known_secrets()
            if name not in known:
                known[name] = random_secrets.token_hex(32)
                self._keep_secrets(known)
            return known[name]

    def _keep_secrets(self, known: dict[str, str]) -> None:
        fresh = self.secrets_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
        fresh.replace(self.secrets_file)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
