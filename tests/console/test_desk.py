"""The pages of the desk: who sees them, and that they show what is the case."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.audit import AuditEntry
from chom_core.database import PLATFORM_ID, clock, session, transaction
from chom_core.plugin_host import breaker, gate, hooks, registry
from chom_core.setup import register_core
from chom_core.values.ui import PageSlot
from chom_core.work import GiveUp, Job, JobRow, ScheduleRow, enqueue, handlers, job, run_all
from tests.console.conftest import Desk
from tests.console.glow import hooks as glow_hooks

PAGES = (
    "/staff/",
    "/staff/plugins",
    "/staff/plugins/glow",
    "/staff/organisations",
    "/staff/work",
    "/staff/schedules",
)


@pytest.fixture(autouse=True)
def kinds() -> object:
    before = dict(handlers.KINDS)
    yield None
    handlers.KINDS.clear()
    handlers.KINDS.update(before)


def fail_job(tenant_id: UUID, words: str = "the lamp is broken") -> UUID:
    """A job that gave up."""

    @job("test.fails")
    def fails(current: Job) -> None:
        raise GiveUp(words)

    with transaction(tenant_id):
        made = enqueue("test.fails")
    assert made is not None
    run_all(tenant_id)
    return made


def state_of(job_id: UUID) -> str:
    with transaction() as work:
        return work.get_one(JobRow, job_id).state


@pytest.mark.parametrize("path", PAGES)
def test_the_desk_is_for_staff(desk: Desk, path: str) -> None:
    assert desk.browser("piotr").get(path).status_code == 200
    assert desk.browser("mara").get(path).status_code == 403
    assert desk.app.test_client().get(path).status_code == 303  # to the log-in


def test_today_is_quiet_and_then_is_not(desk: Desk) -> None:
    dana = desk.browser("dana")
    assert "Nothing needs you" in dana.get("/staff/").get_data(as_text=True)
    fail_job(desk.north)
    page = dana.get("/staff/").get_data(as_text=True)
    assert "Nothing needs you" not in page
    assert "test.fails" in page and "the lamp is broken" in page and "Northlight" in page


def test_a_tripped_plugin_shows_with_its_reset(desk: Desk) -> None:
    with transaction():
        gate.switch(desk.north, "glow", on=True, by="staff", note="pilot")
    glow_hooks.faults.append(RuntimeError("lamp canary"))
    for _ in range(breaker.LIMIT):
        with transaction(desk.north):
            hooks.slot_home(PageSlot(desk.north))
    dana = desk.browser("dana")
    for path in ("/staff/", "/staff/plugins", "/staff/plugins/glow", f"/staff/organisations/{desk.north}"):
        page = dana.get(path).get_data(as_text=True)
        assert "lamp canary" in page and "Tripped" in page, path
    assert "kept failing" in desk.browser("mara").get("/organisation/features/glow").get_data(as_text=True)
    glow_hooks.faults.clear()
    answer = desk.browser("piotr").post(f"/staff/plugins/glow/reset/{desk.north}", page="/staff/plugins")
    assert answer.status_code == 303
    assert gate.is_enabled(desk.north, "glow")
    assert "lamp canary" not in dana.get("/staff/").get_data(as_text=True)
    with transaction(desk.north) as work:
        query = select(AuditEntry).where(AuditEntry.action == "plugin.breaker_reset")
        entry = work.scalars(query).one()
    assert entry.actor_name == "Piotr" and entry.before and entry.before["trips"] == 1


def test_the_plugins_page_says_who_answers_what_and_what_is_skipped(desk: Desk) -> None:
    with transaction():
        gate.switch(desk.north, "glow", on=True, by="staff", note="pilot")
    before = next(i for i in registry.implementations["slot_home"] if i.plugin == "glow").calls
    with transaction(desk.north):
        hooks.slot_home(PageSlot(desk.north))
    assert next(i for i in registry.implementations["slot_home"] if i.plugin == "glow").calls == before + 1
    dana = desk.browser("dana")
    page = dana.get("/staff/plugins").get_data(as_text=True)
    assert "its lamp is missing" in page and "1.2.3" in page and "in 1 organisation" in page
    one = dana.get("/staff/plugins/glow").get_data(as_text=True)
    assert "slot_home" in one and f'data-label="Calls">{before + 1}<' in one
    assert "Make things glow" in one
    assert dana.get("/staff/plugins/nothing").status_code == 404


def test_organisations_are_found_and_looked_at_with_a_trace(desk: Desk) -> None:
    dana = desk.browser("dana")
    listed = dana.get("/staff/organisations?q=north").get_data(as_text=True)
    assert "Northlight" in listed and "Pinecrest" not in listed
    by_mail = dana.get("/staff/organisations?q=paul@example.com").get_data(as_text=True)
    assert "Pinecrest" in by_mail and "Northlight" not in by_mail
    page = dana.get(f"/staff/organisations/{desk.north}").get_data(as_text=True)
    for words in (
        "mara@example.com",
        "vera@example.com",
        "Glow",
        "It has bought nothing yet",
        "It runs nothing yet",
    ):
        assert words in page, words
    assert "paul@example.com" not in page
    with transaction(PLATFORM_ID) as work:
        looked = work.scalars(select(AuditEntry.reason).where(AuditEntry.action == "everyone.entered"))
        assert "staff: the organisation Northlight" in list(looked)
    assert dana.get(f"/staff/organisations/{desk.people['mara']}").status_code == 404


def test_failed_work_is_tried_again_one_or_many(desk: Desk) -> None:
    first, second = fail_job(desk.north), fail_job(desk.pine, "another fault")
    piotr = desk.browser("piotr")
    page = piotr.get("/staff/work").get_data(as_text=True)
    assert "the lamp is broken" in page and "another fault" in page
    assert "another fault" not in piotr.get("/staff/work?q=lamp").get_data(as_text=True)
    data = {"id": [str(first), str(second), "nonsense"]}
    answer = piotr.post("/staff/work/retry", data, page="/staff/work", follow_redirects=True)
    assert "2 jobs are back in line" in answer.get_data(as_text=True)
    assert [state_of(one) for one in (first, second)] == ["ready", "ready"]
    again = piotr.post("/staff/work/retry", {"id": [str(first)]}, page="/staff/work", follow_redirects=True)
    assert "This job is ready, not failed" in again.get_data(as_text=True)
    with transaction(desk.pine) as work:
        query = select(AuditEntry).where(AuditEntry.action == "job.retried")
        assert work.scalars(query).one().actor_name == "Piotr"


def test_a_schedule_runs_now_and_keeps_its_next_time(desk: Desk) -> None:
    register_core()
    with transaction() as work:
        row = work.scalars(select(ScheduleRow).where(ScheduleRow.name == "core.breaker_sweep")).one()
    dana = desk.browser("dana")
    page = dana.get("/staff/schedules").get_data(as_text=True)
    assert "core.breaker_sweep" in page and "glow.nightly" in page
    path = f"/staff/schedules/{row.id}/run"
    assert dana.post(path, page="/staff/schedules").status_code == 303
    assert desk.browser("piotr").post(path, page="/staff/work").status_code == 403
    with transaction() as work:
        made = list(work.scalars(select(JobRow).where(JobRow.kind == "core.breaker_sweep")))
        assert len(made) == 1 and made[0].due_at <= clock.machine()
        assert work.get_one(ScheduleRow, row.id).next_at == row.next_at


def test_the_api_lists_and_switches(desk: Desk) -> None:
    from chom_core.identity import service
    from chom_core.identity.models import Person
    from chom_core.values import Principal, Role

    who = Principal("person", desk.people["mara"], desk.north, Role.OWNER, name="Mara")
    with transaction(desk.north, who):
        assert session().get(Person, desk.people["mara"])
        keys = {
            name: service.create_api_key(name, role=role, scopes=scopes).secret
            for name, role, scopes in (
                ("all", "admin", ["features:read", "features:write"]),
                ("viewer", "viewer", ["features:read", "features:write"]),
                ("reads", "admin", ["features:read"]),
            )
        }
        gate.entitle(desk.north, "item:1", ["glow"], "Pro")
    client = desk.app.test_client()
    head = {name: {"Authorization": f"Bearer {secret}"} for name, secret in keys.items()}
    found = {one["name"]: one for one in client.get("/api/v1/features/", headers=head["viewer"]).get_json()}
    assert found["glow"]["why"] == "On: in Pro" and found["glow"]["on"] is True
    assert "beacon" not in found
    url = "/api/v1/features/glow"
    assert client.put(url, json={"on": False}, headers=head["viewer"]).status_code == 403
    assert client.put(url, json={"on": False}, headers=head["reads"]).status_code == 403
    off = client.put(url, json={"on": False, "note": "by script"}, headers=head["all"])
    assert off.status_code == 200 and off.get_json()["on"] is False and "by script" in off.get_json()["why"]
    refused = client.put(url, json={"on": True}, headers=head["all"])
    assert refused.status_code == 422 and "Make things glow" in refused.get_json()["detail"]
    scopes = ["glow:read", "glow:write"]
    assert client.put(url, json={"on": True, "scopes": scopes}, headers=head["all"]).get_json()["on"] is True
    assert client.put("/api/v1/features/beacon", json={"on": True}, headers=head["all"]).status_code == 404
