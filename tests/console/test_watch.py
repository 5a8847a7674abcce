"""Health, readiness and metrics, with the database there and gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import create_engine

from chom_core import config
from chom_core.database import engine
from chom_core.plugin_host import hooks
from chom_core.values.ui import PageSlot
from chom_core.work import wake
from tests.conftest import Database
from tests.console.conftest import TOKEN, Desk


def test_health_asks_no_database(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> None:
        raise AssertionError("somebody asked the database")

    monkeypatch.setattr(engine, "engine", nobody)
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


def test_ready_and_degraded_without_redis(app: Flask) -> None:
    client = app.test_client()
    found = client.get("/readyz")
    body = found.get_json()
    assert found.status_code == 200
    assert body["checks"] == {"database": "ok", "role": "ok", "migrations": "ok", "redis": "not configured"}
    assert body["status"] == "degraded"
    assert body["plugins"]["skipped"] >= 1
    wake.configure("redis://127.0.0.1:9/0")
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 200 and "not reachable" in answer.get_json()["checks"]["redis"]
    finally:
        wake.configure(None)


def test_not_ready_with_the_wrong_role_or_schema_or_no_database(app: Flask, database: Database) -> None:
    client, usual = app.test_client(), config.settings()
    config.use(replace(usual, database_url=database.root))
    refused = client.get("/readyz")
    assert refused.status_code == 503 and "goes around row security" in refused.get_json()["checks"]["role"]
    config.use(replace(usual, database_url=database.app.replace(database.name, "nowhere")))
    away = client.get("/readyz").get_json()
    assert away["status"] == "failed" and away["checks"]["database"].startswith("not reachable")
    config.use(usual)
    owner = create_engine(database.owner)
    with owner.begin() as connection:
        connection.exec_driver_sql("update core.alembic_version set version_num = 'long_ago'")
    owner.dispose()
    behind = client.get("/readyz")
    assert behind.status_code == 503 and "chom migrate" in behind.get_json()["checks"]["migrations"]


def test_metrics_are_for_staff_and_the_scraper(desk: Desk) -> None:
    client = desk.app.test_client()
    assert client.get("/metrics").status_code in (303, 401)
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code in (303, 401)
    assert desk.browser("mara").get("/metrics").status_code == 403
    assert desk.browser("piotr").get("/metrics").status_code == 200
    hooks.slot_home(PageSlot(desk.north))
    found = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    text = found.get_data(as_text=True)
    assert found.status_code == 200 and found.content_type.startswith("text/plain")
    for series in (
        'chom_requests_total{method="GET",route="/metrics",status="403"}',
        "chom_database_up 1.0",
        'chom_hook_calls_total{hook="slot_home",plugin="glow"',
        "chom_plugins_skipped",
        "chom_request_seconds_bucket",
    ):
        assert series in text, series


def test_an_empty_token_opens_nothing(desk: Desk) -> None:
    config.use(replace(config.settings(), metrics_token=""))
    for given in ("Bearer ", "Bearer", "Bearer x"):
        assert desk.app.test_client().get("/metrics", headers={"Authorization": given}).status_code != 200
