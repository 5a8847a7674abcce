"""Units of work: a session, its organisation and its principal, from begin to commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from chom_core.database import clock, engine, wire
from chom_core.database.actor import CORE, ForeignWrite, Running, _actor, acting_as
from chom_core.database.base import TenantRow
from chom_core.database.wire import Statement, Text
from chom_core.values.errors import NotFound
from chom_core.values.principal import SYSTEM, Principal

#: One round trip at begin: fence, reseller, test clock and generation of the organisation.
_BEGIN = Statement("""
select clock_at::text, generation::text, set_config('chom.tenant_id', id::text, true),
       set_config('chom.reseller_id', (case kind when 'customer' then parent_id else id end)::text, true)
from core.tenant where id = %s
""")


Pending = tuple[Collection[Any], Collection[Any], Collection[Any]]


@dataclass(eq=False)
class Unit:
    """The current unit of work. Its organisation is fixed once; `generation` is the organisation's at begin, and
    `reseller_id` whose customer it is: its reseller or the platform, itself where it is one of them.

    `hook_table` is the plugin host's: the implementations that answer for this organisation. `savepoint` is the
    connection that holds one while a plugin's hook reads. `fence` is the filter of its selects, made once. `last` is
    sent with its COMMIT. `running` says whose code runs in it. `held`: see `_hold`.
    """

    session: Session
    principal: Principal = SYSTEM
    tenant_id: UUID | None = None
    reseller_id: UUID | None = None
    generation: int = 0
    clock_at: datetime | None = None
    everyone: bool = False
    savepoint: Connection | None = None
    hook_table: Any = None
    fence: Any = None
    last: tuple[Statement, Sequence[Text]] | None = None
    callbacks: list[Callable[[], None]] = field(default_factory=list)
    cache: dict[Any, Any] = field(default_factory=dict)
    running: Running = field(default_factory=lambda: Running(CORE, True))
    held: list[Any] = field(default_factory=list)

    @cached_property
    def pending(self) -> Pending:
        """What the session has not flushed yet: new, changed, deleted; live views that last as long as the session.

        SQLAlchemy's public `new` and `dirty` build a set on each look, which was most of the cost of asking a hook.
        """
        session = self.session
        return session._new, session.identity_map._modified, session._deleted


class _Session(Session):
    """SQLAlchemy's session with the fence: RLS settings at begin, a filter on every ORM select.

    The end of a unit is its maker's: a hook that reads may neither commit what the caller has half done nor take it
    back. `transaction` itself calls `Session.commit`.
    """

    unit: Unit

    def commit(self) -> None:
        _refuse_in_hook("commit")
        super().commit()

    def rollback(self) -> None:
        _refuse_in_hook("roll back")
        super().rollback()


def _refuse_in_hook(act: str) -> None:
    running = _actor.get()
    if not running.writes and running.name != CORE:
        raise ForeignWrite(f"{running.name} tried to {act} its caller's work in a hook that only reads.")


@event.listens_for(_Session, "before_flush")
def _no_flush_in_hook(session: _Session, context: object, instances: object) -> None:
    """Refused before SQLAlchemy begins: a flush that fails rolls the caller's whole transaction back."""
    _refuse_in_hook("write")


_current: ContextVar[Unit | None] = ContextVar("chom_unit", default=None)
#: Called with the reason each time somebody enters `everyone`; the audit floor registers itself here.
everyone_listeners: list[Callable[[str], None]] = []


