"""The seam to mail: identity says what to send, the notifications floor above fills in how.

A request is made in the caller's transaction; whoever registers must write it down there (a job, an outbox row) and
send after the commit. Links are in the context, so requests are never logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from flask_babel import gettext as _

from chom_core.values.errors import Unavailable

Kind = Literal["verify", "account_exists", "reset", "password_changed", "invite"]


@dataclass(frozen=True, slots=True)
class MailRequest:
    """A mail to `to` in `locale`. `context`: `name`, and by kind `link` (absolute) with its `path`, `organisation`,
    `inviter`, `role`, `expires_at`. `tenant_id`: whose brand it carries; None is the platform's."""

    kind: Kind
    to: str
    locale: str = "en_US"
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tenant_id: UUID | None = None


Sender = Callable[[MailRequest], None]


class Mails:
    """Call it to ask for a mail; `use` sets who sends."""

    def __init__(self) -> None:
        self._sender: Sender | None = None

    def use(self, sender: Sender | None) -> Sender | None:
        """Set the sender; returns the one before."""
        before, self._sender = self._sender, sender
        return before

    def __call__(self, request: MailRequest) -> None:
        if self._sender is None:
            raise Unavailable(_("No mail can be sent from here."), fix=_("Ask the operator to set up mail."))
        self._sender(request)


mails = Mails()
