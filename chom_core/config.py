"""Settings, typed, from the environment. Nothing else reads `os.environ`."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chom_core.values.errors import ChomError


class BadSettings(ChomError):
    """A setting is missing or wrong."""

    status, code, title = 500, "bad-settings", "CHOM is not set up yet"


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """What an installation is told. `repr` shows no secret because it shows nothing."""

    database_url: str
    redis_url: str
    secret_keys: tuple[str, ...]
    public_url: str = "http://localhost:8000"
    smtp_url: str = "smtp://localhost:25"
    mail_from: str = "CHOM <no-reply@localhost>"
    data_folder: Path = Path("var")
    demo: bool = False
    argon2_memory_kib: int = 65536
    log_format: str = "json"
    metrics_token: str = ""

    @property
    def cookie_key(self) -> str:
        """The key that signs cookies: derived, so that one secret has one use."""
        return hashlib.sha256(b"chom cookies" + base64.urlsafe_b64decode(self.secret_keys[0])).hexdigest()


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read `CHOM_*`. Raises BadSettings naming what is missing."""
    missing = [
        n for n in ("CHOM_DATABASE_URL", "CHOM_REDIS_URL", "CHOM_SECRET_KEYS") if not environment.get(n)
    ]
    if missing:
        raise BadSettings(
            f"{', '.join(missing)} is not set.",
            fix="See README, «Run it for real»; or try it with `./dev demo`.",
        )
    return Settings(
        database_url=environment["CHOM_DATABASE_URL"],
        redis_url=environment["CHOM_REDIS_URL"],
        secret_keys=tuple(environment["CHOM_SECRET_KEYS"].split(",")),
        public_url=environment.get("CHOM_PUBLIC_URL", "http://localhost:8000").rstrip("/"),
        smtp_url=environment.get("CHOM_SMTP_URL", "smtp://localhost:25"),
        mail_from=environment.get("CHOM_MAIL_FROM", "CHOM <no-reply@localhost>"),
        data_folder=Path(environment.get("CHOM_DATA", "var")),
        demo=environment.get("CHOM_DEMO") == "1",
        argon2_memory_kib=int(environment.get("CHOM_ARGON2_KIB", "65536")),
        log_format=environment.get("CHOM_LOG", "json"),
        metrics_token=environment.get("CHOM_METRICS_TOKEN", ""),
    )


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make `settings` those of this process."""
    global _current
    _current = settings


def settings() -> Settings:
    """The settings of this process; read from the environment on first use."""
    if _current is None:
        use(from_environment())
    assert _current is not None
    return _current
