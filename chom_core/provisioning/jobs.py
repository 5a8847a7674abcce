"""The jobs of this domain: driving an operation, and the drift sweep."""

from __future__ import annotations

from uuid import UUID

from chom_core.provisioning import drift, engine
from chom_core.provisioning.service import DRIVE
from chom_core.work import Job, ScheduleSpec, job, outside

SWEEP = "provisioning.sweep"
#: What the scheduler runs for this domain.
SCHEDULES = (ScheduleSpec("provisioning.sweep", SWEEP, "*/15 * * * *", pool="ssh", max_attempts=3),)


@job(DRIVE, pool="ssh", timeout=1800, attempts=20, long=True)
def drive_operation(task: Job) -> None:
    """Drive one operation to its end. Runs again after a crash and goes on where the journal stands."""
    assert task.tenant_id is not None
    outside(engine.drive, task.tenant_id, UUID(task.args["operation_id"]))


@job(SWEEP, pool="ssh", timeout=600, attempts=3, long=True)
def sweep_drift(task: Job) -> None:
    """Compare every node with the record."""
    outside(drift.sweep)
