"""The journal of one operation: every write of its runner, each in a short transaction of its own.

Each write holds the operation's row and asks whether this process is still the runner. One that was paused while
another took over gets Superseded at its next write, and stops.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chom_core.database import acting_as, clock, transaction
from chom_core.provisioning.models import Operation, OperationLine, OperationStep, Service
from chom_core.provisioning.views import secrets_of
from chom_core.values.provisioning import OperationCancelled, Step
from chom_core.work import emit

LONGEST_LINE = 1000
MOST_LINES = 5000
PROGRESS_EVERY = 0.5  # seconds between two writes of a step's progress


class Superseded(Exception):
    """Another process drives this operation now, or it has ended: write nothing, do nothing."""


class Journal:
    """Writes for the runner `runner` of one operation. `hidden` are texts that must not reach a log line."""

    def __init__(self, tenant_id: UUID, operation_id: UUID, runner: UUID) -> None:
        self.tenant_id = tenant_id
        self.operation_id = operation_id
        self.runner = runner
        self.hidden: set[str] = set()
        self._last_progress = 0.0

    @contextmanager
    def writing(self, *, service: bool = False) -> Iterator[tuple[Session, Operation]]:
        """A short transaction that holds the operation's row (and before it the service's, always in this order)."""
        with acting_as("core"), transaction(self.tenant_id) as here:
            if service:
                self.service(here, lock=True)
            query = select(Operation).where(Operation.id == self.operation_id).with_for_update()
            operation = here.scalar(query)
            if operation is None or operation.runner != self.runner or operation.status != "running":
                raise Superseded
            operation.seq += 1
            yield here, operation

    def service(self, here: Session, *, lock: bool = False) -> Service:
        """The operation's service."""
        of = select(Operation.service_id).where(Operation.id == self.operation_id).scalar_subquery()
        query = select(Service).where(Service.id == of)
        return here.scalars(query.with_for_update() if lock else query).one()

    def _row(self, here: Session, name: str) -> OperationStep:
        return here.scalars(
            select(OperationStep).where(
                OperationStep.operation_id == self.operation_id, OperationStep.name == name
            )
        ).one()

    def lay_out(self, steps: Sequence[Step]) -> list[str]:
        """Write the plan down, once. Returns the names as they stand in the journal."""
        with self.writing() as (here, operation):
            query = select(OperationStep.name).where(OperationStep.operation_id == operation.id)
            known = list(here.scalars(query.order_by(OperationStep.position)))
            if known:
                return known
            for position, step in enumerate(steps):
                row = OperationStep(
                    tenant_id=self.tenant_id,
                    operation_id=operation.id,
                    position=position,
                    name=step.name,
                    title=str(step.title),
                    estimate_seconds=step.estimate_seconds,
                )
                here.add(row)
            operation.estimate_seconds = sum(step.estimate_seconds for step in steps)
            return [step.name for step in steps]

    def rows(self) -> dict[str, OperationStep]:
        """The journal as it stands, by step, in order."""
        with acting_as("core"), transaction(self.tenant_id) as here:
            query = select(OperationStep).where(OperationStep.operation_id == self.operation_id)
            return {row.name: row for row in here.scalars(query.order_by(OperationStep.position))}

    def operation(self) -> Operation:
        """The operation as it stands; Superseded where it is not ours any more."""
        with acting_as("core"), transaction(self.tenant_id) as here:
            found = here.get(Operation, self.operation_id)
        if found is None or found.runner != self.runner or found.status != "running":
            raise Superseded
        return found

    def doing(self, name: str) -> int:
        """The step begins. Returns which attempt this is."""
        with self.writing() as (here, operation):
            row = self._row(here, name)
            row.status, row.progress, row.finished_at = "doing", None, None
            row.attempts += 1
            row.started_at = clock.machine()
            self._progressed(operation, row)
            return row.attempts

    def done(self, name: str, *, found: bool = False) -> None:
        """The step's effect is there. `found`: it was there before the step began."""
        with self.writing() as (here, operation):
            row = self._row(here, name)
            row.status, row.error, row.progress = "done", "", None
            row.finished_at = clock.machine()
            row.started_at = row.started_at or row.finished_at
            if found and not row.attempts:
                self._line(here, operation, name, "Already there.")
            self._progressed(operation, row)

    def stumbled(self, name: str, error: str) -> int:
        """The step ended in an error. Returns how many times it has."""
        with self.writing() as (here, operation):
            row = self._row(here, name)
            row.status, row.error = "failed", self.masked(error)
            row.failures += 1
            row.finished_at = clock.machine()
            self._line(here, operation, name, error)
            return row.failures

    def turn_back(self, error: str, fix: str) -> None:
        """From now on the way is back, also for whoever resumes."""
        with self.writing() as (here, operation):
            operation.undoing = True
            operation.error, operation.fix = self.masked(error), self.masked(fix)
            self._line(here, operation, "", f"Taking back what was done: {error}")

    def undone(self, name: str) -> None:
        """The step's effect is gone, and with it what it recorded."""
        with self.writing(service=True) as (here, operation):
            row = self._row(here, name)
            row.status, row.finished_at = "undone", clock.machine()
            service = self.service(here)
            secrets = secrets_of(service)
            service.facts = {key: v for key, v in service.facts.items() if key not in row.recorded}
            kept = {key: v for key, v in secrets.items() if key not in row.recorded}
            service.secrets = json.dumps(kept) if kept else None
            row.recorded = []
            self._progressed(operation, row)

    def record(self, name: str, facts: dict[str, Any], secrets: dict[str, str]) -> None:
        """Keep facts and secrets with the service, noted as this step's."""
        with self.writing(service=True) as (here, _):
            service, row = self.service(here), self._row(here, name)
            service.facts = {**service.facts, **facts}
            if secrets:
                service.secrets = json.dumps({**secrets_of(service), **secrets})
            row.recorded = sorted({*row.recorded, *facts, *secrets})

    def line(self, name: str, text: str) -> None:
        """One line of the log, masked and cut to a readable length."""
        with self.writing() as (here, operation):
            self._line(here, operation, name, text)

    def progress(self, name: str, share: float) -> None:
        """How far the step is, 0 to 1; written at most twice a second. Raises OperationCancelled."""
        now = time.monotonic()
        if share < 1 and now - self._last_progress < PROGRESS_EVERY:
            return
        self._last_progress = now
        with self.writing() as (here, operation):
            self._row(here, name).progress = min(max(share, 0.0), 1.0)
            cancelled = operation.cancel_requested and not operation.undoing
        if cancelled:
            raise OperationCancelled

    def masked(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, "•••")
        return text

    def _line(self, here: Session, operation: Operation, step: str, text: str) -> None:
        if operation.seq > MOST_LINES:
            return
        text = self.masked(text).replace("\0", "").strip()[:LONGEST_LINE]
        if text:
            line = OperationLine(
                tenant_id=self.tenant_id,
                operation_id=operation.id,
                seq=operation.seq,
                step=step,
                text=text,
                at=clock.machine(),
            )
            here.add(line)

    def _progressed(self, operation: Operation, row: OperationStep) -> None:
        emit(
            "operation.progressed",
            subject=f"operation:{operation.id}",
            payload={"service_id": str(operation.service_id), "step": row.name, "status": row.status},
        )
