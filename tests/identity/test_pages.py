"""The pages, as a browser without script uses them."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from sqlalchemy import event, select

from chom_core.database import engine, transaction
from chom_core.identity import service
from chom_core.identity.models import LoginSession, Person
from chom_core.values import Role
from tests.identity.conftest import PASSWORD, Browser, Mailbox, World, person

FORM = {"name": "Mara", "organisation": "Northlight", "email": "mara@example.com", "password": PASSWORD}


def test_from_sign_up_to_the_organisation(browser: Browser, mailbox: Mailbox) -> None:
    assert browser.post("/signup", FORM).headers["Location"] == "/verify"
    assert "mara@example.com" in browser.get("/verify").text
    path = str(mailbox.last("verify").context["path"])
    assert browser.get(path).status_code == 200
    assert browser.get(path).status_code == 200  # looking uses nothing up
    assert browser.post(path).headers["Location"] == "/home"
    page = browser.get("/organisation")
    assert page.status_code == 200
    assert "Northlight" in page.text
    again = Browser(browser.http.application)
    gone = again.post(path)
    assert gone.status_code == 404
    assert "Ask for a new one" in gone.text


def test_a_link_opened_elsewhere_asks_for_the_password(browser: Browser, mailbox: Mailbox) -> None:
    browser.post("/signup", FORM)
    other = Browser(browser.http.application)
    answer = other.post(str(mailbox.last("verify").context["path"]))
    assert answer.headers["Location"] == "/login"
    assert other.get("/me").status_code == 303


def test_the_answer_to_a_known_address_is_the_same_to_the_byte(browser: Browser, app: Flask) -> None:
    person("mara@example.com")
    known, unknown = Browser(app), Browser(app)
    answers = []
    for one, email in ((known, "mara@example.com"), (unknown, "dora@example.com")):
        posted = one.post("/signup", FORM | {"email": email})
        seen = one.get("/verify").text.replace(email, "EMAIL").replace(html.escape(one.csrf), "CSRF")
        headers = {k: v for k, v in posted.headers if k not in ("Set-Cookie", "X-Request-Id", "Date")}
        answers.append((posted.status_code, headers, re.sub(r'"X-CSRFToken": "[^"]+"', "", seen)))
    assert answers[0] == answers[1]


def test_forgot_answers_the_same(browser: Browser, app: Flask, mailbox: Mailbox) -> None:
    person("mara@example.com")
    texts = []
    for email in ("mara@example.com", "dora@example.com"):
        one = Browser(app)
        answer = one.post("/forgot", {"email": email})
        assert answer.status_code == 200
        texts.append(
            re.sub(r"csrf\S+|X-CSRFToken[^}]+", "", answer.text.replace(email, "EMAIL").replace(one.csrf, ""))
        )
    assert texts[0] == texts[1]
    assert [m.to for m in mailbox.sent] == ["mara@example.com"]


def test_mistakes_are_told_beside_the_fields(browser: Browser) -> None:
    answer = browser.post(
        "/signup", {"name": "Mara", "email": "nonsense", "password": "tiny9word", "organisation": ""}
    )
    assert answer.status_code == 422
    for name in ("f-email-error", "f-password-error", "f-organisation-error"):
        assert name in answer.text or "f-organisation" in answer.text
    assert 'value="Mara"' in answer.text
    assert "tiny9word" not in answer.text  # no password is ever sent back


def test_waiting_is_told_with_a_time(browser: Browser) -> None:
    for _ in range(5):
        assert browser.log_in("mara@example.com").status_code == 401
    blocked = browser.log_in("mara@example.com")
    assert blocked.status_code == 429
    assert 0 < int(blocked.headers["Retry-After"]) <= 30
    assert "Try again in" in blocked.text


def test_the_cookie_is_new_after_logging_in(browser: Browser, world: World) -> None:
    browser.get("/login")
    before, form_token = browser.cookie, browser.csrf
    assert before
    assert browser.log_in("owner@example.com").status_code == 303
    assert browser.cookie != before
    stale = browser.http.post("/me/profile", data={"csrf_token": form_token, "name": "Eve", "zone": "UTC"})
    assert stale.status_code == 403
    with transaction() as work:
        assert work.get_one(Person, world.people[Role.OWNER]).name == "Owner"


def test_switching_renews_cookie_and_form_token(browser: Browser, world: World) -> None:
    with transaction():
        other = service.create_organisation("Pinecrest", owner=world.people[Role.OWNER]).id
    browser.log_in("owner@example.com")
    browser.get("/organisation")
    before, form_token = browser.cookie, browser.csrf
    assert browser.post(f"/organisations/switch?id={other}").status_code == 303
    assert "Pinecrest" in browser.get("/organisation").text
    stale = browser.http.post(
        "/organisation", data={"csrf_token": form_token, "name": "Mixed up", "zone": "UTC"}
    )
    assert stale.status_code == 403
    thief = Browser(browser.http.application)
    thief.http.set_cookie("chom", before)
    assert thief.get("/organisation").status_code == 303  # the old token is void
    foreign = browser.post(
        "/organisations/switch?id=00000000-0000-7000-8000-000000000001", page="/organisation"
    )
    assert foreign.status_code == 404


def test_logging_out_ends_the_session_in_the_database(browser: Browser, world: World) -> None:
    browser.log_in("owner@example.com")
    kept = browser.cookie
    browser.post("/logout", page="/me")
    thief = Browser(browser.http.application)
    thief.http.set_cookie("chom", kept)
    assert thief.get("/me").status_code == 303
    with transaction() as work:
        assert work.scalars(select(LoginSession)).one().revoked_at is not None


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "javascript:x"]
)
def test_nobody_is_sent_elsewhere(browser: Browser, world: World, target: str) -> None:
    browser.get("/login")
    form = {"email": "owner@example.com", "password": PASSWORD, "next": target}
    assert browser.post("/login", form).headers["Location"] == "/home"
    assert browser.get("/login", query_string={"next": target}).headers["Location"] == "/home"


def test_mailed_links_ignore_the_host_header(browser: Browser, mailbox: Mailbox) -> None:
    person("mara@example.com")
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    for path, form in (
        ("/signup", FORM | {"email": "dora@example.com"}),
        ("/forgot", {"email": "mara@example.com"}),
    ):
        one = Browser(browser.http.application)
        one.get(path)
        one.post(path, form, headers=headers, base_url="http://localhost")
        evil = Browser(browser.http.application)
        evil.get(path, base_url="http://evil.example")
        evil.post(path, form, headers=headers, base_url="http://evil.example")
    assert len(mailbox.sent) == 4
    for mail in mailbox.sent:
        assert str(mail.context["link"]).startswith("https://chom.example/")
        assert "evil" not in str(mail.context)


def test_a_page_asks_one_query_for_who_it_is(browser: Browser, world: World) -> None:
    browser.log_in("owner@example.com")
    browser.get("/organisations/new")
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(engine.engine(), "before_cursor_execute", note)
    assert browser.get("/organisations/new").status_code == 200
    event.remove(engine.engine(), "before_cursor_execute", note)
    people = [sql for sql in asked if "core.person" in sql or "core.membership" in sql]
    assert len(people) == 1, people


def test_last_seen_moves_at_most_once_a_minute(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from chom_core.database import clock

    browser.log_in("owner@example.com")
    start = clock.machine()

    def seen_after(seconds: int) -> object:
        monkeypatch.setattr(clock, "machine", lambda: start + timedelta(seconds=seconds))
        browser.get("/me")
        with transaction() as work:
            return work.scalars(select(LoginSession.last_seen_at)).one()

    first, second, third = seen_after(1), seen_after(30), seen_after(90)
    assert first == second
    assert third == start + timedelta(seconds=90)
    monkeypatch.setattr(clock, "machine", lambda: start + timedelta(days=15))
    assert browser.get("/me").status_code == 303  # idle too long


def test_the_account_page(browser: Browser, world: World) -> None:
    browser.log_in("owner@example.com")
    other = Browser(browser.http.application)
    other.log_in("owner@example.com")
    assert browser.get("/me").text.count("/revoke") == 2  # the other session's, and «everywhere else»
    saved = browser.post(
        "/me/profile", {"name": "Mara Lind", "zone": "Europe/Berlin", "theme": "dark"}, page="/me"
    )
    assert saved.status_code == 303
    assert "Mara Lind" in browser.get("/me").text
    wrong = browser.post(
        "/me/password", {"current_password": "no", "new_password": "quite another lake"}, page="/me"
    )
    assert wrong.status_code == 422
    assert "not your current password" in wrong.text
    right = {"current_password": PASSWORD, "new_password": "quite another lake"}
    assert browser.post("/me/password", right, page="/me").status_code == 303
    assert other.get("/me").status_code == 303
    assert browser.get("/me").status_code == 200


def test_people_and_invitations(browser: Browser, world: World, mailbox: Mailbox) -> None:
    browser.log_in("owner@example.com")
    page = browser.get("/organisation/people")
    assert page.status_code == 200
    assert "viewer@example.com" in page.text
    invited = browser.post("/organisation/people", {"email": "kim@example.com", "role": "member"})
    assert invited.status_code == 303
    path = str(mailbox.last("invite").context["path"])
    kim = Browser(browser.http.application)
    offer = kim.get(path)
    assert "Northlight Studio" in offer.text
    assert kim.post(path, {"name": "Kim", "password": "short"}).status_code == 422
    assert kim.post(path, {"name": "Kim", "password": PASSWORD}).headers["Location"] == "/home"
    assert kim.get("/organisation").status_code == 200
    assert kim.get("/organisation/people").status_code == 403
    row = next(m for m in _members(world) if m.email == "kim@example.com")
    remove = f"/organisation/people/{row.person_id}/remove"
    assert browser.post(remove, {"confirm_name": "nobody"}, page=remove).headers["Location"] == remove
    assert browser.post(remove, {"confirm_name": "kim@example.com"}, page=remove).status_code == 303
    assert kim.get("/organisation").status_code in (303, 403, 404)


def _members(world: World) -> list[service.Member]:
    with world.acting(Role.OWNER):
        return service.members()


def test_an_admin_cannot_make_themselves_an_owner(browser: Browser, world: World) -> None:
    browser.log_in("admin@example.com")
    admin, owner = world.people[Role.ADMIN], world.people[Role.OWNER]
    for target, role in ((admin, "owner"), (owner, "viewer"), (admin, "root"), (admin, "")):
        answer = browser.post(
            f"/organisation/people/{target}/role", {"role": role}, page="/organisation/people"
        )
        assert answer.status_code in (403, 422)
    invite = browser.post(
        "/organisation/people", {"email": "x@example.com", "role": "owner"}, page="/organisation/people"
    )
    assert invite.status_code == 422
    assert world.roles()[admin] == "admin"


def test_extra_fields_change_nothing(browser: Browser, world: World) -> None:
    """Mass assignment: every column of the models beside the form's own fields."""
    browser.log_in("viewer@example.com")
    form = {"name": "Viewer", "zone": "UTC", "theme": ""}
    extra = {c.name: "owner" for c in Person.__table__.columns if c.name not in form} | {
        "role": "owner",
        "tenant_id": "x",
    }
    before = _row(world)
    assert browser.post("/me/profile", form | extra, page="/me").status_code == 303
    assert _row(world) == before
    assert world.roles()[world.people[Role.VIEWER]] == "viewer"


