"""Driving one operation: forward step by step, back where a step cannot be done, resumable at any instruction.

Order of writes, per step: check (outside) → «doing» (committed) → apply (outside) → «done» (committed). Whoever
resumes asks `check` first, so an effect that was reached but not yet journalled is found, not repeated.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from chom_core.database import transaction
from chom_core.provisioning import kinds, lifecycle, views
from chom_core.provisioning.journal import Journal, Superseded
from chom_core.provisioning.kinds import BoundDriver
from chom_core.provisioning.models import Node, OperationStep
from chom_core.values.errors import ChomError
from chom_core.values.ids import uuid7
from chom_core.values.provisioning import (
    OperationCancelled,
    OperationContext,
    ServiceFacts,
    Step,
    StepFailed,
)

#: Beginnings of one step, crashes included: a step that kills its worker each time must end some day.
MOST_ATTEMPTS = 12
UNDO_TRIES = 3
SHORTEST_SECRET = 6
#: Waits between two tries, seconds; tests replace it.
pause: Callable[[float], None] = time.sleep


class Context:
    """What a step works with (values.provisioning.StepContext)."""

    def __init__(self, journal: Journal, operation: OperationContext, step: str) -> None:
        self._journal = journal
        self._operation = operation
        self._step = step
        self._facts = dict(operation.service.facts)
        self._secrets = dict(operation.service.secrets)

    @property
    def operation_id(self) -> UUID:
        return self._operation.operation_id

    @property
    def service(self) -> ServiceFacts:
        return self._operation.service

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._operation.settings

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    @property
    def secrets(self) -> Mapping[str, str]:
        return self._secrets

    def record(self, **facts: Any) -> None:
        self._journal.record(self._step, facts, {})
        self._facts.update(facts)

    def record_secret(self, **secrets: str) -> None:
        self._journal.hidden.update(text for text in secrets.values() if len(text) >= SHORTEST_SECRET)
        self._journal.record(self._step, {}, secrets)
        self._secrets.update(secrets)

    def log(self, line: str) -> None:
        self._journal.line(self._step, line)

    def progress(self, done: float, total: float) -> None:
        self._journal.progress(self._step, done / total if total > 0 else 0.0)


class _Failed(Exception):
    """A step cannot be done: turn back."""

    def __init__(self, error: str, fix: str) -> None:
        super().__init__(error)
        self.error = error
        self.fix = fix


def drive(tenant_id: UUID, operation_id: UUID) -> str:
    """Drive the operation to its end, from wherever it stands. Returns its final status, or «superseded».

    Opens short transactions of its own and none around a step. Raises only what is not the operation's own failure
    (the database is gone, the driver's plugin is off): then the job comes again later.
    """
    journal = Journal(tenant_id, operation_id, uuid7())
    try:
        if not lifecycle.claim(journal):
            return "superseded"
        return _Run(journal).go()
    except Superseded:
        return "superseded"


class _Run:
    """One runner's way through the plan."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.driver, self.context = self._load()
        self.action = self.context.action
        secrets = {**self.context.service.secrets, **self.context.service.node.secrets}
        journal.hidden.update(text for text in secrets.values() if len(text) >= SHORTEST_SECRET)

    def _load(self) -> tuple[BoundDriver, OperationContext]:
        """The driver and the operation as recorded by now."""
        operation = self.journal.operation()
        with transaction(self.journal.tenant_id) as here:
            service = self.journal.service(here)
            node = here.get_one(Node, service.node_id)
            driver = kinds.driver(node.driver)
            return driver, views.operation_context(operation, service, node)

    def go(self) -> str:
        try:
            steps = self.driver.plan(self.context)
            if self.journal.lay_out(steps) != [step.name for step in steps]:
                raise _Failed("The node driver was changed while this was running.", "Try again.")
        except Superseded:
            raise
        except Exception as error:
            return self._back([], error)
        if self.journal.operation().undoing:
            return self._back(steps)
        try:
            for step in steps:
                self._forward(step)
        except (OperationCancelled, _Failed) as error:
            return self._back(steps, error)
        return lifecycle.finish(self.journal, "succeeded")

    def _fresh(self, step: Step) -> Context:
        """The step's context with everything recorded so far."""
        _, self.context = self._load()
        return Context(self.journal, self.context, step.name)

    def _forward(self, step: Step) -> None:
        while True:
            if self.journal.operation().cancel_requested:
                raise OperationCancelled
            if self.journal.rows()[step.name].status == "done":
                return
            try:
                self._try(step, self._fresh(step))
                return
            except (OperationCancelled, Superseded, _Failed):
                raise
            except Exception as error:
                failures = self.journal.stumbled(step.name, words(error))
                if failures >= step.tries or (isinstance(error, StepFailed) and error.final):
                    raise _failure(step, error) from error
                pause(min(0.5 * 2**failures, 8.0))

    def _try(self, step: Step, context: Context) -> None:
        if not step.proves:
            with self.driver.acting():
                there = step.check(context)
            if there:
                self.journal.done(step.name, found=True)
                return
        if self.journal.doing(step.name) > MOST_ATTEMPTS:
            raise _Failed(
                f"«{step.title}» was interrupted again and again.", "Try again later, or ask support."
            )
        with self.driver.acting():
            answer = step.apply(context)
        if step.proves and not hmac.compare_digest(str(answer or ""), context.service.marker):
            raise StepFailed("Something else answers in this service's place.", fix="Try again in a minute.")
        self.journal.done(step.name)

    def _back(self, steps: list[Step], why: Exception | None = None) -> str:
        """Undo what was begun, last first. `why` is None where another runner had turned back already."""
        if isinstance(why, _Failed):
            self.journal.turn_back(why.error, why.fix)
        elif isinstance(why, OperationCancelled):
            self.journal.turn_back("Cancelled.", "")
        elif why is not None:
            self.journal.turn_back(words(why), getattr(why, "fix", "") or "Try again later, or ask support.")
        rows = self.journal.rows()
        clean = True
        for step in reversed(steps):
            if step.name in rows and _begun(rows[step.name]) and step.undo is not None:
                clean = self._undo(step) and clean
        operation = self.journal.operation()
        if operation.cancel_requested:
            return lifecycle.finish(self.journal, "cancelled", health=self._health())
        return lifecycle.finish(self.journal, "undone" if clean else "failed", health=self._health())

    def _undo(self, step: Step) -> bool:
        undo = step.undo
        assert undo is not None
        for attempt in range(1, UNDO_TRIES + 1):
            try:
                with self.driver.acting():
                    undo(self._fresh(step))
                self.journal.undone(step.name)
                return True
            except Superseded:
                raise
            except Exception as error:
                self.journal.stumbled(step.name, f"Taking it back failed: {words(error)}")
                if attempt < UNDO_TRIES:
                    pause(min(0.5 * 2**attempt, 8.0))
        return False

    def _health(self) -> bool:
        """Does the service run, with its own marker, after a way back? Asked only where it may."""
        if self.action in ("create", "delete"):
            return False
        try:
            _, self.context = self._load()
            with self.driver.acting() as driver:
                return driver.status(self.context.service).running
        except Exception:
            return False


def _begun(row: OperationStep) -> bool:
    """Did this operation begin the step, and is its effect possibly still there?"""
    return row.attempts > 0 and row.status != "undone"


def words(error: Exception) -> str:
    """The error for a person: our own errors speak for themselves, others are named by type."""
    if isinstance(error, ChomError):
        return error.detail
    detail = getattr(error, "detail", "") or str(error)
    return f"{type(error).__name__}: {detail}" if detail else type(error).__name__


def _failure(step: Step, error: Exception) -> _Failed:
    fix = getattr(error, "fix", "") or "Try again. If it fails again, ask support and name this operation."
    return _Failed(f"«{step.title}» did not work: {words(error)}", fix)
