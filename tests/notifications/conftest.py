"""A mail server on loopback, settings that point to it, and people in an organisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from chom_core import config
from chom_core.branding import service as branding
from chom_core.database import clock, transaction
from chom_core.identity.models import Membership, Person
from chom_core.notifications import jobs  # noqa: F401 — registers the handlers
from chom_core.work import events
from tests.conftest import KEY, Database


@dataclass
class Mailbox:
    """What the server took; `answer` is what it says to the next mail, `offered` counts the tries."""

    answer: str = "250 OK"
    offered: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.offered += 1
        if self.answer.startswith("250"):
            found = message_from_bytes(envelope.content or b"", policy=policy.default)
            assert isinstance(found, EmailMessage)
            self.mails.append(found)
        return self.answer

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address in str(mail["To"])]


class Loopback(Controller):
    """A mail server on whatever port is free."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Loopback(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    yield box
    controller.stop()


@pytest.fixture
def house(database: Database, mailbox: Mailbox) -> Iterator[None]:
    """Settings that name the mail server, and the core's handlers subscribed."""
    before = config._current
    use_smtp(mailbox.port, database.app)
    branding._cache.clear()
    with transaction():
        events.subscribe(None, events.registered(None))
    yield
    config._current = before


def use_smtp(port: int, database_url: str = "") -> None:
    config.use(
        config.Settings(
            database_url, "redis://localhost:1", (KEY,), public_url="https://panel.example",
            smtp_url=f"smtp://127.0.0.1:{port}", mail_from="CHOM <no-reply@panel.example>", data_folder=Path("var"),
        )
    )  # fmt: skip


def make_person(
    name: str,
    tenant_id: UUID | None = None,
    role: str = "owner",
    *,
    verified: bool = True,
    locale: str = "en_US",
) -> UUID:
    """A person, a member of the organisation where one is given."""
    with transaction() as session:
        mail = f"{''.join(c for c in name.lower() if c.isalnum()) or 'x'}@people.example"
        person = Person(
            email=mail, name=name, locale=locale, email_verified_at=clock.now() if verified else None
        )
        session.add(person)
        session.flush()
        if tenant_id is not None:
            session.add(Membership(person_id=person.id, tenant_id=tenant_id, role=role))
        return person.id
