"""Schedules: once for each occurrence, whoever asks; missed ones coalesce; test clocks run them in order."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chom_core.database import clock, transaction
from chom_core.values.errors import Conflict, Invalid
from chom_core.work import ScheduleSpec, advance, emit, job, on, run_all, schedules, stand, subscribe
from chom_core.work.events import registered
from tests.harness.crash_place import make_tenant
from tests.work.helpers import ledger, notes, put, row, sql

START = datetime(2026, 1, 1, tzinfo=UTC)


def install(*specs: ScheduleSpec, plugin: str | None = None) -> None:
    with transaction():
        schedules.install(plugin, specs)


def test_missed_runs_are_one_run() -> None:
    job("t.nightly")(lambda j: ledger(j.args["due"]))
    install(ScheduleSpec("nightly", "t.nightly", "30 2 * * *", "Europe/Berlin"))
    sql("update core.schedule set next_at = now() - interval '9 days'")
    (missed,) = sql("select next_at from core.schedule")[0]
    assert (schedules.tick(), schedules.tick(), run_all()) == (1, 0, 1)
    assert notes() == [missed.isoformat()]
    assert sql("select next_at > now(), last_at is not null, last_error from core.schedule") == [
        (True, True, None)
    ]


def test_schedulers_at_once_never_double() -> None:
    job("t.nightly")(lambda j: None)
    for tenant_count in range(3):
        make_tenant(f"T{tenant_count}")
    install(*(ScheduleSpec(f"s{n}", "t.nightly", "0 0 * * *", per="tenant") for n in range(8)))
    sql("update core.schedule set next_at = now() - interval '1 hour'")
    crowd = [threading.Thread(target=schedules.tick) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    real = sql("select count(*) from core.tenant where clock_at is null")[0][0]
    assert sql("select count(*), count(distinct key) from core.job") == [(8 * real, 8 * real)]
    ran = "select min(substring(key from '....-..-..T.*$')::timestamptz) from core.job"
    sql(f"update core.schedule set next_at = ({ran})")
    schedules.tick()
    assert sql("select count(*) from core.job") == [(8 * real,)], (
        "the key refuses an occurrence that ran already"
    )


def test_only_organisations_that_have_the_plugin_on_are_served(tenant: UUID) -> None:
    install(ScheduleSpec("projects.daily", "projects.daily", "0 0 * * *", per="tenant"), plugin="projects")
    sql(
        "insert into core.plugin_state (id, created_at, tenant_id, plugin)"
        " values (gen_random_uuid(), now(), %s, 'projects')",
        tenant,
    )
    sql("update core.schedule set next_at = now()")
    schedules.tick()
    assert sql("select tenant_id, plugin from core.job") == [(tenant, "projects")]


def test_a_changed_line_is_computed_anew_and_an_unchanged_one_is_kept() -> None:
    install(ScheduleSpec("a", "k", "0 0 * * *"), ScheduleSpec("b", "k", "0 0 * * *"))
    sql("update core.schedule set next_at = now() - interval '1 hour'")
    install(ScheduleSpec("a", "k", "0 0 * * *"), ScheduleSpec("b", "k", "0 1 * * *"))
    assert sql("select name, next_at > now() from core.schedule order by name") == [("a", False), ("b", True)]
    install()
    assert sql("select count(*) from core.schedule") == [(0,)]


@pytest.fixture
def standing() -> UUID:
    made = make_tenant()
    stand(made, START)
    return made


def test_a_job_that_is_due_later_waits_for_the_test_clock(standing: UUID) -> None:
    job("t.renew")(lambda j: ledger(f"{clock.now():%d %b}"))
    made = put("t.renew", unit_tenant=standing, due_at=START + timedelta(days=30))
    now = put("t.renew", unit_tenant=standing)
    assert row(made)["due_at"] is None
    assert run_all() == 1
    assert row(now)["state"] == "done"
    assert advance(standing, START + timedelta(days=29)) == 0
    assert advance(standing, START + timedelta(days=31)) == 1
    assert notes() == ["01 Jan", "31 Jan"]


def test_advance_runs_everything_in_order_at_its_own_instant(standing: UUID) -> None:
    job("t.day")(lambda j: ledger(f"{clock.now():%d} schedule"))

    @job("t.collect")
    def collect(j: object) -> None:
        ledger(f"{clock.now():%d} collect")
        emit("invoice.paid", subject="invoice:1")

    on("invoice.paid", kind="t.paid")(lambda j: ledger(f"{clock.now():%d} paid {j.event.at:%d}"))
    with transaction():
        subscribe(None, registered(None))
    install(ScheduleSpec("day", "t.day", "0 12 * * *", per="tenant"))
    put("t.collect", unit_tenant=standing, due_at=START + timedelta(days=2))
    put("t.collect", unit_tenant=standing, due_at=START + timedelta(days=1))
    before = sql("select generation from core.tenant where id = %s", standing)[0][0]
    advance(standing, START + timedelta(days=2, hours=12))
    assert notes() == [
        "01 schedule", "02 collect", "02 paid 02", "02 schedule", "03 collect", "03 paid 03", "03 schedule",
    ]  # fmt: skip
    at, generation = sql("select clock_at, generation from core.tenant where id = %s", standing)[0]
    assert at == START + timedelta(days=2, hours=12)
    assert generation > before


def test_the_real_scheduler_leaves_test_clocks_alone(standing: UUID) -> None:
    install(ScheduleSpec("day", "t.day", "0 12 * * *", per="tenant"))
    sql("update core.schedule set next_at = now()")
    schedules.tick()
    assert sql("select count(*) from core.job where tenant_id = %s", standing) == [(0,)]


def test_a_clock_does_not_go_back_nor_move_twice_at_once(standing: UUID, tenant: UUID) -> None:
    with pytest.raises(Invalid, match="does not go back"):
        advance(standing, START - timedelta(days=1))
    with pytest.raises(Invalid, match="real time"):
        advance(tenant, START)
    refused = []

    @job("t.meddles")
    def meddles(j: object) -> None:
        try:
            advance(standing, START + timedelta(days=5))
        except Conflict as error:
            refused.append(error.detail)

    put("t.meddles", unit_tenant=standing, due_at=START + timedelta(days=1))
    advance(standing, START + timedelta(days=2))
    assert refused == ["This clock is already moving."]


def test_back_to_real_time_what_waited_gets_its_real_date(standing: UUID) -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    made = put("t.x", unit_tenant=standing, due_at=later)
    stand(standing, None)
    assert row(made)["due_at"] == later
    stand(standing, START)
    assert row(made)["due_at"] is None
