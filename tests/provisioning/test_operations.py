"""Ordering, driving, failing, cancelling, deleting: the verbs and the engine on a real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from chom_core.database import acting_as, everyone, session, transaction
from chom_core.provisioning import engine, funding, names, nodes, reads, service
from chom_core.provisioning.models import Hostname, Node, Operation, Service
from chom_core.values import Conflict, Invalid, NotFound, PaymentRequired, Refused, Unavailable
from chom_core.values.principal import Principal
from chom_core.values.provisioning import Consequence, Funding, OperationInfo, Refusal, ServiceInfo
from chom_core.work import Event, run_all
from tests.provisioning.toy import driver, hooks

DANA = Principal("person", name="Dana")


def order(tenant: UUID, name: str = "shop", **settings: Any) -> OperationInfo:
    with transaction(tenant, DANA):
        return service.create_service(kind="toy", name=name, title="My shop", settings=settings)


def built(tenant: UUID, name: str = "shop", **settings: Any) -> ServiceInfo:
    made = order(tenant, name, **settings)
    run_all()
    with transaction(tenant):
        return reads.service(made.service_id)


def look(tenant: UUID, service_id: UUID) -> ServiceInfo:
    with transaction(tenant):
        return reads.service(service_id)


def last(tenant: UUID, service_id: UUID) -> OperationInfo:
    with transaction(tenant):
        return reads.operation(reads.operations(service_id)[0].id)


def events(tenant: UUID) -> list[str]:
    with everyone("test") as here:
        query = select(Event.type).where(Event.tenant_id == tenant, Event.type != "operation.progressed")
        return list(here.scalars(query.order_by(Event.id)))


def leftovers(world: Path) -> list[str]:
    found = [
        str(path.relative_to(world))
        for name in ("ports", "machines", "sites")
        for path in (world / name).iterdir()
    ]
    return found + driver._ledger()


def test_a_service_is_built_step_by_step(tenants: tuple[UUID, UUID], node: UUID, world: Path) -> None:
    one, _ = tenants
    made = order(one, colour="red", password="open sesame")
    assert made.status == "queued"
    before = look(one, made.service_id)
    assert (before.status, before.url, before.operation_id) == ("pending", "", made.id)
    run_all()
    found = look(one, made.service_id)
    assert (found.status, found.url, found.node) == ("active", "http://shop.localhost:20000/", "toybox")
    assert found.settings == {"colour": "red", "fail_at": ""}, "the secret field is not among the settings"
    done = last(one, made.service_id)
    assert (done.status, done.requested_by, done.seconds_left) == ("succeeded", "Dana", None)
    assert [(s.name, s.status, s.attempts) for s in done.steps] == [
        (name, "done", 1) for name in ("port", "folder", "machine", "ledger", "run", "verify")
    ]
    assert events(one) == ["service.created", "service.active"]
    with transaction(one):
        log = [line.text for line in reads.lines(done.id)]
    assert log == ["made with •••"], "a secret never reaches the log"


def test_the_log_is_read_from_where_the_reader_is(tenants: tuple[UUID, UUID], node: UUID) -> None:
    info = built(tenants[0])
    operation = last(tenants[0], info.id)
    with transaction(tenants[0]):
        (line,) = reads.lines(operation.id)
        assert reads.lines(operation.id, after=line.seq) == []
        assert line.seq < operation.seq


def test_another_organisation_sees_nothing(tenants: tuple[UUID, UUID], node: UUID) -> None:
    mine = built(tenants[0])
    operation = last(tenants[0], mine.id)
    with transaction(tenants[1]):
        assert reads.services() == []
        assert reads.lines(operation.id) == []
        for attempt in (
            lambda: reads.service(mine.id),
            lambda: reads.operation(operation.id),
            lambda: service.stop_service(mine.id),
            lambda: service.delete_service(mine.id, "shop"),
            lambda: service.cancel_operation(operation.id),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_a_name_is_taken_once_on_the_platform(tenants: tuple[UUID, UUID], node: UUID) -> None:
    one, two = tenants
    order(one, "shop")
    with pytest.raises(Invalid) as refused:
        order(two, "shop")
    assert refused.value.fields == {"name": ["This name is taken. Choose another one."]}
    with transaction(two):
        assert names.check("shop") and not names.check("shop2")
        assert reads.services() == []
        assert session().get_one(Node, node).used == 1, "the refused order gave its place back"


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "9a", "Ä", "a_b", "a.b", "www", "xn--a", "ab--c", "a" * 64, "a b"]
)
def test_a_bad_name_is_refused(tenants: tuple[UUID, UUID], node: UUID, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        order(tenants[0], name)
    assert list(refused.value.fields) == ["name"]


def test_bad_fields_are_named(tenants: tuple[UUID, UUID], node: UUID) -> None:
    with pytest.raises(Invalid) as refused:
        order(tenants[0], colour="mauve")
    assert list(refused.value.fields) == ["colour"]
    with pytest.raises(Invalid) as refused, transaction(tenants[0]):
        service.create_service(kind="castle", name="shop")
    assert list(refused.value.fields) == ["kind"]


def test_no_money_no_service(tenants: tuple[UUID, UUID], node: UUID) -> None:
    funding.register(lambda order: Funding(False, "Your plan has no site left.", fix="Upgrade to Pro."))
    with pytest.raises(PaymentRequired) as refused:
        order(tenants[0])
    assert (refused.value.detail, refused.value.fix) == ("Your plan has no site left.", "Upgrade to Pro.")
    with transaction(tenants[0]) as here:
        assert reads.services() == []
        assert here.scalar(select(Hostname.id)) is None
    assert events(tenants[0]) == []


def test_what_pays_is_kept(tenants: tuple[UUID, UUID], node: UUID) -> None:
    funding.register(lambda order: Funding(True, "Included in Pro", reference=f"item:{order.kind}"))
    assert built(tenants[0]).paid_by == "item:toy"


def test_an_order_check_can_refuse(tenants: tuple[UUID, UUID], node: UUID) -> None:
    hooks.refusals.append(Refusal("Your budget is used up.", "Raise it."))
    with pytest.raises(Refused, match="budget"):
        order(tenants[0])


def test_without_room_nothing_is_ordered(tenants: tuple[UUID, UUID], node: UUID) -> None:
    with transaction():
        nodes.edit_node(node, capacity=1)
    order(tenants[0], "first")
    with pytest.raises(Unavailable):
        order(tenants[0], "second")
    with transaction():
        nodes.edit_node(node, capacity=5)
        nodes.set_status(node, "draining")
    with pytest.raises(Unavailable):
        order(tenants[0], "third")


@pytest.mark.parametrize("step", ["folder", "run", "verify"])
def test_a_failed_build_takes_everything_back(
    tenants: tuple[UUID, UUID], node: UUID, world: Path, step: str
) -> None:
    one, _ = tenants
    info = built(one, fail_at=step)
    assert (info.status, info.url) == ("failed", ""), (
        "its facts are forgotten with the steps that recorded them"
    )
    assert leftovers(world) == []
    failed = last(one, info.id)
    assert failed.status == "undone"
    assert f"{step} is broken." in failed.error
    assert failed.fix == "Mend the toy."
    assert next(s for s in failed.steps if s.name == step).attempts == 3
    assert events(one) == ["service.created", "service.failed"]


def test_a_failed_build_can_be_tried_again(tenants: tuple[UUID, UUID], node: UUID, world: Path) -> None:
    one, _ = tenants
    info = built(one, fail_at="run")
    with everyone("mend") as here:
        here.get_one(Service, info.id).settings = {}
    with transaction(one):
        again = service.retry_operation(last(one, info.id).id)
    run_all()
    assert look(one, info.id).status == "active"
    assert sorted(leftovers(world))[-2:] == ["shop", "sites/shop"]
    with transaction(one), pytest.raises(Conflict):
        service.retry_operation(again.id)


def test_no_service_is_active_without_its_own_marker(
    tenants: tuple[UUID, UUID], node: UUID, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        driver, "VERIFY", driver.Step("verify", "Look", apply=lambda c: "another's", proves=True)
    )
    info = built(tenants[0])
    assert info.status == "failed"
    assert "Something else answers" in last(tenants[0], info.id).error
    monkeypatch.setattr(driver, "VERIFY", driver.Step("verify", "Look", apply=lambda c: None))
    info = built(tenants[0], "second")
    assert info.status == "failed"
    assert "no step that proves" in last(tenants[0], info.id).error


def test_stop_start_restart_and_own_actions(tenants: tuple[UUID, UUID], node: UUID, world: Path) -> None:
    one, _ = tenants
    info = built(one)
    running = world / "sites" / "shop" / "running"
    for action, status in (
        ("stop", "stopped"),
        ("start", "active"),
        ("restart", "active"),
        ("paint", "active"),
    ):
        with transaction(one):
            service.act(info.id, action, {"colour": "gold"} if action == "paint" else None)
        run_all()
        assert look(one, info.id).status == status
        assert running.exists() == (status == "active")
    assert look(one, info.id).facts["colour"] == "gold"
    with transaction(one), pytest.raises(Conflict, match="not possible then"):
        service.start_service(info.id)
    with transaction(one), pytest.raises(NotFound):
        service.act(info.id, "explode")


def test_a_start_that_fails_leaves_it_stopped(
    tenants: tuple[UUID, UUID], node: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = tenants
    info = built(one)
    with transaction(one):
        service.stop_service(info.id)
    run_all()
    monkeypatch.setattr(driver, "VERIFY", driver.Step("verify", "Look", apply=lambda c: "", proves=True))
    with transaction(one):
        service.start_service(info.id)
    run_all()
    assert look(one, info.id).status == "stopped"


def test_one_operation_at_a_time(tenants: tuple[UUID, UUID], node: UUID) -> None:
    one, _ = tenants
    info = built(one)
    with transaction(one):
        service.stop_service(info.id)
        with pytest.raises(Conflict, match="still running"):
            service.restart_service(info.id)


def test_the_database_itself_holds_one_open_operation(tenants: tuple[UUID, UUID], node: UUID) -> None:
    one, _ = tenants
    made = order(one)
    with pytest.raises(Exception, match="uq_operation_open"), transaction(one) as here:
        here.add(Operation(tenant_id=one, service_id=made.service_id, action="stop"))


def test_deleting_needs_the_name_and_leaves_no_trace(
    tenants: tuple[UUID, UUID], node: UUID, world: Path
) -> None:
    one, two = tenants
    info = built(one)
    with transaction(one), pytest.raises(Invalid, match="attention"):
        service.delete_service(info.id, "ship")
    with transaction(one):
        service.delete_service(info.id, "shop")
    run_all()
    assert look(one, info.id).status == "deleted"
    assert leftovers(world) == ["shop"], "the ledger's line is history; ports, machines and files are gone"
    with transaction(one) as here:
        assert reads.services() == [] and reads.count() == 0
        assert here.get_one(Node, node).used == 0
    assert events(one)[-1] == "service.deleted"
    assert built(two, "shop").status == "active", "the name is free again"


def test_cancelling_before_it_begins(tenants: tuple[UUID, UUID], node: UUID, world: Path) -> None:
    made = order(tenants[0])
    with transaction(tenants[0]):
        assert service.cancel_operation(made.id).status == "cancelled"
    run_all()
    assert look(tenants[0], made.service_id).status == "deleted"
    assert leftovers(world) == []
    with transaction(tenants[0]):
        assert not names.taken("shop")


def test_cancelling_in_mid_build(
    tenants: tuple[UUID, UUID], node: UUID, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = order(tenants[0])

    def cancel(name: str) -> None:  # as a person would, from another process
        if name == "machine made":
            with acting_as("core"), transaction(tenants[0]):
                service.cancel_operation(made.id)

    monkeypatch.setattr(driver, "boundary", cancel)
    run_all()
    assert last(tenants[0], made.service_id).status == "cancelled"
    assert look(tenants[0], made.service_id).status == "deleted"
    assert leftovers(world) == []


def test_suspending_and_back(tenants: tuple[UUID, UUID], node: UUID, world: Path) -> None:
    one, _ = tenants
    info = built(one)
    for _round in range(2):
        with transaction(one):
            service.suspend_service(info.id, "Unpaid invoice 7")
        run_all()
        assert look(one, info.id).status == "suspended"
        assert not (world / "sites" / "shop" / "running").exists()
        with transaction(one), pytest.raises(Conflict):
            service.start_service(info.id)
        with transaction(one):
            assert service.suspend_service(info.id, "again") is None
            service.unsuspend_service(info.id)
        run_all()
        assert look(one, info.id).status == "active"
    with transaction(one):
        service.stop_service(info.id)
    run_all()
    with transaction(one):
        service.suspend_service(info.id, "Unpaid")
    run_all()
    with transaction(one):
        assert service.unsuspend_service(info.id) is None
    assert look(one, info.id).status == "stopped", "what the customer had stopped stays stopped"


def test_a_runner_that_lost_its_place_writes_nothing(
    tenants: tuple[UUID, UUID], node: UUID, world: Path
) -> None:
    """A worker that was paused while another took over must not write when it wakes up."""
    made = order(tenants[0])
    seen: list[str] = []

    def overtaken(name: str) -> None:
        if name == "folder made" and not seen:
            seen.append("")
            with acting_as("core"):
                seen[0] = engine.drive(tenants[0], made.id)

    driver.boundary, kept = overtaken, driver.boundary
    try:
        assert engine.drive(tenants[0], made.id) == "superseded"
    finally:
        driver.boundary = kept
    assert seen == ["succeeded"]
    assert driver._ledger() == ["shop"]
    assert last(tenants[0], made.service_id).status == "succeeded"


def test_a_step_that_kills_its_worker_every_time_ends(
    tenants: tuple[UUID, UUID], node: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(context: Any) -> None:
        raise Killed

    monkeypatch.setattr(driver, "RUN", driver.Step("run", "Start", apply=die))
    made = order(tenants[0])
    for _attempt in range(engine.MOST_ATTEMPTS):
        with pytest.raises(Killed):
            engine.drive(tenants[0], made.id)
    assert engine.drive(tenants[0], made.id) == "undone"
    assert "again and again" in last(tenants[0], made.service_id).error


def test_a_driver_that_is_gone_makes_the_operation_wait(
    tenants: tuple[UUID, UUID], node: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = order(tenants[0])
    monkeypatch.setattr(driver.ToyDriver, "name", "other")
    with pytest.raises(Unavailable, match="toy is not available"):
        engine.drive(tenants[0], made.id)
    monkeypatch.undo()


def test_a_driver_cannot_write_the_cores_tables(
    tenants: tuple[UUID, UUID], node: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meddle(context: Any) -> None:
        with transaction(tenants[0]) as here:
            here.execute(text("select 1"))
            here.get_one(Service, context.service.id).status = "active"

    monkeypatch.setattr(driver, "RUN", driver.Step("run", "Start", apply=meddle))
    info = built(tenants[0])
    assert info.status == "failed"
    assert "not its own" in last(tenants[0], info.id).error


def test_lists_filter_search_and_page(tenants: tuple[UUID, UUID], node: UUID) -> None:
    one, _ = tenants
    for name in ("beta", "alpha", "gamma"):
        order(one, name)
    run_all()
    with transaction(one):
        newest = reads.services(limit=2)
        assert [s.name for s in newest] == ["gamma", "alpha"]
        assert [s.name for s in reads.services(after=newest[-1].id)] == ["beta"]
        assert [s.name for s in reads.services(search="AM")] == ["gamma"]
        assert reads.services(search="%") == [] and reads.services(search="_") == []
        assert reads.services(status="stopped") == [] and reads.services(kind="other") == []
        assert reads.count("site") == 3 and reads.count("server") == 0


def test_what_a_deletion_means(tenants: tuple[UUID, UUID], node: UUID) -> None:
    hooks.consequences.append(Consequence("The blog reads its database.", "depends"))
    funding.register(lambda order: Funding(True), ends=lambda service: [f"$4.00/month for {service.name}"])
    info = built(tenants[0])
    with transaction(tenants[0]):
        told = [(line.sort, line.text) for line in service.consequences(info)]
    assert told == [
        ("goes", "The address http://shop.localhost:20000/ and everything on it."),
        ("billing", "$4.00/month for shop"),
        ("depends", "The blog reads its database."),
    ]


def test_renaming_changes_the_title_only(tenants: tuple[UUID, UUID], node: UUID) -> None:
    info = built(tenants[0])
    with transaction(tenants[0]):
        renamed = service.rename_service(info.id, "  The   Shop ")
    assert (renamed.title, renamed.name) == ("The Shop", "shop")
