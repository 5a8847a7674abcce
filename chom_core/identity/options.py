"""What an operator may set about identity: from the process's settings, or given by a test."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from chom_core import config


class Settings(Struct, frozen=True):
    """`public_url`: where people reach CHOM, for mailed links; never taken from a request's Host header.

    argon2 costs: OWASP's minimum (19 MiB, 2 passes) by default; tests lower them. Times are machine time.
    """

    public_url: str = "http://localhost:8000"
    argon2_memory_kib: int = 19_456
    argon2_passes: int = 2
    argon2_lanes: int = 1
    session_lifetime: timedelta = timedelta(days=30)
    session_idle: timedelta = timedelta(days=14)
    verify_lifetime: timedelta = timedelta(days=3)
    reset_lifetime: timedelta = timedelta(hours=1)
    invite_lifetime: timedelta = timedelta(days=7)


_given: Settings | None = None


def configure(settings: Settings | None) -> None:
    """Use `settings` from now on in this process; None: what the process's configuration says."""
    global _given
    _given = settings


def settings() -> Settings:
    """The settings in force."""
    if _given is not None:
        return _given
    process = config.settings()
    return Settings(public_url=process.public_url, argon2_memory_kib=process.argon2_memory_kib)


def link(path: str) -> str:
    """`path` as a full address on the configured public URL."""
    return settings().public_url.rstrip("/") + path
