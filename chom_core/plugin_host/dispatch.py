"""The dispatcher: pluggy keeps the register, CHOM calls.

pluggy stops at the first implementation that raises and loses the results of all; a wrapper can erase them. Here each
implementation is called on its own and answers with its plugin's name, value or error, and time. Per set of enabled
plugins a table of implementations is compiled once; a hook that nobody enabled costs one look-up of an empty tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import Token
from time import perf_counter_ns
from typing import Any, NamedTuple

from chom_core.database import savepoint
from chom_core.database.actor import CORE_ACTOR, _actor
from chom_core.database.unit import Unit, _current
from chom_core.hookspecs import HookSpec
from chom_core.values.errors import PluginFailed

#: An implementation that takes longer counts as a failure towards the breaker: a thread cannot be stopped, only told.
SLOW_NS = 1_000_000_000


class Slow(Exception):
    """An open hook's implementation took longer than a page may wait."""


class Answer(NamedTuple):
    """What one plugin answered: `value`, or `error`, and the nanoseconds it took."""

    plugin: str
    value: Any
    error: Exception | None
    ns: int


class Implementation:
    """One plugin's function for one hook, with its running totals."""

    __slots__ = ("actor", "calls", "errors", "function", "last_error", "ns", "plugin")

    def __init__(self, plugin: str, function: Callable[[Any], Any], *, writes: bool) -> None:
        self.plugin = plugin
        self.function = function
        self.actor = (plugin, writes)
        self.calls = self.errors = self.ns = 0
        self.last_error = ""


class Missing(Implementation):
    """Stands where a plugin is enabled but could not be loaded: a closed hook must not pass it by in silence."""

    def __init__(self, plugin: str, why: str) -> None:
        def refuse(argument: Any) -> Any:
            raise PluginFailed(f"{plugin} is enabled but not loaded: {why}", plugin=plugin)

        super().__init__(plugin, refuse, writes=False)


Table = tuple[tuple[Implementation, ...], ...]


class HookCaller:
    """Callable for one hook: `hooks.billing_tax(query)`."""

    __slots__ = ("_fresh", "_index", "closed", "failed", "spec")

    def __init__(
        self,
        spec: HookSpec,
        index: int,
        fresh: Callable[[], Table],
        failed: Callable[[Implementation, HookSpec, Exception], None],
    ) -> None:
        self.spec = spec
        self.closed = spec.fail == "closed"
        self.failed = failed
        self._index = index
        self._fresh = fresh

    def __call__(self, argument: Any) -> list[Answer] | tuple[()]:
        """Ask every enabled plugin of the current organisation. Raises PluginFailed where the hook is closed."""
        unit = _current.get()
        compiled = unit.hook_table if unit is not None else None
        implementations = (compiled or self._fresh())[self._index]
        if not implementations:
            return ()
        return self._ask(implementations, argument, unit)

    def _ask(
        self, implementations: Iterable[Implementation], argument: Any, unit: Unit | None
    ) -> list[Answer]:
        if unit is not None:
            unit.session.flush()
        answers: list[Answer] = []
        token = _actor.set(_actor.get())
        clock = perf_counter_ns
        started = clock()
        try:
            for implementation in implementations:
                _actor.set(implementation.actor)
                value, error = None, None
                try:
                    value = implementation.function(argument)
                    if unit is not None:
                        savepoint.settle(unit, writes=self.spec.writes)
                except Exception as raised:
                    error = raised
                now = clock()
                ns, started = now - started, now
                implementation.calls += 1
                implementation.ns += ns
                if error is not None:
                    self._failed(implementation, error, unit, token)
                elif ns > SLOW_NS:
                    self.failed(implementation, self.spec, Slow(f"took {ns / 1e9:.1f} s"))
                if value is not None or error is not None:
                    answers.append(Answer(implementation.plugin, value, error, ns))
        finally:
            _actor.reset(token)
        return answers

    def _failed(
        self,
        implementation: Implementation,
        error: Exception,
        unit: Unit | None,
        token: Token[tuple[str, bool]],
    ) -> None:
        _actor.set(token.old_value if token.old_value is not Token.MISSING else CORE_ACTOR)
        if unit is not None:
            savepoint.undo(unit)
        self._record(implementation, error)

    def _record(self, implementation: Implementation, error: Exception) -> None:
        implementation.errors += 1
        implementation.last_error = f"{type(error).__name__}: {error}"[:500]
        if not self.closed:
            self.failed(implementation, self.spec, error)
            return
        if isinstance(error, PluginFailed):
            raise error
        raise PluginFailed(
            f"{implementation.plugin} failed while answering {self.spec.name}.",
            plugin=implementation.plugin,
            fix="Nothing was changed. Staff see the error on the plugins page.",
        ) from error

    def values(self, argument: Any) -> list[Any]:
        """The values alone, without what failed."""
        return [answer.value for answer in self(argument) if answer.error is None]


def compile_table(
    specs: Mapping[str, HookSpec],
    implementations: Mapping[str, list[Implementation]],
    open_set: frozenset[str],
    closed_set: frozenset[str],
    missing: Mapping[str, tuple[str, Collection[str]]],
) -> Table:
    """The table for one set of plugins. Closed hooks also ask what is tripped.

    `missing` maps an enabled but not loaded plugin to why and to the hooks it answered when it was installed: a
    closed hook among them refuses, since passing by a tax or a budget in silence is worse than stopping.
    """
    rows = []
    for name, spec in specs.items():
        allowed = closed_set if spec.fail == "closed" else open_set
        row = [item for item in implementations.get(name, ()) if item.plugin in allowed]
        if spec.fail == "closed":
            row += [Missing(plugin, why) for plugin, (why, hooks) in sorted(missing.items()) if name in hooks]
        rows.append(tuple(row))
    return tuple(rows)
