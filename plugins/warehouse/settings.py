"""Every setting of the warehouse, read once from the environment (prefix `WAREHOUSE_`) or `.env`.

Secrets that nobody supplied are generated once into `<home>/secrets.json`, readable by its owner only.
"""

from __future__ import annotations

import json
import os
import secrets as random_secrets
from functools import lru_cache
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field
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
    nightly_cron: str = Field(default="0 1 * * *", description="When the ingest DAGs run, in London time; empty: only when triggered")
    airflow_port: int | None = Field(default=None, description="Port of Airflow's API server; a free one is chosen when empty")

    @property
    def landing_dir(self) -> Path:
        return self.home / "landing"

    @property
    def inbox_dir(self) -> Path:
        return self.inbox or self.home / "inbox"

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
        if name not in known:
            known[name] = random_secrets.token_hex(32)
            self._keep_secrets(known)
        return known[name]

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

    def _keep_secrets(self, known: dict[str, str]) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        fresh = self.secrets_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
        fresh.replace(self.secrets_file)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
