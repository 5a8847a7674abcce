"""Events: numbered by subject, fanned out in their own transaction to whoever is on."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from chom_core.database import transaction
from chom_core.work import Job, Subscription, emit, handlers, on, run_all, subscribe
from chom_core.work.events import registered
from tests.harness.crash_place import make_tenant
from tests.work.helpers import ledger, notes, sql


def subscribe_all() -> None:
    with transaction():
        for plugin in {kind.plugin for kind in handlers.KINDS.values()}:
            subscribe(plugin, registered(plugin))


def switch_on(tenant: UUID, plugin: str) -> None:
    sql(
        "insert into core.plugin_state (id, created_at, tenant_id, plugin)"
        " values (gen_random_uuid(), now(), %s, %s)",
        tenant,
        plugin,
    )


def test_an_event_reaches_the_core_and_the_plugins_that_are_on(tenant: UUID) -> None:
    on("invoice.paid", kind="core.seen")(
        lambda j: ledger(f"core {j.event.subject} {j.event.payload['cents']}")
    )
    for plugin in ("projects", "referrals"):
        with handlers.registering(plugin):
            on("invoice.paid", kind=f"{plugin}.seen")(lambda j: ledger(f"{j.plugin} {j.event.seq}"))
    subscribe_all()
    switch_on(tenant, "projects")
    switch_on(make_tenant(), "referrals")
    with transaction(tenant):
        emit("invoice.paid", subject="invoice:7", payload={"cents": 2900})
        emit("invoice.opened", subject="invoice:7")
    assert run_all() == 2
    assert sorted(notes()) == ["core invoice:7 2900", "projects 1"]


def test_an_event_that_rolls_back_never_was(tenant: UUID) -> None:
    on("invoice.paid", kind="core.seen")(lambda j: ledger("seen"))
    subscribe_all()
    with transaction(tenant) as unit:
        emit("invoice.paid", subject="invoice:7")
        unit.rollback()
    assert (run_all(), sql("select count(*) from core.event")) == (0, [(0,)])


def test_numbers_of_a_subject_have_no_gap_and_no_double_even_in_a_crowd(tenant: UUID) -> None:
    def many() -> None:
        for _ in range(20):
            with transaction(tenant):
                emit("site.changed", subject="site:1")

    crowd = [threading.Thread(target=many) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    with transaction(tenant):
        emit("site.changed", subject="site:2")
    with transaction(make_tenant()):
        emit("site.changed", subject="site:1")
    found = sql("select seq from core.event where tenant_id = %s and subject = 'site:1' order by seq", tenant)
    assert [seq for (seq,) in found] == list(range(1, 81))
    assert sql("select max(seq) from core.event where tenant_id is distinct from %s", tenant) == [(1,)]


def test_a_delivery_has_one_id_for_event_handler_and_plugin(tenant: UUID) -> None:
    for plugin in ("a", "b"):
        with handlers.registering(plugin):
            on("x.y", kind="shared.name" if plugin == "a" else "b.seen")(lambda j: None)
        switch_on(tenant, plugin)
    subscribe_all()
    with transaction():
        subscribe("b", [Subscription("x.y", "shared.name"), Subscription("x.y", "b.seen", "mail", 2)])
    with transaction(tenant):
        made = emit("x.y", subject="s:1")
    rows = sql("select id, pool, max_attempts, key from core.job order by id")
    assert len({row[0] for row in rows}) == 3
    assert all(str(row[0])[:13] == str(made)[:13] and row[3].startswith(f"event:{made}:") for row in rows)
    assert sorted(row[1:3] for row in rows) == [("default", 5), ("default", 5), ("mail", 2)]


def test_subscriptions_are_replaced_whole() -> None:
    with transaction():
        subscribe("projects", [Subscription("a", "k"), Subscription("b", "k")])
        subscribe(None, [Subscription("a", "core.k")])
        subscribe("projects", [Subscription("b", "k", "mail")])
    assert sql("select plugin, event_type, pool from core.event_handler order by event_type") == [
        (None, "a", "default"),
        ("projects", "b", "mail"),
    ]
    with transaction():
        subscribe("projects", [])
    assert sql("select count(*) from core.event_handler") == [(1,)]


def test_only_a_delivery_has_an_event() -> None:
    with pytest.raises(KeyError):
        _ = Job(UUID(int=1), None, None, "k", {}).event
