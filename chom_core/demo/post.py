"""The demo's mail server: takes every mail by SMTP on loopback and keeps it as a file. Nothing leaves the machine."""

from __future__ import annotations

import itertools
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from chom_core.demo.place import any_port

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session


class PostBox:
    """A mail server on a free loopback port; each mail becomes `NNNN.eml` in `folder`."""

    def __init__(self, folder: Path) -> None:
        from aiosmtpd.controller import Controller

        self.folder = folder
        last = max((int(path.stem) for path in folder.glob("*.eml") if path.stem.isdigit()), default=0)
        self._numbers = itertools.count(last + 1)
        self.port = any_port()
        self._server = Controller(self, hostname="127.0.0.1", port=self.port, data_size_limit=8_000_000)

    @property
    def url(self) -> str:
        """For CHOM_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}?starttls=no"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A mail came in (the name is aiosmtpd's)."""
        content = envelope.content
        data = content if isinstance(content, bytes) else str(content or "").encode()
        path = self.folder / f"{next(self._numbers):04d}.eml"
        part = path.with_suffix(".part")
        part.write_bytes(data)
        part.chmod(0o600)
        part.rename(path)
        return "250 kept"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(no_assert=True)


def mails(folder: Path, to: str = "") -> list[EmailMessage]:
    """The kept mails, oldest first; only those to one address where it is given."""
    found = [_read(path) for path in sorted(folder.glob("*.eml"))]
    return [mail for mail in found if to.lower() in str(mail["To"]).lower()]


def _read(path: Path) -> EmailMessage:
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage) -> str:
    """Its plain text."""
    body = mail.get_body(("plain", "html"))
    return str(body.get_content()) if body is not None else ""
