"""Law 4, events: fan-out is joined with enablement, and the gate is asked again when a delivery is due."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from chom_core.database import transaction
from chom_core.work import emit
from chom_core.work.models import EventHandlerRow, JobRow, ScheduleRow
from chom_core.work.schedules import fan_out, served
from chom_sdk.testing import Organisation


def jobs(tenant_id: UUID, kind: str) -> list[tuple[str, str]]:
    """State and note of each."""
    with transaction() as here:
        rows = select(JobRow).where(JobRow.tenant_id == tenant_id, JobRow.kind == kind)
        return [(row.state, row.last_error or "") for row in here.scalars(rows)]


def tell(organisation: Organisation) -> None:
    with transaction(organisation.id):
        emit("service.deleted", subject="service:x", payload={"service_id": str(organisation.id)})


def test_only_where_it_is_on_does_an_event_become_its_job(
    northlight: Organisation, other_organisation: Organisation
) -> None:
    tell(northlight)
    tell(other_organisation)
    assert len(jobs(northlight.id, "good.service_gone")) == 1
    assert jobs(other_organisation.id, "good.service_gone") == []


def test_switched_off_before_the_delivery_means_not_delivered(northlight: Organisation) -> None:
    from chom_good.models import Note

    with northlight.acting() as here:
        here.add(Note(tenant_id=northlight.id, text="about it", service_id=northlight.id))
    tell(northlight)
    northlight.disable("good")
    northlight.world.run_jobs(reraise=False)
    assert [state for state, _ in jobs(northlight.id, "good.service_gone")] == ["done"]
    with northlight.acting() as here:
        assert here.scalars(select(Note.text).where(Note.service_id.is_not(None))).all() == ["about it"]


def test_a_delivery_and_its_effects_are_one(northlight: Organisation) -> None:
    from chom_good import service

    with northlight.acting():
        note = service.write("Call Kim")
    northlight.world.run_jobs(reraise=False)
    assert [state for state, _ in jobs(northlight.id, "good.count")] == ["done"]
    with northlight.acting():
        assert service.get(note.id).seen == 2  # by its own event, and by its own job


def test_a_rolled_back_fact_never_happened(northlight: Organisation) -> None:
    from chom_good import service

    try:
        with northlight.acting():
            service.write("never")
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert jobs(northlight.id, "good.count") == []
    assert jobs(northlight.id, "good.look") == []


def test_subscriptions_and_schedules_are_rows_written_at_install(northlight: Organisation) -> None:
    with transaction() as here:
        handlers = select(EventHandlerRow.event_type, EventHandlerRow.job_kind)
        assert set(here.execute(handlers.where(EventHandlerRow.plugin == "good"))) == {
            ("service.deleted", "good.service_gone"),
            ("good.written", "good.count"),
        }
        schedule = here.scalars(select(ScheduleRow).where(ScheduleRow.plugin == "good")).one()
        assert (schedule.name, schedule.cron, schedule.per) == ("good.tidy", "15 3 * * *", "tenant")


def test_a_schedule_runs_only_where_it_is_on(
    northlight: Organisation, other_organisation: Organisation
) -> None:
    with transaction():
        due = next(due for due in served(northlight.id) if due.plugin == "good")
        assert [d for d in served(other_organisation.id) if d.plugin == "good"] == []
        fan_out(due, due.next_at)
    assert len(jobs(northlight.id, "good.tidy")) == 1
    assert jobs(other_organisation.id, "good.tidy") == []
