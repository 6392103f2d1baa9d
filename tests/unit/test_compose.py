"""The compose file, the SFTP image and the maker of `.env`: checked as files, since no Docker runs here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse.contracts.load import feeds
from warehouse.database import ROLES
from warehouse.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOW = {"airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}
# ${NAME}, ${NAME:-default} and ${NAME:?message}
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?:(:[-?])([^}]*))?\}")
# A file's path is not the secret in it.
SECRET = re.compile(r"PASSWORD|KEY(?!_FILE)|SECRET")
# Secrets that an installation may do without.
OPTIONAL_SECRETS = {"WAREHOUSE_PGP_PASSPHRASE", "WAREHOUSE_ALERT_WEBHOOK"}


def _example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_services_are_there() -> None:
    assert set(SERVICES) == AIRFLOW | {"airflow-init", "metadata-db", "warehouse-db", "sftp"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"airflow-init"}))
def test_a_service_is_watched_bounded_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert {"test", "interval", "timeout", "retries"} <= set(service["healthcheck"])
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["restart"] == "unless-stopped"


def test_services_start_in_order() -> None:
    assert SERVICES["airflow-init"]["depends_on"] == {db: {"condition": "service_healthy"} for db in ("metadata-db", "warehouse-db")}
    for name in AIRFLOW:
        assert SERVICES[name]["depends_on"] == {"airflow-init": {"condition": "service_completed_successfully"}}


def test_tasks_run_on_the_schedulers_machine_and_find_the_api() -> None:
    environment = SERVICES["airflow-scheduler"]["environment"]
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-apiserver:8080/execution/"


def test_no_secret_is_written_down_and_none_may_be_missing() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                assert VARIABLE.fullmatch(str(value)), f"{name} holds a value of its own"
    required = {name for name, mark, _ in VARIABLE.findall(TEXT) if mark == ":?"}
    secrets = {name for name, _, _ in VARIABLE.findall(TEXT) if SECRET.search(name)}
    assert secrets <= required
    assert not [name for name, mark, default in VARIABLE.findall(TEXT) if mark == ":-" and SECRET.search(name)]


def test_optional_secrets_are_empty_until_someone_sets_them() -> None:
    defaults = {name: (mark, default) for name, mark, default in VARIABLE.findall(TEXT) if name in OPTIONAL_SECRETS}
    assert defaults == dict.fromkeys(OPTIONAL_SECRETS, (":-", ""))
    assert all(_example()[name] == '""' for name in OPTIONAL_SECRETS)


def test_settings_read_what_compose_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose passes an empty text for what nobody set."""
    environment = SERVICES["airflow-scheduler"]["environment"]
    for name, value in environment.items():
        if name.startswith("WAREHOUSE_"):
            monkeypatch.setenv(name, VARIABLE.sub(lambda found: found[3] if found[2] == ":-" else "x", str(value)))
    read = Settings()
    assert (read.cut_off, read.collected_feeds, read.alert_email, read.alert_webhook, read.pgp_passphrase) == ("06:00", [], "", None, None)


def test_addresses_hold_no_password() -> None:
    for user, password in re.findall(r"://(\w+):([^@\s]+)@", TEXT):
        assert VARIABLE.match(password), f"the address of {user} holds a password"


def test_env_example_names_every_variable_and_no_other() -> None:
    assert set(_example()) == {name for name, _, _ in VARIABLE.findall(TEXT)}
    assert all(not value for name, value in _example().items() if SECRET.search(name))


def test_every_role_and_feed_has_its_secret() -> None:
    environment = SERVICES["airflow-scheduler"]["environment"]
    assert {f"WAREHOUSE_PASSWORD_{role.upper()}" for role in ROLES} <= set(environment)
    known = feeds(ROOT / "expectations")
    assert {f"WAREHOUSE_FEED_KEY_{feed.upper()}" for feed in known} <= set(environment)
    assert sorted(SERVICES["sftp"]["environment"]["FEEDS"].split()) == known
    assert {key.removesuffix(".pub") for key in re.findall(r"`(\w+\.pub)`", (ROOT / "docker/sftp/keys/README.md").read_text(encoding="utf-8"))} == set(known)


def test_mounted_paths_exist_and_volumes_are_declared() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount


def test_code_is_mounted_read_only_where_the_settings_look_for_it() -> None:
    mounts = {mount.split(":")[1]: mount for mount in SERVICES["airflow-scheduler"]["volumes"]}
    for folder in ("dags", "plugins", "expectations", "dbt_project", "docs/runbooks"):
        assert mounts[f"/opt/warehouse/{folder}"] == f"./{folder}:/opt/warehouse/{folder}:ro"
    assert mounts["/srv/inbox"].endswith(":ro"), "stages must not be able to change what an agency sent"
    environment = SERVICES["airflow-scheduler"]["environment"]
    assert environment["WAREHOUSE_PGP_KEY_FILE"].startswith("/etc/warehouse/pgp/") and mounts["/etc/warehouse/pgp"].endswith(":ro")


def test_ports_are_open_on_this_machine_only() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith(("127.0.0.1:", "${SFTP_BIND:-127.0.0.1}:")), port


def test_the_database_log_repeats_no_values() -> None:
    settings = [word for word in SERVICES["warehouse-db"]["command"] if "=" in word]
    assert {"log_error_verbosity=terse", "log_min_error_statement=panic", "log_statement=none"} <= set(settings)


def test_images_build_from_files_that_are_here() -> None:
    for service in SERVICES.values():
        if "build" in service:
            context = ROOT / service["build"]["context"]
            dockerfile = (context / service["build"].get("dockerfile", "Dockerfile")).read_text(encoding="utf-8")
            copied = re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE)
            assert copied
            assert all((context / name).exists() for name in copied), copied


def test_the_sftp_drop_takes_keys_only() -> None:
    lines = (ROOT / "docker/sftp/sshd_config").read_text(encoding="utf-8").splitlines()
    assert {"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin no", "ChrootDirectory /srv/inbox"} <= set(lines)


def test_new_env_fills_every_secret_once(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())
    command = [str(ROOT / "docker/new-env"), str(tmp_path)]
    first = subprocess.run(command, capture_output=True, text=True, check=True)
    env = tmp_path / ".env"
    made = dict(line.split("=", 1) for line in env.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    assert set(made) == set(_example())
    assert all(made.values())
    secrets = [value for name, value in made.items() if SECRET.search(name)]
    assert len(set(secrets)) == len(secrets)
    assert not any(value in first.stdout for value in secrets)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for name, value in made.items() if "FEED_KEY" in name)
    assert re.fullmatch(r"[\w-]{43}=", made["AIRFLOW_FERNET_KEY"])
    assert env.stat().st_mode & 0o077 == 0
    before = env.read_bytes()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    assert env.read_bytes() == before
