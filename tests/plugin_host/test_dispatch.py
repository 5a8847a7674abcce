"""Law 2 and 4: each implementation on its own, with its name; nobody's error reaches the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.database import Tenant, actor, session, transaction
from chom_core.database.actor import ForeignWrite
from chom_core.plugin_host import dispatch, gate, hooks, registry, said
from chom_core.plugin_host.registry import Skipped
from chom_core.values.billing import Customer, LinesQuery, SellerFacts, TaxQuery
from chom_core.values.errors import PluginFailed
from chom_core.values.ids import uuid7
from chom_core.values.ui import PageSlot, Panel
from chom_sdk.testing import Organisation, World

WRITES = ("writes_orm", "flushes_orm", "writes_core", "writes_cte", "dirties", "commits", "rolls_back")


@pytest.fixture
def both(northlight: Organisation) -> Iterator[Organisation]:
    """Northlight, with the good and the bad plugin on."""
    northlight.enable("bad")
    return northlight


def go(way: str) -> None:
    from chom_bad import behaviour

    behaviour.way = way


def seen() -> list[object]:
    from chom_bad import behaviour

    return behaviour.seen


def tax_query(tenant_id: UUID) -> TaxQuery:
    return TaxQuery(
        SellerFacts(uuid7(), "Us"), Customer(tenant_id), "XTS", (), datetime(2026, 1, 1, tzinfo=UTC)
    )


def names() -> set[str]:
    with transaction() as here:
        return set(here.scalars(select(Tenant.name)))


@pytest.mark.parametrize(
    "way", ["raises", "breaks_sql", "swallows", "garbage", "sequence_of_garbage", *WRITES]
)
def test_one_that_fails_takes_nobody_with_it(both: Organisation, way: str) -> None:
    """The others answer; the caller's own work, flushed and unflushed, is there and is committed."""
    go(way)
    with transaction(both.id):
        renamed = session().get_one(Tenant, both.id)
        renamed.name = "Northlight & Sons"
        unflushed = Tenant(
            name="Waiting", slug=f"w{uuid7().hex[-8:]}", kind="customer", parent_id=renamed.parent_id
        )
        session().add(unflushed)
        answers = {plugin: (value, error) for plugin, value, error in hooks.slot_home(PageSlot(both.id))}
        assert isinstance(answers["good"][0], Panel)
        assert answers["bad"][0] is None
        assert isinstance(answers["bad"][1], Exception)
        assert session().scalar(select(Tenant.name).where(Tenant.id == both.id)) == "Northlight & Sons"
        assert actor() == "core"
    assert {"Northlight & Sons", "Waiting"} <= names()
    assert "Mallory" not in names()


@pytest.mark.parametrize("way", WRITES)
def test_a_write_in_a_hook_that_reads_is_called_by_its_name(both: Organisation, way: str) -> None:
    go(way)
    with transaction(both.id):
        errors = [error for _, _, error in hooks.slot_home(PageSlot(both.id)) if error]
    assert [type(error) for error in errors] == [ForeignWrite]


def totals(plugin: str) -> tuple[int, int]:
    """How often this process asked `plugin`, and the nanoseconds it took."""
    asked = next(i for i in registry.implementations["slot_home"] if i.plugin == plugin)
    return asked.calls, asked.ns


def test_answers_carry_the_plugins_name_and_each_has_its_time(both: Organisation) -> None:
    hooks.caller("slot_home").watch()
    before = {name: totals(name) for name in ("good", "bad")}
    with transaction(both.id):
        answers = hooks.slot_home(PageSlot(both.id))
    assert [plugin for plugin, *_ in answers] == ["good", "bad"]
    assert all(totals(name)[1] > before[name][1] for name in before)


def test_most_calls_are_not_timed_and_the_timed_ones_stand_for_them(both: Organisation) -> None:
    before = totals("good")[0]
    hooks.caller("slot_home").watch()
    calls = dispatch.WATCHED + 2 * dispatch.EVERY
    with transaction(both.id):
        for _ in range(calls):
            hooks.slot_home(PageSlot(both.id))
    assert calls - dispatch.EVERY <= totals("good")[0] - before <= calls + dispatch.EVERY


