"""A savepoint around what a plugin's hook reads, made only when it first queries.

A query that fails would otherwise abort the caller's transaction, so one bad plugin would take the page or the
invoice with it. Most hooks never query, and pay nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Executable, event

from chom_core.database.actor import CORE, ForeignWrite, _actor

if TYPE_CHECKING:
    from chom_core.database.unit import Unit

_NAME = "plugin_hook"


def install(engine: Engine) -> None:
    """Listen on `engine` for the first statement of a plugin inside a unit that reads on its behalf."""

    @event.listens_for(engine, "before_execute")
    def guard(
        connection: Connection, statement: Executable, multiparams: Sequence[Any], params: Any, options: Any
    ) -> None:
        running = _actor.get()
        if running.name == CORE or running.writes:
            return
        from chom_core.database.unit import current_or_none

        unit = current_or_none()
        if unit is not None and unit.savepoint is None:
            connection.exec_driver_sql(f"savepoint {_NAME}")
            unit.savepoint = connection


def settle(unit: Unit, *, writes: bool) -> None:
    """A hook came back: what it left unflushed is its own doing. A reading hook that changed rows has failed."""
    session = unit.session
    if writes:
        session.flush()
    elif session.new or session.dirty or session.deleted:
        changed = [type(row).__name__ for row in (*session.new, *session.dirty, *session.deleted)]
        raise ForeignWrite(f"a hook that only reads changed {', '.join(sorted(set(changed)))}")
    if unit.savepoint is not None:
        unit.savepoint.exec_driver_sql(f"release savepoint {_NAME}")
        unit.savepoint = None


def undo(unit: Unit) -> None:
    """A hook failed: forget what it changed in memory and take its part of the transaction back."""
    session = unit.session
    for row in list(session.new):
        session.expunge(row)
    for row in (*session.dirty, *session.deleted):
        session.expire(row)
    if unit.savepoint is not None:
        unit.savepoint.exec_driver_sql(f"rollback to savepoint {_NAME}")
        unit.savepoint.exec_driver_sql(f"release savepoint {_NAME}")
        unit.savepoint = None
