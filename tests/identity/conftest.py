"""A person, an organisation and a mailbox to test identity with; argon2 as cheap as it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from chom_core import config, identity
from chom_core.app import create_app
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity import MailRequest, service
from chom_core.identity.models import Membership, Person
from chom_core.values import Principal, Role, StaffRole
from tests.conftest import KEY, Database

PASSWORD = "a heron by the lake"
CHEAP = identity.Settings("https://chom.example", argon2_memory_kib=8, argon2_passes=1)


@dataclass
class Mailbox:
    """Every mail that identity asked for."""

    sent: list[MailRequest] = field(default_factory=list)

    def last(self, kind: str, to: str = "") -> MailRequest:
        return next(m for m in reversed(self.sent) if m.kind == kind and to in ("", m.to))

    def token(self, kind: str, to: str = "") -> str:
        return str(self.last(kind, to).context["path"]).rsplit("/", 1)[1]


@pytest.fixture
def mailbox(database: Database) -> Iterator[Mailbox]:
    identity.configure(CHEAP)
    box = Mailbox()
    before = identity.mails.use(box.sent.append)
    yield box
    identity.mails.use(before)
    identity.configure(None)


@dataclass(frozen=True)
class World:
    """An organisation with one person of each role, and helpers to act as them."""

    tenant_id: UUID
    people: dict[Role, UUID]

    def principal(self, role: Role) -> Principal:
        return Principal("person", self.people[role], self.tenant_id, role, name=role.value.title())

    @contextmanager
    def acting(self, role: Role) -> Iterator[Session]:
        with transaction(self.tenant_id, self.principal(role)) as work:
            yield work

    def roles(self) -> dict[UUID, str]:
        with transaction(self.tenant_id) as work:
            query = select(Membership.person_id, Membership.role).where(
                Membership.tenant_id == self.tenant_id
            )
            return dict(work.execute(query).all())  # type: ignore[arg-type]


def person(email: str, name: str = "") -> UUID:
    with transaction():
        return service.create_person(email, name or email.split("@")[0].title(), PASSWORD).id


@pytest.fixture
def world(mailbox: Mailbox) -> World:
    people = {role: person(f"{role}@example.com") for role in Role}
    with transaction():
        tenant_id = service.create_organisation("Northlight Studio", owner=people[Role.OWNER]).id
    with transaction(tenant_id):
        for role in Role:
            if role is not Role.OWNER:
                service.add_member(people[role], role)
    return World(tenant_id, people)


@pytest.fixture
def staff(world: World) -> Principal:
    dana = person("dana@example.com")
    with transaction(PLATFORM_ID):
        service.add_member(dana, Role.ADMIN)
    return Principal("person", dana, PLATFORM_ID, Role.ADMIN, StaffRole.ADMIN, name="Dana")


def person_row(email: str) -> Person:
    with transaction():
        found = service.find_person(email)
        assert found is not None
        return found


class Browser:
    """A browser without script: keeps cookies and sends the form token of the page it last saw."""

    def __init__(self, app: Flask) -> None:
        self.http = app.test_client()
        self.csrf = ""

    def _seen(self, answer: TestResponse) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.get_data(as_text=True))
        self.csrf = found[1] if found else self.csrf
        return answer

    def get(self, path: str, **more: Any) -> TestResponse:
        return self._seen(self.http.get(path, **more))

    def post(
        self, path: str, data: dict[str, str] | None = None, *, page: str = "", **more: Any
    ) -> TestResponse:
        """Post the form as the page it stands on would (`page`, default the same address)."""
        if not self.csrf or page:
            self.get(page or path)
        form = {"csrf_token": self.csrf, **(data or {})}
        answer = self._seen(self.http.post(path, data=form, **more))
        if answer.status_code in (302, 303):
            self.csrf = ""
        return answer

    def log_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/login", {"email": email, "password": password}, page="/login")

    @property
    def cookie(self) -> str:
        found = self.http.get_cookie("chom")
        return found.value if found else ""


_app: Flask | None = None


@pytest.fixture
def app(database: Database) -> Flask:
    """The application, made once; the database behind it is the test's own."""
    global _app
    settings = config.Settings(database.app, "redis://127.0.0.1:9/0", (KEY,), public_url="http://localhost")
    if _app is None:
        before = identity.mails.use(None)
        _app = create_app(settings)
        if before is not None:
            identity.mails.use(before)
    config.use(settings)
    return _app


@pytest.fixture
def browser(app: Flask, mailbox: Mailbox) -> Browser:
    return Browser(app)