@pytest.mark.parametrize(
    "way", ["raises", "breaks_sql", "swallows", "garbage", "sequence_of_garbage", "dirties", "writes_orm"]
)
def test_one_that_starts_to_fail_once_nobody_watches_is_found_out(both: Organisation, way: str) -> None:
    """The quick way gives up at the first oddness and asks again one by one: the answers are the same."""
    hooks.caller("slot_home").watch()
    go("")
    with transaction(both.id):
        for _ in range(dispatch.WATCHED + 2):
            hooks.slot_home(PageSlot(both.id))
        go(way)
        answers = {plugin: (value, error) for plugin, value, error in hooks.slot_home(PageSlot(both.id))}
        assert session().scalar(select(Tenant.name).where(Tenant.id == both.id)) == "Northlight"
    assert isinstance(answers["good"][0], Panel)
    assert isinstance(answers["bad"][1], Exception)
    assert "Mallory" not in names()


def test_values_leave_out_what_failed_and_what_was_silent(both: Organisation) -> None:
    go("raises")
    with transaction(both.id):
        assert [type(value) for value in said(hooks.slot_home(PageSlot(both.id)))] == [Panel]


def test_a_closed_hook_stops_and_names_the_plugin(both: Organisation) -> None:
    go("raises")
    with (
        transaction(both.id),
        pytest.raises(PluginFailed, match="bad failed while answering billing_tax") as stopped,
    ):
        hooks.billing_tax(tax_query(both.id))
    assert stopped.value.plugin == "bad"
    assert isinstance(stopped.value.__cause__, RuntimeError)


@pytest.mark.parametrize("way", ["breaks_sql", "swallows", "garbage", "dirties"])
def test_a_closed_hook_that_stopped_leaves_the_transaction_usable(both: Organisation, way: str) -> None:
    """The caller may show the error on a page of the same request."""
    go(way)
    with transaction(both.id):
        session().get_one(Tenant, both.id).zone = "Europe/Vienna"
        with pytest.raises(PluginFailed):
            hooks.billing_tax(tax_query(both.id))
    with transaction() as here:
        assert here.get_one(Tenant, both.id).zone == "Europe/Vienna"


def test_nobody_asked_means_nobody_called(chom: World, organisation: Organisation) -> None:
    go("raises")
    with transaction(organisation.id):
        assert hooks.slot_home(PageSlot(organisation.id)) == ()


def test_others_rows_stay_unseen_however_a_plugin_asks(
    both: Organisation, other_organisation: Organisation
) -> None:
    from chom_bad import behaviour

    both.service("mine")
    other_organisation.service("secret")
    behaviour.victim = other_organisation.id
    go("spies")
    with transaction(both.id):
        hooks.slot_home(PageSlot(both.id))
    assert seen() == [
        ("orm", ["mine"]), ("text", ["mine"]), ("id", []), ("nobody", []), ("write", "ForeignWrite")
    ]  # fmt: skip


def test_a_flood_of_queries_is_one_savepoint_and_is_measured(both: Organisation) -> None:
    go("floods")
    with transaction(both.id):
        hooks.caller("slot_home").watch()
        before = {name: totals(name)[1] for name in ("good", "bad")}
        hooks.slot_home(PageSlot(both.id))
        assert session().scalar(select(Tenant.id).where(Tenant.id == both.id)) == both.id
    assert seen() == ["flooded"]
    assert totals("bad")[1] - before["bad"] > totals("good")[1] - before["good"]


def test_one_that_takes_too_long_counts_as_failing_and_still_answers(
    both: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "SLOW_NS", 10_000_000)
    go("hangs")
    hooks.caller("slot_home").watch()
    bad = next(i for i in registry.implementations["slot_home"] if i.plugin == "bad")
    before = bad.errors
    with transaction(both.id):
        hooks.slot_home(PageSlot(both.id))
    assert bad.errors == before + 1
    assert bad.last_error.startswith("Slow: took")


@pytest.fixture
def gone(both: Organisation) -> Iterator[Organisation]:
    """The bad plugin is on for Northlight, but this process could not load it."""
    with transaction() as here:
        from chom_core.plugin_host.models import InstalledPlugin

        row = here.scalars(select(InstalledPlugin).where(InstalledPlugin.name == "bad")).one()
        assert "billing_tax" in row.hooks
    loaded = registry.loaded.pop("bad")
    registry.skipped["bad"] = Skipped("bad", "1.0", "its schema is behind")
    registry._collect()
    gate.forget()
    yield both
    registry.loaded["bad"] = loaded
    del registry.skipped["bad"]
    registry._collect()
    gate.forget()


