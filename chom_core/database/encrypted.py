"""Columns that are encrypted at rest (Fernet: AES-128-CBC with HMAC-SHA256), with key rotation."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Dialect, LargeBinary, TypeDecorator, select, update
from sqlalchemy.orm import DeclarativeBase, Session

from chom_core.values.errors import ChomError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_keys: tuple[str, ...] = ()


class NoKey(ChomError):
    """No key is set, or the value was encrypted with a key that is not in the ring any more."""

    status, code, title = 500, "no-key", "A stored secret cannot be read"


def configure(keys: Sequence[str]) -> None:
    """Set the ring. The first key encrypts; all of them decrypt. Keys are Fernet's: 32 bytes, urlsafe base64.

    Raises ValueError for any other at once; the ring itself is made when a secret is first read or written, since
    most requests read none and cryptography is a large library.
    """
    global _keys
    if any(len(urlsafe_b64decode(key)) != 32 for key in keys):
        raise ValueError("A key of CHOM_SECRET_KEYS is not 32 bytes in urlsafe base64.")
    _keys = tuple(keys)


@lru_cache(maxsize=2)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in keys])


def ring() -> MultiFernet:
    if not _keys:
        raise NoKey(
            "CHOM_SECRET_KEYS is not set.", fix="Run `chom keys new` and put its line in the environment."
        )
    return _ring(_keys)


def encrypt(text: str) -> bytes:
    return ring().encrypt(text.encode())


def decrypt(token: bytes) -> str:
    from cryptography.fernet import InvalidToken

    try:
        return ring().decrypt(token).decode()
    except InvalidToken:
        raise NoKey(
            "A stored secret was encrypted with a key that is missing from CHOM_SECRET_KEYS."
        ) from None


class Encrypted(TypeDecorator[str]):
    """A text column stored as a Fernet token: `token: Mapped[str] = mapped_column(Encrypted)`."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else encrypt(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else decrypt(bytes(value))


def rotate(session: Session, base: type[DeclarativeBase]) -> int:
    """Encrypt every Encrypted column of `base` anew with the first key. Returns the number of values."""
    count = 0
    for table in base.metadata.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, Encrypted)]
        for row in session.execute(select(table.c.id, *columns)) if columns else ():
            values = {column.name: row[i] for i, column in enumerate(columns, 1) if row[i] is not None}
            if values:
                session.execute(update(table).where(table.c.id == row.id).values(values))
                count += len(values)
    return count
