"""What plugins add: a channel, a type of message, a brand. Off means off; a hostile brand is refused as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from chom_core.branding import service as branding
from chom_core.database import clock, transaction
from chom_core.notifications import service
from chom_core.notifications.service import notify
from chom_core.plugin_host import gate, lifecycle
from chom_core.plugin_host.models import InstalledPlugin
from chom_core.plugin_host.registry import registry
from chom_core.values.branding import Brand
from chom_core.work import run_all
from tests.notifications import herald
from tests.notifications.conftest import make_person
from tests.notifications.herald import hooks

pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture(autouse=True)
def plugin(house: None, tenants: tuple[UUID, UUID]) -> Iterator[None]:
    """The herald is the only plugin, and on for the first organisation alone."""
    assert lifecycle  # its import registers the job that turns plugins on
    before = dict(vars(registry))
    registry.__init__()  # type: ignore[misc]
    registry.add([("herald", "0.1", lambda: herald)], "all")
    assert "herald" in registry.loaded, registry.skipped
    gate.forget()
    with transaction() as here:
        answers = sorted(registry.loaded["herald"].hooks)
        here.add(
            InstalledPlugin(
                name="herald", version="0.1", level="tenant", hooks=answers, updated_at=clock.now()
            )
        )
    with transaction(tenants[0]):
        gate.entitle(tenants[0], "plan", ["herald"], "Pro")
        gate.switch(tenants[0], "herald", on=True, by="owner")
    yield
    for memory in (hooks.flown, hooks.trouble, hooks.brand):
        memory.clear()
    vars(registry).update(before)
    gate.forget()


def test_its_channel_delivers_where_it_is_on(tenants: tuple[UUID, UUID]) -> None:
    mara, pia = make_person("Mara", tenants[0]), make_person("Pia", tenants[1])
    for tenant_id in tenants:
        with transaction(tenant_id):
            notify("herald.landed", title="Landed", link="/x", data={"n": 1}, key="one", tenant_id=tenant_id)
            notify("herald.landed", title="Landed", key="one", tenant_id=tenant_id)
    run_all()
    (message,) = hooks.flown
    assert (message.person_id, message.title, message.link) == (mara, "Landed", "https://panel.example/x")
    assert message.data == {"n": 1}
    for tenant_id, person_id, shown in ((tenants[0], mara, True), (tenants[1], pia, False)):
        with transaction(tenant_id):
            columns, rows = service.grid(person_id)
        assert (("pigeon", "Pigeon") in columns) is shown
        assert ("herald.landed" in {row.type.name for row in rows}) is shown


def test_a_pigeon_that_is_lost_flies_again(tenants: tuple[UUID, UUID]) -> None:
    make_person("Mara", tenants[0])
    hooks.trouble.append(OSError("storm"))
    with transaction(tenants[0]):
        notify("herald.landed", title="Landed")
    run_all(reraise=False)
    assert hooks.flown == []
    with transaction() as work:
        work.execute(text("update core.job set due_at = now() where state = 'ready'"))
    run_all()
    assert len(hooks.flown) == 1


def test_what_was_switched_off_meanwhile_is_not_delivered(tenants: tuple[UUID, UUID]) -> None:
    make_person("Mara", tenants[0])
    with transaction(tenants[0]):
        notify("herald.landed", title="Landed")
    with transaction(tenants[0]):
        gate.switch(tenants[0], "herald", on=False, by="owner")
    run_all()
    assert hooks.flown == []


def test_its_brand_wins_where_it_is_on_unless_it_is_hostile(tenants: tuple[UUID, UUID]) -> None:
    def seen(tenant_id: UUID) -> str:
        branding._cache.clear()
        with transaction(tenant_id) as work:
            work.connection()
            return branding.brand_for().name

    hooks.brand.append(Brand(name="Feathers", light={"primary": "#0a6b58"}))
    assert (seen(tenants[0]), seen(tenants[1])) == ("Feathers", "CHOM")
    for hostile in ({"primary": "url(x)"}, {"text": "#eeeeee"}, {"primary": "#fff;}"}):
        hooks.brand[0] = Brand(name="Feathers", light=hostile)
        assert seen(tenants[0]) == "CHOM"
