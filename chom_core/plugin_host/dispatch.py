"""The dispatcher: pluggy keeps the register, CHOM calls.

pluggy stops at the first implementation that raises and loses the results of all; a wrapper can erase them. Here each
implementation is called on its own and answers with its plugin's name, value or error, and time. Per set of enabled
plugins a table of implementations is compiled once; a hook that nobody enabled costs one look-up of an empty tuple.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from time import perf_counter_ns
from typing import Any

from chom_core.database import savepoint
from chom_core.database.actor import CORE, acting_as
from chom_core.database.unit import Unit, _current, transaction
from chom_core.hookspecs import HookSpec
from chom_core.hookspecs.answers import exact, fits
from chom_core.values.errors import PluginFailed

log = logging.getLogger(__name__)
#: An implementation that takes longer counts as a failure towards the breaker: a thread cannot be stopped, only told.
SLOW_NS = 1_000_000_000


class Slow(Exception):
    """An open hook's implementation took longer than a page may wait."""


class WrongAnswer(Exception):
    """An implementation answered something that its hook does not ask for."""


#: What one plugin answered: its name, and the value (None: nothing to say) or the error.
#: A plain tuple: a named one costs more to make than the rest of the call (./dev bench dispatch).
Answer = tuple[str, Any, Exception | None]
Answers = list[Answer] | tuple[()]
#: One call in so many is timed plugin by plugin, once the first WATCHED were: a clock costs more than a small hook.
EVERY, WATCHED = 64, 64


class Implementation:
    """One plugin's function for one hook, with its running totals."""

    __slots__ = ("calls", "errors", "function", "last_error", "ns", "plugin")

    def __init__(self, plugin: str, function: Callable[[Any], Any]) -> None:
        self.plugin = plugin
        self.function = function
        #: How often it was asked in this process, and the nanoseconds it took, both weighed up from the calls timed.
        self.calls = self.ns = self.errors = 0
        self.last_error = ""


class Missing(Implementation):
    """Stands where a plugin is enabled but could not be loaded: a closed hook must not pass it by in silence."""

    def __init__(self, plugin: str, why: str) -> None:
        def refuse(argument: Any) -> Any:
            raise PluginFailed(f"{plugin} is enabled but not loaded: {why}", plugin=plugin)

        super().__init__(plugin, refuse)


#: One hook's implementations, ready to be asked: unpacking costs less than looking attributes up.
Row = tuple[tuple[str, Callable[[Any], Any], Implementation], ...]
Table = tuple[Row, ...]


class HookCaller:
    """One hook and who answers it. `hooks.billing_tax` is its `ask`: a bound method is quicker to call than this."""

    __slots__ = (
        "_exact",
        "_fits",
        "_fresh",
        "_index",
        "_left",
        "_passed",
        "_watch",
        "_writes",
        "closed",
        "failed",
        "spec",
    )

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
        self._fresh = fresh
        #: Quick calls left before one is timed; how many passed since the last; timed calls left before that begins.
        self._left, self._passed, self._watch = 0, 0, WATCHED

    def ask(self, argument: Any) -> Answers:
        """Ask every enabled plugin of the current organisation. Raises PluginFailed where the hook is closed."""
        unit = _current.get()
        if unit is None:
            with transaction():
                return self.ask(argument)
        row = (unit.hook_table or self._fresh())[self._index]
        if not row:
            return ()
        fresh, changed, deleted = unit.pending
        if self._left < 1 or fresh or changed or deleted:
            return self._closely(row, argument, unit)
        self._left -= 1
        exact, running = self._exact, unit.running
        outer, wrote = running.name, running.writes
        running.writes = False
        answers: list[Answer] = []
        try:
            for plugin, function, _ in row:
                running.name = plugin
                value = function(argument)
                if type(value) is not exact and value is not None and not self._fits(value):
                    break
                answers.append((plugin, value, None))
            else:
                if fresh or changed or deleted or unit.savepoint:
                    savepoint.settle(unit, writes=False)
                return answers
        except Exception:
            # Not lost: a hook that only reads may be asked twice, and the second time says whose error it is.
            log.debug("%s is asked again, one by one", self.spec.name, exc_info=True)
        finally:
            running.name, running.writes = outer, wrote
        return self._again(row, argument, unit)

    def watch(self) -> None:
        """Time the next calls one by one: somebody was slow, or failed, or a test wants to see it."""
        self._passed = max(0, self._passed - self._left)
        self._watch, self._left = WATCHED, 0

    def _again(self, row: Row, argument: Any, unit: Unit) -> list[Answer]:
        with acting_as(CORE):
            savepoint.undo(unit)
        self.watch()
        return self._closely(row, argument, unit)

    def _closely(self, row: Row, argument: Any, unit: Unit) -> list[Answer]:
        """Each on its own: what it left behind, what it failed with and how long it took are its own."""
        weight = self._next()
        fresh, changed, deleted = unit.pending
        if fresh or changed or deleted:
            unit.session.flush()
        answers: list[Answer] = []
        running = unit.running
        outer, wrote = running.name, running.writes
        running.writes = self._writes
        started = perf_counter_ns()
        try:
            for plugin, function, implementation in row:
                running.name = plugin
                value = error = None
                try:
                    value = function(argument)
                    if type(value) is not self._exact and value is not None and not self._fits(value):
                        raise WrongAnswer(f"answered {type(value).__name__}, not {self.spec.answer}")
                    if fresh or changed or deleted or unit.savepoint is not None:
                        savepoint.settle(unit, writes=self._writes)
                except Exception as raised:
                    value, error = None, raised
                now = perf_counter_ns()
                ns, started = now - started, now
                implementation.calls += weight
                implementation.ns += ns * weight
                if error is not None or ns > SLOW_NS:
                    self.watch()
                    self._failed(implementation, error or Slow(f"took {ns / 1e9:.1f} s"), unit)
                answers.append((plugin, value, error))
        finally:
            running.name, running.writes = outer, wrote
        return answers

    def _next(self) -> int:
        """How many calls this timed one stands for, itself included; and how many may now pass untimed."""
        weight, self._passed = 1 + self._passed, 0
        if self._writes or self._watch:
            self._watch -= bool(self._watch)
        else:
            self._left = self._passed = EVERY - 1
        return weight

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


def said(answers: Answers) -> list[Any]:
    """The values alone, without who had nothing to say and who failed."""
    return [value for _, value, _ in answers if value is not None]


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
        found = [item for item in implementations.get(name, ()) if item.plugin in allowed]
        if spec.fail == "closed":
            found += [
                Missing(plugin, why) for plugin, (why, hooks) in sorted(missing.items()) if name in hooks
            ]
        rows.append(tuple((item.plugin, item.function, item) for item in found))
    return tuple(rows)
