"""Handing one mail to a mail server. The address is `smtp://user:password@host:port`; `smtps://` speaks TLS at once.

`?starttls=no` never encrypts, `?starttls=yes` insists; else TLS is used where the server offers it, and insisted on
where a password would be sent. A certificate that is wrong is always refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from flask_babel import gettext as _

from chom_core.database import clock
from chom_core.values.errors import Invalid

if TYPE_CHECKING:  # web processes write mails into the outbox; who sends them loads what sending needs
    import smtplib
    import ssl
    from email.message import EmailMessage

TIMEOUT = 20.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Rejected(Exception):
    """The server will never take this mail; trying again does not help."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    starttls: str = "auto"

    @classmethod
    def parse(cls, url: str) -> Server:
        """From the setting CHOM_SMTP_URL. Raises Invalid, without showing the password."""
        parts = urlsplit(url)
        starttls = parse_qs(parts.query).get("starttls", ["auto"])[0]
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == -1:
            raise Invalid(
                _("CHOM_SMTP_URL is no mail server."), fix=_("Write it as smtp://user:password@host:587")
            )
        if starttls not in ("auto", "yes", "no"):
            raise Invalid(_("CHOM_SMTP_URL: starttls is yes, no or left out."))
        tls = parts.scheme == "smtps"
        return cls(
            parts.hostname, port or (465 if tls else 25),
            unquote(parts.username or ""), unquote(parts.password or ""), tls, starttls,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Outgoing:
    """A mail that is ready to go."""

    id: str
    sender: str
    to: str
    to_name: str
    subject: str
    html: str
    text: str
    reply_to: str = ""


def reachable(mail: str) -> bool:
    """False for an address below `.invalid` (RFC 2606): nobody has it, and no mail is written for it."""
    return not mail.rstrip().lower().endswith(".invalid")


def one_line(text: str) -> str:
    """Text for a header: no line break or other control character can begin a header of its own."""
    return _CONTROL.sub(" ", text).strip()


def address(name: str, mail: str) -> str:
    """`Name <mail>` as a header, quoted and encoded as RFC 5322 and 2047 ask."""
    from email.headerregistry import Address

    return str(Address(one_line(name), addr_spec=one_line(mail)))


def compose(mail: Outgoing) -> EmailMessage:
    """The message: plain text and HTML side by side, a Message-ID that is the same on every try."""
    from email.message import EmailMessage
    from email.policy import SMTP

    message = EmailMessage(policy=SMTP)
    domain = parseaddr(mail.sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{mail.id}@{domain}>"
    message["Date"] = format_datetime(clock.machine())
    message["From"] = mail.sender
    message["To"] = address(mail.to_name, mail.to)
    if mail.reply_to:
        message["Reply-To"] = one_line(mail.reply_to)
    message["Subject"] = one_line(mail.subject)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def send(server: Server, mail: Outgoing) -> None:
    """Hand `mail` to `server`. Rejected: never again; OSError or SMTPException: another time."""
    import smtplib
    import ssl

    message = compose(mail)
    sender = parseaddr(mail.sender)[1]
    context = ssl.create_default_context()
    try:
        if server.tls:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT, context=context
            )
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT)
        with client:
            _secure(client, server, context)
            if server.user:
                client.login(server.user, server.password)
            client.send_message(message, sender, [mail.to])
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        _refused(code, words)
    except smtplib.SMTPResponseException as error:
        if isinstance(error, smtplib.SMTPAuthenticationError):
            raise  # the operator mends the password; the mail is fine
        _refused(error.smtp_code, error.smtp_error)


def _secure(client: smtplib.SMTP, server: Server, context: ssl.SSLContext) -> None:
    client.ehlo()
    if server.tls or server.starttls == "no":
        return
    if client.has_extn("starttls"):
        client.starttls(context=context)
        client.ehlo()
    elif server.starttls == "yes" or server.user:
        import ssl

        raise ssl.SSLError(f"{server.host} offers no STARTTLS, and a password must not go in the clear")


def _refused(code: int, words: bytes | str) -> None:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if 500 <= code < 600:
        raise Rejected(f"{code} {said}")
    import smtplib

    raise smtplib.SMTPResponseException(code, said)
