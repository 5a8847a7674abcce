"""The engine of this process: one, as chom_app, with the actor's guard on it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine

from chom_core.database import savepoint
from chom_core.database.actor import install as install_actor

_engine: Engine | None = None


def configure(url: str, *, pool_size: int = 5, echo: bool = False) -> Engine:
    """Bind this process to `url` (as chom_app). A second call disposes the first engine."""
    global _engine
    if _engine is not None:
        _engine.dispose()
    _engine = make(url, pool_size=pool_size, echo=echo)
    return _engine


def make(url: str, **options: Any) -> Engine:
    """An engine as CHOM wants it: the guard installed, UTC on the wire."""
    engine = create_engine(
        url,
        max_overflow=5,
        json_deserializer=_decode,
        connect_args={"options": "-c timezone=UTC", "application_name": "chom"},
        **options,
    )
    install_actor(engine)
    savepoint.install(engine)
    return engine


def _decode(text: bytes) -> Any:
    """A JSON column's value. msgspec takes a fifth of json's time, which lists have two columns a row of; numbers that
    Postgres keeps and msgspec does not (1e400) are json's."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def engine() -> Engine:
    """The engine of this process; an error where nobody has configured one."""
    if _engine is None:
        raise RuntimeError("no database is configured: call database.engine.configure(url) first")
    return _engine


def forget_connections() -> None:
    """In a forked child: drop the parent's connections without closing them, so that both do not share one."""
    if _engine is not None:
        _engine.dispose(close=False)
