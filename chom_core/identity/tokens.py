"""Random tokens: what is handed out, and the digest that is kept."""

from __future__ import annotations

import hashlib
import secrets

KEY_PREFIX = "chom_"


def new_token() -> str:
    """256 random bits, safe in a URL and a cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """SHA-256: what the database keeps. Tokens are random, so neither salt nor a slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()


def new_key() -> tuple[str, str]:
    """An API key (`chom_1a2b3c4d_…`, 192 random bits, one word for a double click) and its prefix for lists."""
    prefix = KEY_PREFIX + secrets.token_hex(4)
    return f"{prefix}_{secrets.token_hex(24)}", prefix