def test_enabled_but_not_loaded_is_an_error_of_closed_hooks_only(gone: Organisation) -> None:
    with transaction(gone.id):
        with pytest.raises(PluginFailed, match="bad is enabled but not loaded: its schema is behind"):
            hooks.billing_tax(tax_query(gone.id))
        assert [plugin for plugin, *_ in hooks.slot_home(PageSlot(gone.id))] == ["good"]


def test_not_loaded_and_not_enabled_disturbs_nobody(
    gone: Organisation, other_organisation: Organisation
) -> None:
    with transaction(other_organisation.id):
        assert hooks.billing_tax(tax_query(other_organisation.id)) == ()


def test_bills_are_rated_with_the_good_plugins_answers(northlight: Organisation) -> None:
    with transaction(northlight.id):
        assert said(hooks.billing_tax(tax_query(northlight.id)))[0].rate == Decimal(10)
        query = LinesQuery(Customer(northlight.id), "XTS", (), datetime(2026, 1, 1, tzinfo=UTC))
        assert [line.description for line in said(hooks.billing_lines(query))[0]] == ["Good discount"]


def test_outside_of_a_unit_a_hook_opens_one_for_the_platform(chom: World) -> None:
    with chom.staff():
        from chom_core.database import PLATFORM_ID

        gate.switch(PLATFORM_ID, "good", on=True, by="staff")
    assert hooks.slot_staff_today(PageSlot(None)) != ()


# -- what people see -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["raises", "breaks_sql", "swallows", "garbage", "leaks_text", "dirties"])
def test_a_page_stays_whole_and_says_who_failed_to_those_who_can_act(both: Organisation, way: str) -> None:
    from chom_core.values.principal import Role

    go(way)
    page = both.client(Role.ADMIN).get("/home")
    assert page.status_code == 200
    assert "good@home" in page.text
    assert "Bad" in page.text
    assert "<script>alert(1)" not in page.text
    assert "on purpose" not in page.text  # the traceback's words are the staff's
    assert "Bad" not in both.client(Role.VIEWER).get("/home").text


@pytest.mark.parametrize("way", ["raises", "breaks_sql", "swallows", "dirties", "flushes_orm", "commits"])
def test_a_template_that_fails_is_a_card_too(both: Organisation, way: str) -> None:
    service_id = both.service("corner")
    go(way)
    page = both.client().get(f"/services/{service_id}")
    assert page.status_code == 200
    assert "drawn by bad" not in page.text
    assert "good@service_overview" in page.text
    assert "Mallory" not in names()


@pytest.mark.parametrize("way", ["garbage", "sequence_of_garbage", "leaks_text", "breaks_sql"])
def test_the_list_of_services_bears_garbage_in_its_columns_and_filters(both: Organisation, way: str) -> None:
    both.service("corner")
    go(way)
    page = both.client().get("/services/")
    assert page.status_code == 200
    assert "corner" in page.text
    assert "<script>alert(1)" not in page.text


@pytest.mark.parametrize("way", ["raises", "breaks_sql", "writes_core", "flushes_orm"])
def test_a_plugins_own_page_fails_alone(both: Organisation, way: str) -> None:
    go(way)
    both.world.app.testing = False
    try:
        answer = both.client().get("/bad/")
    finally:
        both.world.app.testing = True
    assert answer.status_code == 500
    assert "Mallory" not in names()
    go("")
    assert both.client().get("/bad/").status_code == 200


def test_a_plugins_job_fails_alone(both: Organisation) -> None:
    from chom_core.work import enqueue
    from chom_core.work.models import JobRow

    go("writes_core")
    with transaction(both.id):
        enqueue("bad.job")
        both_ids = enqueue("good.tidy")
    both.world.run_jobs(reraise=False)
    with transaction() as here:
        states = dict(here.execute(select(JobRow.kind, JobRow.state)).all())
        assert states["good.tidy"] == "done"
        assert states["bad.job"] == "ready"
        assert "ForeignWrite" in str(here.scalar(select(JobRow.last_error).where(JobRow.kind == "bad.job")))
    assert both_ids
    assert "Mallory" not in names()
