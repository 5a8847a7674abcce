"""Whether this process can serve: asked by /readyz every few seconds, so cheap, and short where something is away."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from chom_core import config
from chom_core.database import roles
from chom_core.database.migrations import History
from chom_core.plugin_host import registry
from chom_core.work import wake

#: Seconds that a probe waits for the database.
PATIENCE = 3
_history: Callable[[], History] | None = None


def use(history: Callable[[], History]) -> None:
    """Tell where the core's line of migrations is: the top floor, which knows every table, does it at start."""
    global _history
    _history = history
    head.cache_clear()


@lru_cache(maxsize=1)
def head() -> str | None:
    """The newest revision of this code; read once."""
    return _history().head() if _history is not None else None


def connect() -> Connection:
    """A connection of the probe's own, as the application: it neither takes one from requests nor waits for theirs."""
    url = make_url(config.settings().database_url)
    probe = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": PATIENCE})
    return probe.connect()


def ready() -> dict[str, Any]:
    """`status` is ok, degraded (works, but slower: no Redis) or failed; `checks` says of each part what is wrong."""
    checks = {"database": "ok", "role": "ok", "migrations": "ok", "redis": redis_fault() or "ok"}
    try:
        with connect() as connection:
            checks["role"] = "; ".join(roles.faults(connection)) or "ok"
            checks["migrations"] = schema_fault(connection) or "ok"
    except SQLAlchemyError as error:
        checks["database"] = f"not reachable ({type(error).__name__})"
        checks["role"] = checks["migrations"] = "unknown"
    failed = [name for name in ("database", "role", "migrations") if checks[name] not in ("ok",)]
    status = "failed" if failed else "degraded" if checks["redis"] != "ok" else "ok"
    return {
        "status": status,
        "checks": checks,
        "plugins": {"loaded": len(registry.loaded), "skipped": len(registry.skipped)},
    }


def redis_fault() -> str:
    """Why Redis does not answer; empty where it does, or where this process wakes nobody."""
    if not wake.configured():
        return "not configured"
    from redis import RedisError

    try:
        with wake.connect(timeout=1.0) as client:
            client.ping()
    except (RedisError, OSError) as error:
        return f"not reachable ({type(error).__name__}); jobs wait for the sweeper"
    return ""


def schema_fault(connection: Connection) -> str:
    """Why the core's schema is not this code's; empty where it is."""
    wanted = head()
    if _history is None or wanted is None:
        return ""
    try:
        at = _history().current(connection)
    except SQLAlchemyError:
        return "not migrated; run `chom migrate`"
    return "" if at == wanted else f"at {at or 'nothing'}, the code wants {wanted}; run `chom migrate`"
