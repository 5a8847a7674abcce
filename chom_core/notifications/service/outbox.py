"""The outbox: a mail is a row, written with whatever causes it, and sent by a job until the server has taken it.

At least once, never lost: a worker that dies between the server's answer and its own commit sends again, under the
same Message-ID.
"""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any
from uuid import UUID

import structlog
from flask_babel import gettext as _
from msgspec import Struct, field
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from chom_core import config
from chom_core.audit import record
from chom_core.branding.service import brand_for
from chom_core.database import PLATFORM_ID, clock, current, session, transaction
from chom_core.notifications import letters, smtp
from chom_core.notifications.models import MailMessage
from chom_core.values.branding import Brand
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import uuid7
from chom_core.work import GiveUp, Job, enqueue, job, outside

log = structlog.get_logger("chom.mail")
SEND = "notifications.send_mail"
ATTEMPTS = 8


class Envelope(Struct, frozen=True):
    """Who gets a mail, of which type, and the key under which it exists once."""

    to: str
    type: str
    key: str
    name: str = ""
    locale: str = "en"
    tenant_id: UUID | None = None
    sensitive: bool = field(default=False)


def sender(brand: Brand) -> str:
    """The From header: the brand's name and address, else the installation's address under the brand's name."""
    name, mail = parseaddr(config.settings().mail_from)
    return smtp.address(brand.mail_name or brand.name or name, brand.mail_address or mail)


def queue_mail(envelope: Envelope, template: str, /, **context: Any) -> UUID | None:
    """Write a mail in the caller's transaction; it goes out after the commit.

    None where its key was used before, or where no mail can reach the address.
    """
    if not smtp.reachable(envelope.to):
        return None
    brand = brand_for(tenant_id=envelope.tenant_id or PLATFORM_ID)
    letter = letters.render(template, brand, envelope.locale, name=envelope.name, **context)
    made = uuid7()
    row = {
        "id": made,
        "created_at": clock.machine(),
        "tenant_id": envelope.tenant_id,
        "type": envelope.type,
        "to": envelope.to,
        "to_name": smtp.one_line(envelope.name)[:120],
        "sender": sender(brand),
        "reply_to": brand.support_email,
        "subject": letter.subject,
        "html": letter.html,
        "text": letter.text,
        "sensitive": envelope.sensitive,
        "key": envelope.key,
    }
    session().flush()
    statement = insert(MailMessage).values(row).on_conflict_do_nothing(index_elements=["key"])
    if session().connection().execute(statement.returning(MailMessage.id)).scalar() is None:
        return None
    enqueue(SEND, {"mail_id": str(made)}, tenant_id=envelope.tenant_id, key=f"mail:{made}")
    return made


@job(SEND, pool="mail", timeout=60, attempts=ATTEMPTS)
def send_mail(job: Job) -> None:
    """Hand one mail to the server. What goes wrong is in the mail log at once, whatever becomes of this job."""
    mail_id = UUID(job.args["mail_id"])
    mail = session().get(MailMessage, mail_id)
    if mail is None or mail.status == "sent":
        return
    if mail.status == "failed":
        mail.status = "queued"
    mail.attempts += 1
    ready = smtp.Outgoing(
        str(mail.id), mail.sender, mail.to, mail.to_name, mail.subject, mail.html, mail.text, mail.reply_to
    )
    server = smtp.Server.parse(config.settings().smtp_url)
    try:
        outside(smtp.send, server, ready)
    except (smtp.Rejected, ValueError) as error:  # ValueError: an address that no header can hold
        _failed(mail_id, error, final=True)
        raise GiveUp(f"the mail server refused it: {error}") from error
    except Exception as error:
        _failed(mail_id, error, final=job.attempts >= job.max_attempts)
        raise
    mail.status, mail.error, mail.sent_at = "sent", "", clock.machine()


def _failed(mail_id: UUID, error: Exception, *, final: bool) -> None:
    words = f"{type(error).__name__}: {error}"[:500]
    with transaction() as own:
        changes = {"error": words, "status": "failed" if final else "queued"}
        own.execute(update(MailMessage).where(MailMessage.id == mail_id).values(changes))
    log.warning("mail not sent", mail=str(mail_id), final=final, error=words)


def find(mail_id: UUID) -> MailMessage:
    """The mail, or NotFound."""
    mail = session().get(MailMessage, mail_id)
    if mail is None:
        raise NotFound(_("There is no such mail."))
    return mail


def retry_mail(mail_id: UUID) -> None:
    """Send a failed mail once more, with all its attempts. Conflict where it is sent or on its way."""
    mail = session().scalar(select(MailMessage).where(MailMessage.id == mail_id).with_for_update())
    if mail is None:
        raise NotFound(_("There is no such mail."))
    if mail.status != "failed":
        raise Conflict(
            _("This mail is sent already.")
            if mail.status == "sent"
            else _("This mail is on its way already."),
            fix=_("Reload the page."),
        )
    mail.status = "queued"
    key = f"mail:{mail.id}:{mail.attempts}"
    enqueue(SEND, {"mail_id": str(mail.id)}, tenant_id=mail.tenant_id, key=key)
    record("mail.retried", ("mail", mail.id, mail.subject))


def send_test(to: str) -> UUID:
    """A test mail to `to`, from the mail page or the set-up; its way is in the mail log."""
    made = uuid7()
    envelope = Envelope(to, "test", f"test:{made}", tenant_id=current().tenant_id)
    found = queue_mail(envelope, "test")
    assert found is not None
    return found
