"""The doctor: a healthy house passes, each planted illness is named with its cure."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from sqlalchemy import create_engine

from chom_core import config
from chom_core.cli import main
from chom_core.console import health
from chom_core.console.doctor import Finding, examine, machine
from chom_core.database import transaction
from chom_core.database.tenants import Tenant
from chom_core.schema import core_history
from tests.conftest import KEY, Database
from tests.console.conftest import Desk


def findings(**changes: Any) -> dict[str, Finding]:
    """The worst finding of each name."""
    settings = replace(config.settings(), **changes)
    config.use(settings)
    health.use(core_history)
    rank = {"ok": 0, "warn": 1, "fail": 2}
    worst: dict[str, Finding] = {}
    for found in examine(settings, lambda: None):
        if found.name not in worst or rank[found.level] > rank[worst[found.name].level]:
            worst[found.name] = found
    return worst


def test_a_healthy_house(desk: Desk) -> None:
    found = findings()
    for name in ("Postgres", "Clocks", "Database role", "Migrations", "Keys", "Time zones", "Ledger", "Danglers",
                 "Drift", "Work", "Stored secrets", "Plugin glow", "Address"):  # fmt: skip
        assert found[name].level == "ok", found[name]
    assert "its lamp is missing" in found["Plugin dim"].said
    assert found["Redis"].level == "fail" and found["Mail"].level == "fail"  # nobody listens there
    assert all(one.fix for one in found.values() if one.level == "fail")


def test_known_bad_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        major, minor, micro = 3, 11, 7

    monkeypatch.setattr(sys, "version_info", Old)
    (found,) = machine.python_version()
    assert found.level == "warn" and "CVE-2025-4517" in found.said and "3.11.13" in found.fix
    assert "CVE-2026-18408" in machine.postgres_fault(150018)
    assert "CVE-2026-18408" not in machine.postgres_fault(150019)
    assert machine.postgres_fault(150020) == "" == machine.postgres_fault(180001)
    assert "older than 15" in machine.postgres_fault(140022)


def test_the_wrong_role_and_a_schema_left_behind(desk: Desk, database: Database) -> None:
    assert "goes around row security" in findings(database_url=database.root)["Database role"].said
    config.use(replace(config.settings(), database_url=database.app))
    owner = create_engine(database.owner)
    with owner.begin() as connection:
        connection.exec_driver_sql("update core.alembic_version set version_num = 'long_ago'")
    owner.dispose()
    found = findings()
    assert found["Migrations"].level == "fail" and "chom migrate" in found["Migrations"].fix


def test_a_database_that_is_away_is_told_without_its_password(desk: Desk) -> None:
    found = findings(database_url="postgresql+psycopg://chom_app:canary-pw@127.0.0.1:9/chom")
    assert found["Postgres"].level == "fail"
    assert "canary-pw" not in str(found)


def test_bad_keys_stop_the_rest(desk: Desk) -> None:
    found = findings(secret_keys=("not a key",))
    assert found["Keys"].level == "fail" and "Ledger" not in found


def test_a_lost_key_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from chom_core.database import encrypted
    from chom_core.plugin_host import settings

    with transaction(desk.north):
        settings.write("glow", {"colour": "amber", "api_word": "x"})
    encrypted.configure([Fernet.generate_key().decode()])
    try:
        assert findings()["Stored secrets"].level == "fail"
    finally:
        encrypted.configure([KEY])
    assert findings()["Stored secrets"].level == "ok"


def test_books_that_do_not_agree_are_found(desk: Desk, database: Database) -> None:
    owner = create_engine(database.owner)
    with owner.begin() as connection:
        connection.exec_driver_sql(
            "insert into core.ledger_transaction"
            " (id, created_at, tenant_id, key, kind, description, source, effective_at)"
            " select gen_random_uuid(), now(), id, 'planted', 'x', '', '', now() from core.tenant limit 1"
        )
    owner.dispose()
    assert "planted" in findings()["Ledger"].said


def test_the_command(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("DATABASE_URL", database.app),
        ("REDIS_URL", "redis://127.0.0.1:9"),
        ("SECRET_KEYS", KEY),
    ):
        monkeypatch.setenv(f"CHOM_{name}", value)
    monkeypatch.setenv("CHOM_SMTP_URL", "smtp://127.0.0.1:9")
    with transaction() as work:
        assert work.query(Tenant).count() == 1
    monkeypatch.setattr("logging.disable", lambda level: None)
    answer = CliRunner().invoke(main, ["doctor", "--json"])
    report = json.loads(answer.stdout)
    assert (answer.exit_code, report["status"]) == (1, "fail")
    assert {one["name"] for one in report["findings"]} >= {
        "Python",
        "Postgres",
        "Migrations",
        "Ledger",
        "Mail",
    }
    lines = CliRunner().invoke(main, ["doctor"]).stdout.splitlines()
    assert any(line.startswith("fail  Mail") for line in lines)
