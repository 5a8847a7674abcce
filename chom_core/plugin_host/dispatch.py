"""The dispatcher: pluggy keeps the register, CHOM calls.

pluggy stops at the first implementation that raises and loses the results of all; a wrapper can erase them. Here each
implementation is called on its own and answers with its plugin's name, value or error, and time. Per set of enabled
plugins a table of implementations is compiled once; a hook that nobody enabled costs one look-up of an empty tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from time import perf_counter_ns
from typing import Any

from chom_core.database import savepoint
from chom_core.database.actor import CORE, _actor, acting_as
from chom_core.database.unit import Unit, _current, transaction
from chom_core.hookspecs import HookSpec
from chom_core.hookspecs.answers import exact, fits
from chom_core.values.errors import PluginFailed

#: An implementation that takes longer counts as a failure towards the breaker: a thread cannot be stopped, only told.
SLOW_NS = 1_000_000_000


class Slow(Exception):
    """An open hook's implementation took longer than a page may wait."""


class WrongAnswer(Exception):
    """An implementation answered something that its hook does not ask for."""


#: What one plugin answered: its name, the value (None: nothing to say) or the error, and the nanoseconds it took.
#: A plain tuple: a named one costs more to make than the rest of the call (./dev bench dispatch).
Answer = tuple[str, Any, Exception | None, int]
FOLD = 1024


class Implementation:
    """One plugin's function for one hook, with its running totals."""

    __slots__ = ("_calls", "_ns", "_spent", "errors", "function", "last_error", "note", "plugin")

    def __init__(self, plugin: str, function: Callable[[Any], Any]) -> None:
        self.plugin = plugin
        self.function = function
        self._spent: list[int] = []
        #: Notes the nanoseconds of one call; folded into the totals now and then.
        self.note = self._spent.append
        self._calls = self._ns = self.errors = 0
        self.last_error = ""

    def fold(self) -> None:
        """Add what was noted since the last time to the totals."""
        self._calls += len(self._spent)
        self._ns += sum(self._spent)
        self._spent.clear()

    def totals(self) -> tuple[int, int]:
        """How often it was asked in this process, and the nanoseconds it took in all."""
        self.fold()
        return self._calls, self._ns


class Missing(Implementation):
    """Stands where a plugin is enabled but could not be loaded: a closed hook must not pass it by in silence."""

    def __init__(self, plugin: str, why: str) -> None:
        def refuse(argument: Any) -> Any:
            raise PluginFailed(f"{plugin} is enabled but not loaded: {why}", plugin=plugin)

        super().__init__(plugin, refuse)


Table = tuple[tuple[Implementation, ...], ...]


class HookCaller:
    """Callable for one hook: `hooks.billing_tax(query)`."""

    __slots__ = ("_exact", "_fits", "_fresh", "_index", "_writes", "asked", "closed", "failed", "spec")

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
        self._writes = spec.writes
        self._exact, self._fits = exact(spec.answer), fits(spec.answer)
        self.asked = 0
        self._fresh = fresh

    def __call__(self, argument: Any) -> list[Answer] | tuple[()]:
        """Ask every enabled plugin of the current organisation. Raises PluginFailed where the hook is closed."""
        unit = _current.get()
        if unit is None:
            with transaction():
                return self(argument)
        implementations = (unit.hook_table or self._fresh())[self._index]
        if not implementations:
            return ()
        return self._ask(implementations, argument, unit)

    def _ask(self, implementations: Sequence[Implementation], argument: Any, unit: Unit) -> list[Answer]:
        fresh, changed, deleted = unit.pending
        if fresh or changed or deleted:
            unit.session.flush()
        answers: list[Answer] = []
        running = _actor.get()
        outer, wrote = running.name, running.writes
        running.writes = self._writes
        started = perf_counter_ns()
        try:
            for implementation in implementations:
                running.name = implementation.plugin
                value = error = None
                try:
                    value = implementation.function(argument)
                    if value is not None and value.__class__ is not self._exact and not self._fits(value):
                        raise WrongAnswer(f"answered {type(value).__name__}, not {self.spec.answer}")
                    if fresh or changed or deleted or unit.savepoint is not None:
                        savepoint.settle(unit, writes=self._writes)
                except Exception as raised:
                    value, error = None, raised
                now = perf_counter_ns()
                ns = now - started
                started = now
                implementation.note(ns)
                if error is not None or ns > SLOW_NS:
                    self._failed(implementation, error or Slow(f"took {ns / 1e9:.1f} s"), unit)
                answers.append((implementation.plugin, value, error, ns))
        finally:
            running.name, running.writes = outer, wrote
        self.asked += 1
        if not self.asked % FOLD:
            for implementation in implementations:
                implementation.fold()
        return answers

    def _failed(self, implementation: Implementation, error: Exception, unit: Unit) -> None:
        with acting_as(CORE):
            if not isinstance(error, Slow):
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
        return [value for _, value, _, _ in self(argument) if value is not None]


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
