"""The mails that identity asks for: links that prove an address, reset a password, invite. Always sent."""

from __future__ import annotations

from chom_core.identity.mail import MailRequest, mails
from chom_core.notifications.service.outbox import Envelope, queue_mail
from chom_core.values.ids import uuid7

#: Kinds whose mail holds a link that lets somebody in.
_SENSITIVE = frozenset({"verify", "reset", "invite"})
_DEFAULTS = {"link": "", "reset_link": "", "inviter": "", "organisation": "", "role": "", "expires_at": ""}


def send(request: MailRequest) -> None:
    """Write the mail down in the caller's transaction. Every request is a mail of its own: its link is new."""
    context = {**_DEFAULTS, **request.context}
    name = str(context.pop("name", "") or "")
    envelope = Envelope(
        request.to,
        f"person.{request.kind}",
        f"identity:{uuid7()}",
        name=name,
        locale=request.locale,
        tenant_id=request.tenant_id,
        sensitive=request.kind in _SENSITIVE,
    )
    queue_mail(envelope, request.kind, **context)


def install() -> None:
    """Fill the seam of identity. Doing it again changes nothing."""
    mails.use(send)