def _row(world: World) -> dict[str, object]:
    with transaction() as work:
        row = work.get_one(Person, world.people[Role.VIEWER])
        return {c.name: getattr(row, c.name) for c in Person.__table__.columns}


def test_a_key_is_shown_once(browser: Browser, world: World) -> None:
    browser.log_in("owner@example.com")
    page = "/organisation/api-keys"
    assert "audit:read" in browser.get(page).text
    made = browser.post(page, {"name": "CI", "role": "admin", "scopes": "organisation:read", "days": "30"})
    secret = re.search(r"chom_[0-9a-f]{8}_[0-9a-f]{48}", made.text)
    assert secret is not None, made.text
    assert secret[0] not in browser.get(page).text
    http = browser.http.application.test_client()
    header = {"Authorization": f"Bearer {secret[0]}"}
    me = http.get("/api/v1/me", headers=header)
    assert me.json is not None
    assert me.status_code == 200, me.json
    assert (me.json["role"], me.json["scopes"]) == ("admin", ["organisation:read"])
    key_id = me.json["id"]
    revoke = f"{page}/{key_id}/revoke"
    assert browser.post(revoke, {"confirm_name": secret[0][:13]}, page=revoke).status_code == 303
    assert http.get("/api/v1/me", headers=header).status_code == 401


def test_activity(browser: Browser, world: World) -> None:
    browser.log_in("owner@example.com")
    with world.acting(Role.OWNER):
        service.change_role(world.people[Role.VIEWER], Role.MEMBER)
        service.update_organisation(name="=cmd|' /C calc'!A0")
    page = browser.get("/organisation/activity")
    assert "role: viewer → member" in page.text
    assert "role: viewer" not in browser.get("/organisation/activity?action=organisation&q=").text
    export = browser.get("/organisation/activity?export=csv", buffered=True)
    assert export.mimetype == "text/csv"
    assert ",'=cmd" in export.text
    assert "member.role_changed" in export.text
    viewer = Browser(browser.http.application)
    viewer.log_in("billing@example.com")
    assert viewer.get("/organisation/activity").status_code == 403


def test_scripts_in_names_stay_text(browser: Browser, world: World) -> None:
    evil = "<script>alert(1)</script>"
    with world.acting(Role.OWNER):
        service.update_organisation(name=evil)
        service.create_api_key(evil, role="viewer")
    browser.log_in("owner@example.com")
    for path in (
        "/organisation",
        "/organisation/people",
        "/organisation/api-keys",
        "/organisation/activity",
        "/me",
    ):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert evil not in answer.text
