"""Bell, inbox, preferences, mail log and the demo's viewer, through the whole application."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chom_core import config
from chom_core.app import create_app
from chom_core.branding import service as branding
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity import service as identity
from chom_core.identity.authentication import TOKEN
from chom_core.identity.mail import MailRequest, mails
from chom_core.identity.models import Person
from chom_core.notifications.models import MailMessage, Notification, NotificationPreference
from chom_core.notifications.service import notify
from chom_core.values.principal import Principal, Role
from chom_core.work import run_all
from tests.conftest import KEY, Database
from tests.notifications.conftest import Mailbox, make_person

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture
def app(database: Database, mailbox: Mailbox) -> Iterator[Flask]:
    before = config._current
    branding._cache.clear()
    yield create_app(
        config.Settings(
            database.app, "redis://127.0.0.1:1", (KEY,), public_url="http://localhost",
            smtp_url=f"smtp://127.0.0.1:{mailbox.port}", mail_from="CHOM <no-reply@panel.example>",
            data_folder=Path("var"), argon2_memory_kib=8,
        )
    )  # fmt: skip
    config._current = before


def client(app: Flask, person_id: UUID | None = None, tenant_id: UUID | None = None) -> FlaskClient:
    made = app.test_client()
    if person_id is not None:
        with transaction() as work:
            entered = identity.open_session(work.get_one(Person, person_id), tenant_id=tenant_id)
        with made.session_transaction() as cookie:
            cookie[TOKEN] = entered.token
    return made


def post(browser: FlaskClient, page: str, target: str, /, **fields: object) -> tuple[int, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)
    assert found is not None
    answer = browser.post(target, data={"csrf_token": found[1], **fields})
    return answer.status_code, answer.headers.get("Location", "")


def tell(tenant_id: UUID, **more: str) -> None:
    with transaction(tenant_id):
        notify("service.active", **{"title": HOSTILE, "body": HOSTILE, "link": "/services/1", **more})


def test_the_inbox_lists_filters_and_marks(app: Flask, tenants: tuple[UUID, UUID]) -> None:
    mara, pia = make_person("Mara", tenants[0]), make_person("Pia", tenants[1])
    tell(tenants[0])
    tell(tenants[1], title="pinecrest only")
    browser = client(app, mara, tenants[0])
    page = browser.get("/notifications")
    assert page.status_code == 200
    assert HOSTILE not in page.text
    assert "&lt;script&gt;" in page.text
    assert "pinecrest only" not in page.text
    assert "1 unread" in page.text
    assert "No message fits" in browser.get("/notifications?category=billing").text
    with transaction(tenants[1]) as work:
        foreign = work.scalars(select(Notification.id)).one()
    with transaction(tenants[0]) as work:
        own = work.scalars(select(Notification.id)).one()
    assert post(browser, "/notifications", f"/notifications/{foreign}/open")[0] == 404
    assert post(browser, "/notifications", f"/notifications/{own}/open") == (303, "/services/1")
    assert "No message fits" in browser.get("/notifications?unread=1").text
    assert post(browser, "/notifications", "/notifications/mark", action="unread", id=str(own))[0] == 303
    assert post(browser, "/notifications", "/notifications/mark", action="all")[0] == 303
    assert post(browser, "/notifications", "/notifications/mark", action="explode")[0] == 422
    with transaction(tenants[1]) as work:
        assert work.scalars(select(Notification)).one().read_at is None
    assert pia


def test_the_bell_counts_and_answers_nothing_while_nothing_changed(
    app: Flask, tenants: tuple[UUID, UUID]
) -> None:
    browser = client(app, make_person("Mara", tenants[0]), tenants[0])
    assert browser.get("/notifications/bell?n=0").status_code == 204
    tell(tenants[0])
    bell = browser.get("/notifications/bell?n=0")
    assert "1 unread notification" in bell.text
    assert 'hx-get="/notifications/bell?n=1"' in bell.text
    assert "&lt;script&gt;" in browser.get("/notifications/bell/list").text
    assert client(app).get("/notifications/bell", headers={"HX-Request": "true"}).status_code == 401


def test_preferences_are_a_grid_that_saves(app: Flask, tenants: tuple[UUID, UUID]) -> None:
    mara = make_person("Mara", tenants[0])
    browser = client(app, mara, tenants[0])
    page = browser.get("/me/notifications").text
    assert "A payment failed" in page
    shown = re.findall(r'name="shown" value="([^"]+)"', page)
    assert "payment.failed/mail" not in shown
    assert "service.active/mail" in shown
    code, _ = post(
        browser, "/me/notifications", "/me/notifications", shown=shown, on=["service.active/inbox"]
    )
    assert code == 303
    with transaction() as work:
        saved = {(row.type, row.channel): row.on for row in work.scalars(select(NotificationPreference))}
    assert saved["service.active", "mail"] is False
    assert ("payment.failed", "mail") not in saved
    assert post(browser, "/me/notifications", "/me/notifications", shown="x/y", on="x/y")[0] == 422


def test_the_mail_log_is_for_staff_and_hides_links_from_support(
    app: Flask, tenants: tuple[UUID, UUID]
) -> None:
    mara = make_person("Mara", tenants[0])
    dana, piotr = make_person("Dana", PLATFORM_ID, "owner"), make_person("Piotr", PLATFORM_ID, "member")
    with transaction():
        context = {
            "name": HOSTILE,
            "link": "http://localhost/reset/s3cret",
            "expires_at": "2026-11-22T14:05:00+00:00",
        }
        mails(MailRequest("reset", "mara@x.example", context=context))
        mail_id = branding.session().scalars(select(MailMessage.id)).one()
    assert client(app, mara, tenants[0]).get("/staff/mail").status_code == 403
    support, admin = client(app, piotr, PLATFORM_ID), client(app, dana, PLATFORM_ID)
    assert "mara@x.example" in support.get("/staff/mail").text
    assert "s3cret" not in support.get(f"/staff/mail/{mail_id}").text
    assert support.get(f"/staff/mail/{mail_id}/body").status_code == 404
    assert "s3cret" in admin.get(f"/staff/mail/{mail_id}").text
    body = admin.get(f"/staff/mail/{mail_id}/body")
    assert "s3cret" in body.text
    assert HOSTILE not in body.text
    policy = body.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert 'sandbox="allow-popups' in admin.get(f"/staff/mail/{mail_id}").text
    for path in ("/demo/mail", f"/demo/mail/{mail_id}", f"/demo/mail/{mail_id}/body"):
        assert client(app).get(path).status_code == 404


def test_the_demo_shows_every_mail_to_everybody(app: Flask, tenants: tuple[UUID, UUID]) -> None:
    config.use(replace(config.settings(), demo=True))
    with transaction():
        mails(MailRequest("account_exists", "mara@x.example",
                          context={"name": "Mara", "link": "http://localhost/login",
                                   "reset_link": "http://localhost/f"}))  # fmt: skip
        mail_id = branding.session().scalars(select(MailMessage.id)).one()
    stranger = client(app)
    assert "mara@x.example" in stranger.get("/demo/mail").text
    assert "You already have an account" in stranger.get(f"/demo/mail/{mail_id}").text
    assert stranger.get(f"/demo/mail/{mail_id}/body").status_code == 200


def test_staff_retry_a_failed_mail_and_send_a_test(app: Flask, mailbox: Mailbox) -> None:
    dana = client(app, make_person("Dana", PLATFORM_ID, "owner"), PLATFORM_ID)
    mailbox.answer = "550 no"
    code, place = post(dana, "/staff/mail", "/staff/mail/test")
    assert code == 303
    run_all(reraise=False)
    assert "550 no" in dana.get(place).text
    assert "550 no" in dana.get("/staff/mail?status=failed").text
    mailbox.answer = "250 OK"
    assert post(dana, place, f"{place}/retry")[0] == 303
    run_all()
    assert "dana@people.example" in str(mailbox.mails[0]["To"])
    assert post(dana, place, f"{place}/retry")[0] in (409, 404)


def test_the_api_lists_and_marks(app: Flask, tenants: tuple[UUID, UUID]) -> None:
    mara = make_person("Mara", tenants[0])
    tell(tenants[0])
    tell(tenants[0], title="second")
    with transaction(tenants[0], Principal("person", mara, tenants[0], Role.OWNER)):
        made = identity.create_api_key(
            "ci", role=Role.VIEWER, scopes=["notifications:read", "notifications:write"]
        )
    headers = {"Authorization": f"Bearer {made.secret}"}
    found = app.test_client().get("/api/v1/notifications?limit=1", headers=headers)
    assert found.status_code == 200, found.text
    assert [item["title"] for item in found.json["items"]] == ["second"]
    rest = app.test_client().get(f"/api/v1/notifications?after={found.json['next']}", headers=headers)
    assert [item["title"] for item in rest.json["items"]] == [HOSTILE]
    ids = [found.json["items"][0]["id"]]
    marked = app.test_client().post("/api/v1/notifications/mark", json={"ids": ids}, headers=headers)
    assert marked.json == {"changed": 1, "unread": 1}
    assert app.test_client().get("/api/v1/notifications").status_code == 401
