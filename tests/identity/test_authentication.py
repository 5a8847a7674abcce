"""Who asks: cookies count on pages, keys on the API, and each only while it is good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import create_engine, select, text
from werkzeug.test import TestResponse

from chom_core import config
from chom_core.database import PLATFORM_ID, clock, current, transaction
from chom_core.identity import service
from chom_core.identity.models import ApiKey, Person
from chom_core.rest.models import IdempotencyKey
from chom_core.values import Principal, Role
from tests.identity.conftest import PASSWORD, Browser, World


def make_key(world: World, role: str = "admin", **more: Any) -> str:
    with world.acting(Role.OWNER):
        return service.create_api_key("CI", role=role, **more).secret


def call(app: Flask, method: str, path: str, key: str, body: object = None, **headers: str) -> TestResponse:
    http = app.test_client()
    head = {"Authorization": f"Bearer {key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return http.open(f"/api/v1{path}", method=method, json=body, headers=head)


def test_a_cookie_is_nothing_to_the_api(browser: Browser, world: World) -> None:
    browser.log_in("owner@example.com")
    for method, path in (
        ("GET", "/me"),
        ("GET", "/members"),
        ("POST", "/api-keys"),
        ("PATCH", "/organisation"),
    ):
        assert browser.http.open(f"/api/v1{path}", method=method, json={}).status_code == 401


def test_bad_keys(app: Flask, world: World) -> None:
    good = make_key(world)
    http = app.test_client()
    for header in (
        f"Bearer {good}x",
        f"Bearer {good[:-1]}",
        f"Basic {good}",
        "Bearer",
        "Bearer chom_",
        "Bearer \x00",
        good,
        f"Bearer {good.upper()}",
        "Bearer chom_" + "0" * 100_000,
    ):
        answer = http.get("/api/v1/me", headers={"Authorization": header.replace("\x00", "%00")})
        assert answer.status_code == 401, header
        assert answer.mimetype == "application/problem+json"
        assert answer.json is not None
        assert answer.json["fix"]
    assert http.get("/api/v1/me", headers={"Authorization": f"bearer {good}"}).status_code == 200


def test_keys_expire(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(world, expires_at=clock.machine() + timedelta(hours=1))
    assert call(app, "GET", "/me", key).status_code == 200
    late = clock.machine() + timedelta(hours=2)
    monkeypatch.setattr(clock, "machine", lambda: late)
    assert call(app, "GET", "/me", key).status_code == 401


def test_use_is_noted_once_a_minute(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(world)
    start = clock.machine()

    def used_after(seconds: int) -> object:
        monkeypatch.setattr(clock, "machine", lambda: start + timedelta(seconds=seconds))
        call(app, "GET", "/me", key)
        with transaction() as work:
            return work.scalars(select(ApiKey.last_used_at)).one()

    assert used_after(0) == used_after(59) == start
    assert used_after(61) == start + timedelta(seconds=61)


def test_a_closed_account_is_out_at_once(browser: Browser, world: World) -> None:
    browser.log_in("viewer@example.com")
    assert browser.get("/me").status_code == 200
    with transaction() as work:
        work.get_one(Person, world.people[Role.VIEWER]).disabled_at = clock.machine()
    assert browser.get("/me").status_code == 303


def test_staff_are_the_members_of_the_root_organisation(
    app: Flask, browser: Browser, staff: Principal
) -> None:
    seen: list[Principal] = []

    def peek(response: Any) -> Any:
        if "person" in g:
            seen.append(current().principal)
        return response

    app.after_request_funcs.setdefault(None, []).append(peek)
    try:
        browser.log_in("dana@example.com")
        browser.get("/organisation")
        browser.log_in("owner@example.com")
        other = Browser(app)
        other.log_in("owner@example.com")
        other.get("/organisation")
    finally:
        app.after_request_funcs[None].remove(peek)
    assert (seen[0].staff_role, seen[0].tenant_id, seen[0].role) == ("admin", PLATFORM_ID, "admin")
    assert (seen[-1].staff_role, seen[-1].role) == (None, "owner")


def test_a_session_in_a_forged_cookie_is_nothing(app: Flask) -> None:
    for forged in ("x", "eyJ0b2tlbiI6ICJ4In0.aaaa.bbbb", "\u00e9", "a" * 4000):
        http = app.test_client()
        http.set_cookie("chom", forged)
        assert http.get("/me").status_code == 303


def test_members_over_the_api(app: Flask, world: World) -> None:
    key = make_key(world)
    listed = call(app, "GET", "/members", key)
    assert {m["role"] for m in listed.json or []} == {r.value for r in Role}
    viewer, owner = world.people[Role.VIEWER], world.people[Role.OWNER]
    assert call(app, "PATCH", f"/members/{viewer}", key, {"role": "member"}).status_code < 300
    assert world.roles()[viewer] == "member"
    refused = call(app, "PATCH", f"/members/{owner}", key, {"role": "viewer"})
    assert refused.status_code == 403
    assert call(app, "PATCH", f"/members/{viewer}", key, {"role": "owner"}).status_code == 403
    assert call(app, "PATCH", f"/members/{viewer}", key, {"role": "root"}).status_code == 422
    assert call(app, "DELETE", f"/members/{viewer}", key).status_code == 204
    assert call(app, "DELETE", f"/members/{viewer}", key).status_code == 404
    invited = call(app, "POST", "/invitations", key, {"email": "kim@example.com", "role": "viewer"})
    assert invited.status_code == 201
    assert invited.json is not None
    assert [i["email"] for i in call(app, "GET", "/invitations", key).json or []] == ["kim@example.com"]
    assert call(app, "DELETE", f"/invitations/{invited.json['id']}", key).status_code == 204
    extra = {"email": "a@example.com", "role": "viewer", "tenant_id": str(PLATFORM_ID), "state": "accepted"}
    assert call(app, "POST", "/invitations", key, extra).status_code == 422


def test_a_repeated_request_for_a_key_stores_no_secret(app: Flask, world: World) -> None:
    key = make_key(world)
    body = {"name": "child", "role": "viewer", "scopes": ["audit:read"]}
    first = call(app, "POST", "/api-keys", key, body, Idempotency_Key="once")
    second = call(app, "POST", "/api-keys", key, body, Idempotency_Key="once")
    assert first.status_code == second.status_code == 201
    assert first.json is not None
    assert second.json is not None
    assert first.json["id"] == second.json["id"]
    assert second.json["secret"] is None
    with transaction(world.tenant_id) as work:
        stored = work.scalars(select(IdempotencyKey)).one()
        assert first.json["secret"].encode() not in bytes(stored.body or b"")


def test_no_secret_is_anywhere_in_the_database(app: Flask, browser: Browser, world: World) -> None:
    key = make_key(world)
    call(app, "GET", "/me", key)
    browser.log_in("owner@example.com")
    with transaction():
        made = service.log_in("owner@example.com", PASSWORD)
    owner = create_engine(config.settings().database_url.replace("chom_app", "postgres"))
    with owner.connect() as connection:
        tables = (
            connection.execute(text("select tablename from pg_tables where schemaname = 'core'"))
            .scalars()
            .all()
        )
        for table in tables:
            dump = connection.execute(
                text(f"select coalesce(string_agg(t::text, chr(10)), '') from core.\"{table}\" t")
            )
            found = dump.scalar_one()
            for secret in (key, made.token, PASSWORD):
                assert secret not in found, table
    owner.dispose()


def test_scopes_and_roles_limit_a_key(app: Flask, world: World) -> None:
    reader = make_key(world, "viewer", scopes=["organisation:read"])
    assert call(app, "GET", "/organisation", reader).status_code == 200
    assert call(app, "GET", "/members", reader).status_code == 403
    assert call(app, "PATCH", "/organisation", reader, {"name": "x"}).status_code == 403
    auditor = make_key(world, "admin", scopes=["audit:read"])
    assert call(app, "GET", "/organisation", auditor).status_code == 403
    listed = call(app, "GET", "/audit?limit=2&action=member", auditor)
    assert listed.json is not None
    assert [e["action"] for e in listed.json["items"]] == ["member.joined"] * 2
    rest = call(app, "GET", f"/audit?limit=2&action=member&after={listed.json['next']}", auditor)
    assert rest.status_code == 200
    assert rest.json is not None
    assert len(rest.json["items"]) == 2
    assert call(app, "GET", "/audit?since=yesterday", auditor).status_code == 422


def test_keys_see_their_own_organisation_only(app: Flask, world: World) -> None:
    with transaction():
        other = service.create_organisation("Pinecrest", owner=world.people[Role.MEMBER]).id
    with transaction(other, Principal("person", world.people[Role.MEMBER], other, Role.OWNER)):
        foreign = service.create_api_key("x", role="admin").secret
    with world.acting(Role.OWNER):
        invitation = service.invite("kim@example.com", "viewer").id
    mine = call(app, "GET", "/api-keys", make_key(world)).json
    assert mine
    assert call(app, "DELETE", f"/api-keys/{mine[0]['id']}", foreign).status_code == 404
    assert call(app, "DELETE", f"/invitations/{invitation}", foreign).status_code == 404
    assert call(app, "DELETE", f"/members/{world.people[Role.ADMIN]}", foreign).status_code == 404
    text_of_all = "".join(
        call(app, "GET", path, foreign).text
        for path in ("/me", "/members", "/invitations", "/api-keys", "/audit")
    )
    assert "Northlight" not in text_of_all
    assert "kim@" not in text_of_all