@event.listens_for(_Session, "after_begin")
def _set_fence(session: _Session, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.nested:
        return
    unit = session.unit
    unit.held.clear()
    if unit.everyone:
        connection.exec_driver_sql("set local role chom_staff")
    if unit.tenant_id is not None:
        _enter(unit, connection)


@event.listens_for(_Session, "loaded_as_persistent")
def _hold(session: _Session, row: object) -> None:
    """A session lets go of what nobody refers to, and the next `get` would read the row anew, with all that hangs on
    it: see `Row.__held__`.
    """
    if getattr(row, "__held__", False):
        session.unit.held.append(row)


def _enter(unit: Unit, connection: Connection) -> None:
    row = wire.first(connection, _BEGIN, (str(unit.tenant_id),))
    if row is None:
        raise NotFound("This organisation does not exist any more.")
    stood, generation, reseller = row[0], row[1], row[3]
    unit.clock_at = datetime.fromisoformat(stood) if stood else None
    unit.generation = int(generation or 0)
    unit.reseller_id = UUID(reseller) if reseller else unit.tenant_id
    clock.standing.set(unit.clock_at)


@event.listens_for(_Session, "do_orm_execute")
def _filter(state: ORMExecuteState) -> None:
    tenant_id = state.session.unit.tenant_id  # type: ignore[attr-defined]
    if tenant_id is None or not state.is_orm_statement or state.is_insert:
        return
    unit: Unit = state.session.unit  # type: ignore[attr-defined]
    if unit.fence is None:
        unit.fence = with_loader_criteria(
            TenantRow, lambda row: row.tenant_id == tenant_id, include_aliases=True
        )
    state.statement = state.statement.options(unit.fence)


def current() -> Unit:
    """The current unit of work; an error outside of one."""
    unit = _current.get()
    if unit is None:
        raise RuntimeError("no unit of work: open one with `with transaction(...)`")
    return unit


def current_or_none() -> Unit | None:
    return _current.get()


def session() -> Session:
    """The session of the current unit of work."""
    return current().session


def commit_with(statement: Statement, *values: Text) -> None:
    """Make `statement` the current unit's last, sent with its COMMIT: it takes effect, or nothing of the unit does.

    It must fail where it may not take effect. A `restart` in between does not send it.
    """
    current().last = (statement, values)


def after_commit(callback: Callable[[], None]) -> None:
    """Call `callback` as the core once the current unit has committed; never if it rolls back."""
    current().callbacks.append(callback)


def bind_tenant(tenant_id: UUID, principal: Principal | None = None) -> Unit:
    """Fix the organisation of a unit that has none yet: a request learns it from its own session or key."""
    unit = current()
    if unit.tenant_id is not None and unit.tenant_id != tenant_id:
        raise RuntimeError("a unit of work keeps its organisation for life")
    unit.tenant_id, unit.hook_table, unit.fence = tenant_id, None, None
    if principal is not None:
        unit.principal = principal
    begun = unit.session.in_transaction()
    connection = unit.session.connection()  # to begin is to enter
    if begun:
        _enter(unit, connection)
    return unit


#: The connection that units of work share, one after the other.
_shared: ContextVar[Connection | None] = ContextVar("chom_connection", default=None)


@contextmanager
def one_connection() -> Iterator[None]:
    """Units of work in the block share a connection, as far as they come one after the other: a batch of jobs.

    To check it out, wrap it and put it back for each unit is a tenth of what a short job costs.
    """
    with engine.engine().connect() as connection:
        token = _shared.set(connection)
        try:
            yield
        finally:
            _shared.reset(token)


def _bind() -> Connection | Engine:
    """What a new unit of work is bound to: a unit inside another one needs a connection of its own."""
    shared = _shared.get()
    return engine.engine() if shared is None or shared.in_transaction() else shared


@contextmanager
def transaction(
    tenant_id: UUID | None = None, principal: Principal = SYSTEM, *, _everyone: bool = False
) -> Iterator[Session]:
    """A new unit of work on a connection of its own: commits at the end, rolls back on an exception.

    Inside another unit it is independent of it: what it commits stays, whatever the outer one does.
    """
    with _Session(_bind(), expire_on_commit=False) as fresh:
        outer = _actor.get()
        mine = Running(outer.name, outer.writes)
        unit = fresh.unit = Unit(fresh, principal, tenant_id, everyone=_everyone, running=mine)
        token, stood, running = _current.set(unit), clock.standing.set(None), _actor.set(mine)
        try:
            if tenant_id is not None:
                fresh.connection()  # begin now: clock.now() must not read the machine's time before the first query
            yield fresh
            if unit.last is not None:
                _send_last(fresh, *unit.last)
            Session.commit(fresh)
        except BaseException:
            Session.rollback(fresh)
            raise
        finally:
            _actor.reset(running)
            clock.standing.reset(stood)
            _current.reset(token)
    _run(unit)


def _send_last(session: Session, statement: Statement, values: Sequence[Text]) -> None:
    for _ in range(100):  # as SQLAlchemy's commit does: what listens to a flush may change more rows
        session.flush()
        if not (session.new or session.dirty or session.deleted):
            break
    wire.last(session.connection(), statement, values)


@contextmanager
def everyone(reason: str, principal: Principal | None = None) -> Iterator[Session]:
    """A unit of work that sees every organisation, as the role chom_staff. The audit log keeps `reason`."""
    unit = _current.get()
    who = principal or (unit.principal if unit else SYSTEM)
    with transaction(principal=who, _everyone=True) as fresh:
        for listener in everyone_listeners:
            listener(reason)
        yield fresh


def restart() -> None:
    """Commit what the current unit has written and go on in a new transaction of the same unit."""
    unit = current()
    unit.session.commit()
    _run(unit)


def _run(unit: Unit) -> None:
    with acting_as(
        CORE
    ):  # a feature's view may commit on its way; what the core left to do then is still the core's
        while unit.callbacks:
            unit.callbacks.pop(0)()
