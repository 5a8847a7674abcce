"""Law 2, the breaker: five failures take a plugin out of its open hooks, for that organisation, for a while."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from chom_core.database import PLATFORM_ID, clock, transaction
from chom_core.plugin_host import breaker, gate, hooks
from chom_core.plugin_host.models import Breaker
from chom_core.values.errors import PluginFailed
from chom_core.values.ui import PageSlot
from chom_sdk.testing import Organisation, World
from tests.plugin_host.test_dispatch import go, tax_query


@pytest.fixture
def two(chom: World) -> tuple[UUID, UUID]:
    """Two organisations with the bad plugin on."""
    made = chom.organisation("Northlight"), chom.organisation("Pinecrest")
    for organisation in made:
        organisation.enable("bad")
    return made[0].id, made[1].id


def ask(tenant_id: UUID, times: int = 1) -> list[str]:
    """Ask the open hook; the answers' plugins of the last time."""
    asked: list[str] = []
    for _ in range(times):
        with transaction(tenant_id):
            asked = [plugin for plugin, *_ in hooks.slot_home(PageSlot(tenant_id))]
    return asked


def state(tenant_id: UUID) -> str | None:
    with transaction() as here:
        return here.scalar(select(Breaker.state).where(Breaker.tenant_id == tenant_id))


def wait_is_over(tenant_id: UUID, longer: timedelta = timedelta()) -> None:
    with transaction() as here:
        past = clock.machine() - longer - timedelta(seconds=1)
        here.execute(update(Breaker).where(Breaker.tenant_id == tenant_id).values(retry_at=past))
    breaker.sweep()


def test_it_trips_at_the_fifth_failure_and_only_for_that_organisation(two: tuple[UUID, UUID]) -> None:
    go("raises")
    assert ask(two[0], 4) == ["bad"]
    assert state(two[0]) is None
    assert ask(two[0]) == ["bad"]
    assert state(two[0]) == "open"
    assert ask(two[0]) == []
    assert ask(two[1]) == ["bad"]
    assert state(two[1]) is None


def test_the_why_names_the_error(two: tuple[UUID, UUID]) -> None:
    go("raises")
    ask(two[0], 5)
    with transaction():
        found = gate.effective_state(two[0], "bad")
    assert not found.on
    assert found.wanted
    assert found.why == "Off: it kept failing: slot_home: RuntimeError: bad on purpose"


def test_closed_hooks_are_asked_all_the_same(two: tuple[UUID, UUID]) -> None:
    """Leaving a tax out in silence would be worse than stopping."""
    go("raises")
    ask(two[0], 5)
    with transaction(two[0]), pytest.raises(PluginFailed):
        hooks.billing_tax(tax_query(two[0]))


def test_after_its_wait_one_failure_trips_it_again_for_twice_as_long(two: tuple[UUID, UUID]) -> None:
    go("raises")
    ask(two[0], 5)
    wait_is_over(two[0])
    assert state(two[0]) == "half_open"
    assert ask(two[0]) == ["bad"]
    assert state(two[0]) == "open"
    with transaction() as here:
        row = here.scalars(select(Breaker).where(Breaker.tenant_id == two[0])).one()
        assert row.trips == 2
        assert row.retry_at is not None
        assert row.retry_at - clock.machine() > breaker.WAIT * 1.9


def test_an_hour_of_peace_closes_it(two: tuple[UUID, UUID]) -> None:
    go("raises")
    ask(two[0], 5)
    wait_is_over(two[0])
    go("")
    assert ask(two[0]) == ["bad"]
    wait_is_over(two[0], breaker.PEACE)
    assert state(two[0]) is None
    assert ask(two[0]) == ["bad"]


def test_staff_reset_it_by_hand(two: tuple[UUID, UUID]) -> None:
    go("raises")
    ask(two[0], 5)
    with transaction():
        breaker.reset(two[0], "bad")
    go("")
    assert ask(two[0]) == ["bad"]


def test_failures_long_apart_do_not_trip(two: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    go("raises")
    now = [0.0]
    monkeypatch.setattr(breaker, "monotonic", lambda: now[0])
    for _ in range(10):
        ask(two[0])
        now[0] += breaker.WINDOW_S / 4 + 1
    assert state(two[0]) is None


def test_the_caller_that_rolls_back_does_not_take_the_trip_with_it(two: tuple[UUID, UUID]) -> None:
    go("raises")

    def page_that_fails() -> None:
        with transaction(two[0]):
            hooks.slot_home(PageSlot(two[0]))
            raise ZeroDivisionError

    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            page_that_fails()
    assert state(two[0]) == "open"


def test_tripped_means_404_on_its_pages_and_no_jobs(chom: World, organisation: Organisation) -> None:
    organisation.enable("bad")
    go("raises")
    ask(organisation.id, 5)
    go("")
    assert organisation.client().get("/bad/").status_code == 404
    assert not gate.is_enabled(organisation.id, "bad")
    assert gate.is_enabled(PLATFORM_ID, "bad") is False
