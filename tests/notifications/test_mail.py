"""The outbox: mail goes out after the commit, comes back when the server is down, and its whole way is in the log."""

from __future__ import annotations

import socket
from uuid import UUID

import pytest
from sqlalchemy import select, text

from chom_core.database import transaction
from chom_core.identity.mail import MailRequest, mails
from chom_core.notifications import service
from chom_core.notifications.models import MailMessage
from chom_core.notifications.service import notify
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import uuid7
from chom_core.work import JobRow, run_all
from tests.conftest import Database
from tests.notifications.conftest import Mailbox, make_person, use_smtp

pytestmark = pytest.mark.usefixtures("house")


def log() -> list[MailMessage]:
    with transaction() as session:
        return list(session.scalars(select(MailMessage).order_by(MailMessage.id)))


def due_now() -> None:
    """Let the next try come now instead of after its pause."""
    with transaction() as session:
        session.execute(text("update core.job set due_at = now() where state = 'ready'"))


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_that_is_down_gets_it_later(
    database: Database, tenants: tuple[UUID, UUID], mailbox: Mailbox
) -> None:
    make_person("Mara", tenants[0])
    use_smtp(closed_port())
    with transaction(tenants[0]):
        notify("service.active", title="blog is ready")
    run_all(reraise=False)
    (mail,) = log()
    assert (mail.status, mail.attempts, mail.sent_at) == ("queued", 1, None)
    assert "refused" in mail.error.lower()
    use_smtp(mailbox.port)
    due_now()
    run_all()
    (mail,) = log()
    assert (mail.status, mail.attempts, mail.error) == ("sent", 2, "")
    assert mail.sent_at is not None
    assert len(mailbox.mails) == 1
    assert mailbox.mails[0]["Message-ID"] == f"<{mail.id}@panel.example>"


def test_a_server_that_stays_down_ends_as_failed_and_staff_retry(
    database: Database, tenants: tuple[UUID, UUID], mailbox: Mailbox
) -> None:
    use_smtp(closed_port())
    with transaction(tenants[0]):
        mail_id = service.send_test("dana@x.example")
    for _ in range(service.outbox.ATTEMPTS):
        due_now()
        run_all(reraise=False)
    (mail,) = log()
    assert (mail.status, mail.attempts) == ("failed", service.outbox.ATTEMPTS)
    use_smtp(mailbox.port)
    with transaction():
        service.retry_mail(mail_id)
    with transaction(), pytest.raises(Conflict):
        service.retry_mail(mail_id)
    run_all()
    assert log()[0].status == "sent"
    with transaction(), pytest.raises(Conflict):
        service.retry_mail(mail_id)
    with transaction(), pytest.raises(NotFound):
        service.retry_mail(uuid7())


def test_a_greylisting_server_is_asked_again_a_refusing_one_is_not(
    mailbox: Mailbox, database: Database
) -> None:
    mailbox.answer = "451 try later"
    with transaction():
        service.send_test("dana@x.example")
    run_all(reraise=False)
    assert log()[0].status == "queued"
    assert log()[0].error.startswith("SMTPResponseException")
    mailbox.answer = "550 no such user"
    due_now()
    run_all(reraise=False)
    (mail,) = log()
    assert (mail.status, mail.error, mail.attempts) == ("failed", "Rejected: 550 no such user", 2)
    due_now()
    run_all()
    assert mailbox.offered == 2


def test_a_mail_that_is_sent_is_not_sent_again(mailbox: Mailbox, database: Database) -> None:
    with transaction():
        service.send_test("dana@x.example")
    run_all()
    with transaction() as session:
        session.execute(text("update core.job set state = 'ready', attempts = 0, finished_at = null"))
    run_all()
    assert mailbox.offered == 1


def test_identitys_mails_go_out_with_their_link(mailbox: Mailbox, database: Database) -> None:
    link = "https://panel.example/verify/s3cret-token"
    with transaction():
        for kind in ("verify", "reset", "account_exists", "password_changed", "invite"):
            context = {"name": "Mara", "link": link, "organisation": "Northlight", "inviter": "Nils", "role": "admin",
                       "reset_link": link, "expires_at": service.outbox.clock.now()}  # fmt: skip
            mails(MailRequest(kind, "mara@x.example", context=context))
    run_all()
    assert len(mailbox.mails) == 5
    body = mailbox.mails[0].get_body(("html",))
    assert body is not None
    assert link in body.get_content()
    assert {mail.type for mail in log() if mail.sensitive} == {
        "person.verify",
        "person.reset",
        "person.invite",
    }


def test_no_link_that_lets_somebody_in_lies_open_in_the_database(
    mailbox: Mailbox, database: Database
) -> None:
    with transaction():
        context = {"name": "Mara", "link": "https://panel.example/reset/s3cret-token", "expires_at": ""}
        mails(
            MailRequest(
                "account_exists", "mara@x.example", context={**context, "reset_link": context["link"]}
            )
        )
    with transaction() as session:
        jobs = session.scalars(select(JobRow.args)).all()
        raw = session.execute(text("select m::text from core.mail_message m")).scalars().all()
    assert "s3cret-token" not in str(jobs) + str(raw)
    run_all()
    assert "s3cret-token" in str(mailbox.mails[0].get_body(("plain",)).get_content())  # type: ignore[union-attr]


def test_mail_waits_for_the_commit(mailbox: Mailbox, database: Database) -> None:
    with transaction() as work:
        service.send_test("dana@x.example")
        work.rollback()
    run_all()
    assert mailbox.offered == 0
    assert log() == []
