"""Which function does which kind of job, and who is asked before a plugin's function is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Struct

from chom_core.database import acting_as

#: Pool → is it forked? Short pools are drained in batches in one process; a forked pool gives every job a process.
POOLS = {"default": False, "mail": False, "ssh": True, "ml": True}


class GiveUp(Exception):
    """Raised by a handler: trying again would not help. The job ends `failed`, with this text."""


class EventFact(Struct, frozen=True):
    """An event as its handler sees it. Deliveries are unordered: refetch the subject, use `seq` to know the newer."""

    id: UUID
    type: str
    subject: str
    seq: int
    at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What a handler gets. External effects derive their idempotency key from `id`: it survives every retry."""

    id: UUID
    tenant_id: UUID | None
    plugin: str | None
    kind: str
    args: dict[str, Any]
    token: int = 0
    attempts: int = 1
    max_attempts: int = 1
    pool: str = "default"

    @cached_property
    def event(self) -> EventFact:
        """The event this job delivers; an error in a job that delivers none."""
        fact = self.args["event"]
        return EventFact(
            UUID(fact["id"]), fact["type"], fact["subject"], fact["seq"], datetime.fromisoformat(fact["at"]),
            fact["payload"],
        )  # fmt: skip


Handler = Callable[[Job], None]
F = TypeVar("F", bound=Handler)


class Kind(Struct, frozen=True):
    """A kind of job: its handler, and how it is run."""

    name: str
    handler: Handler
    plugin: str | None
    pool: str
    timeout: float
    attempts: int
    events: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {}
_owner: ContextVar[str | None] = ContextVar("chom_work_owner", default=None)


def job(
    kind: str, pool: str = "default", timeout: float = 60, attempts: int = 5, long: bool = False
) -> Callable[[F], F]:
    """Register the handler of `kind`. `timeout` in seconds for one attempt; `attempts` until it is dead.

    `long=True` states that it may run for minutes, which only a forked pool (ssh, ml) allows.
    """
    return _register(kind, pool, timeout, attempts, long, ())


def on(
    *types: str, kind: str = "", pool: str = "default", timeout: float = 60, attempts: int = 5
) -> Callable[[F], F]:
    """Register a handler of events: each event of these types becomes a job of its own for this handler."""
    return _register(kind, pool, timeout, attempts, False, types)


def _register(
    kind: str, pool: str, timeout: float, attempts: int, long: bool, events: tuple[str, ...]
) -> Callable[[F], F]:
    if pool not in POOLS:
        raise ValueError(f"there is no pool {pool!r}; there are {', '.join(POOLS)}")
    if long and not POOLS[pool]:
        raise ValueError(f"{kind}: a long job would hold up the pool {pool}; use ssh or ml")

    def register(function: F) -> F:
        name = kind or f"{function.__module__}.{function.__qualname__}"
        known = KINDS.get(name)
        if known is not None and known.handler is not function and _place(known.handler) != _place(function):
            raise ValueError(f"two handlers for the job {name}: {_place(known.handler)}, {_place(function)}")
        KINDS[name] = Kind(name, function, _owner.get(), pool, timeout, attempts, events)
        return function

    return register


def _place(function: Handler) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@contextmanager
def registering(plugin: str) -> Iterator[None]:
    """While plugin_host imports a plugin's jobs: what is registered belongs to `plugin`."""
    token = _owner.set(plugin)
    try:
        yield
    finally:
        _owner.reset(token)


def forget(plugin: str) -> None:
    """Drop the kinds of a plugin that failed to load or was uninstalled."""
    for name in [name for name, kind in KINDS.items() if kind.plugin == plugin]:
        del KINDS[name]


def _everybody(tenant_id: UUID | None, plugin: str) -> bool:
    return True


#: May this plugin work for this organisation now? plugin_host puts its gate here.
gate: Callable[[UUID | None, str], bool] = _everybody


def _as_plugin(plugin: str) -> AbstractContextManager[None]:
    return acting_as(plugin)


#: The context a plugin's handler runs in: by default as the plugin, so that it writes its own tables only.
entering: Callable[[str], AbstractContextManager[None]] = _as_plugin
