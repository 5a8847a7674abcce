"""Whose code is running: the core, or a plugin by name. A guard on the engine refuses writes outside its schema.

This protects against accidents, not malice: in-process Python is no sandbox (DESIGN §3.5, §3.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, Executable, event
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase

from chom_core.values.errors import ChomError

CORE = "core"


class Running:
    """Whose code runs, and whether it may write.

    Each unit of work has one of its own, which the dispatcher changes from plugin to plugin: setting a context
    variable for each cost more than asking them.
    """

    __slots__ = ("name", "writes")

    def __init__(self, name: str, writes: bool) -> None:
        self.name = name
        self.writes = writes


#: Outside of every unit of work the core runs; this one is never changed.
_OUTSIDE = Running(CORE, True)
#: Inside of one it is the unit's own, for all of the unit's life.
_actor: ContextVar[Running] = ContextVar("chom_actor", default=_OUTSIDE)


class ForeignWrite(ChomError):
    """A plugin tried to write a table that is not its own, or to write while it may only read."""

    status, code, title = 500, "foreign-write", "A feature tried to write where it may not"


def actor() -> str:
    """`core`, or the name of the plugin whose code runs now."""
    return _actor.get().name


def may_write() -> bool:
    """Is whoever runs now allowed to write at all? Not inside a decide hook."""
    return _actor.get().writes


@contextmanager
def acting_as(name: str, *, writes: bool = True) -> Iterator[None]:
    """Run the block as `name`; a decide hook runs with `writes=False`."""
    running = _actor.get()
    if running is _OUTSIDE:
        running = Running(CORE, True)
    token = _actor.set(running)
    before = running.name, running.writes
    running.name, running.writes = name, writes
    try:
        yield
    finally:
        running.name, running.writes = before
        _actor.reset(token)


def _refuse(statement: Executable) -> None:
    running = _actor.get()
    name, writes = running.name, running.writes
    if name == CORE and writes:
        return
    schema = CORE if name == CORE else f"plugin_{name}"
    found = (statement,) if isinstance(statement, UpdateBase) else visitors.iterate(statement)  # type: ignore[arg-type]
    for element in found:
        if not isinstance(element, UpdateBase):
            continue
        table: Any = element.table
        if not writes:
            raise ForeignWrite(f"{name} tried to write {table.fullname} in a hook that only reads.")
        if table.schema != schema:
            raise ForeignWrite(
                f"The plugin {name} tried to write {table.fullname}, which is not its own.",
                fix="Change core data through a verb of chom_sdk.",
            )


def install(engine: Engine) -> None:
    """Put the guard on `engine`: it sees every statement that SQLAlchemy builds, flushes included."""

    @event.listens_for(engine, "before_execute")
    def guard(
        connection: Connection,
        statement: Executable,
        multiparams: Sequence[Any],
        params: Any,
        options: Any,
    ) -> None:
        _refuse(statement)
