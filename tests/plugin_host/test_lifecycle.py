"""Law 6 and 4: turns, export, erasure, uninstall; what hangs in the air is found."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import delete, select, text

from chom_core.database import PLATFORM_ID, Tenant, everyone, transaction
from chom_core.plugin_host import gate, lifecycle, registry, settings
from chom_core.plugin_host.models import Entitlement, InstalledPlugin, PluginSettings, PluginSwitch
from chom_core.values.errors import Conflict
from chom_core.values.ids import uuid7
from chom_core.work.models import EventHandlerRow, PluginState, ScheduleRow
from chom_sdk.testing import Organisation, World


def texts(organisation: Organisation) -> list[str]:
    from chom_good import service

    with organisation.acting():
        return [note.text for note in service.notes()]


def write(organisation: Organisation, *words: str) -> None:
    from chom_good import service

    for word in words:
        with organisation.acting():
            service.write(word)


def test_being_switched_on_and_off_is_told_to_the_plugin_once_it_is_committed(
    organisation: Organisation,
) -> None:
    from chom_good.hooks import OUTSIDE

    organisation.enable("good")
    assert texts(organisation) == []
    organisation.world.run_jobs()
    assert texts(organisation) == ["Welcome"]
    assert organisation.id in OUTSIDE
    organisation.disable("good")
    organisation.world.run_jobs()
    assert organisation.id not in OUTSIDE
    organisation.enable("good")
    organisation.world.run_jobs()
    assert texts(organisation) == ["Welcome"]


def test_a_turn_that_has_been_overtaken_is_not_told(organisation: Organisation) -> None:
    organisation.enable("good")
    organisation.disable("good")
    organisation.world.run_jobs()
    assert texts(organisation) == []


def test_a_plugin_that_fails_to_start_takes_nothing_with_it(organisation: Organisation) -> None:
    """The switch stands, its job is tried again."""
    from chom_bad import behaviour

    from chom_core.work.models import JobRow

    behaviour.way = "raises"
    organisation.enable("bad")
    organisation.world.run_jobs(reraise=False)
    with transaction() as here:
        turns = select(JobRow).where(JobRow.kind == "core.plugin_turn", JobRow.args["plugin"].astext == "bad")
        job = here.scalars(turns).one()
        assert job.state == "ready"
        assert "RuntimeError" in (job.last_error or "")
    assert gate.is_enabled(organisation.id, "bad")


def test_export_is_the_plugins_own_answer_or_its_rows(northlight: Organisation) -> None:
    write(northlight, "one", "two")
    with northlight.acting():
        assert [row["text"] for row in lifecycle.export("good", northlight.id)["note"]] == ["two", "one"]
        northlight_rows = lifecycle.export("projects", northlight.id)
    assert northlight_rows == {"project": [], "project_service": []}


def test_erasing_an_organisation_leaves_the_others_alone(
    northlight: Organisation, other_organisation: Organisation
) -> None:
    from chom_good.hooks import OUTSIDE

    other_organisation.enable("good")
    write(northlight, "mine")
    write(other_organisation, "theirs")
    OUTSIDE.add(northlight.id)
    with northlight.acting():
        lifecycle.erase_tenant(northlight.id)
    assert texts(northlight) == []
    assert texts(other_organisation) == ["theirs"]
    assert northlight.id not in OUTSIDE


def test_rows_of_an_organisation_that_is_gone_are_found(chom: World, northlight: Organisation) -> None:
    from chom_good.models import Note

    assert lifecycle.danglers() == {}
    gone = uuid7()
    with everyone("test") as here:
        here.add(Note(tenant_id=gone, text="hangs in the air"))
    assert lifecycle.danglers() == {"plugin_good.note": 1}


def rows_about(plugin: str) -> dict[str, int]:
    found = {}
    with everyone("test") as here:
        for model in (PluginSwitch, Entitlement, PluginState, PluginSettings, EventHandlerRow, ScheduleRow):
            found[model.__tablename__] = len(
                here.scalars(select(model).where(model.__table__.c.plugin == plugin)).all()
            )
        found["installed_plugin"] = len(
            here.scalars(select(InstalledPlugin).where(InstalledPlugin.name == plugin)).all()
        )
    return {name: count for name, count in found.items() if count}


def schemas() -> set[str]:
    with transaction() as here:
        return set(here.scalars(text("select nspname from pg_namespace")))


def test_uninstalling_exports_then_drops_every_trace(
    chom: World, northlight: Organisation, other_organisation: Organisation
) -> None:
    other_organisation.enable("good")
    write(northlight, "mine")
    write(other_organisation, "theirs")
    with northlight.acting():
        settings.write("good", {"token": "secret"})
    assert set(rows_about("good")) == {
        "plugin_switch", "plugin_state", "plugin_settings", "event_handler", "schedule", "installed_plugin"
    }  # fmt: skip
    kept = lifecycle.uninstall("good", chom.server.owner_url(chom.database))
    assert {tenant: [row["text"] for row in data["note"]] for tenant, data in kept.items()} == {
        northlight.id: ["mine"],
        other_organisation.id: ["theirs"],
    }
    assert rows_about("good") == {}
    assert "plugin_good" not in schemas()
    assert {"core", "plugin_projects"} <= schemas()
    assert not gate.is_enabled(northlight.id, "good")
    assert northlight.client().get("/good/").status_code == 404
    assert northlight.client().get("/home").status_code == 200


def test_it_can_be_installed_again_and_starts_empty(chom: World, northlight: Organisation) -> None:
    write(northlight, "mine")
    owner = chom.server.owner_url(chom.database)
    lifecycle.uninstall("good", owner)
    lifecycle.install(registry.loaded["good"], owner)
    assert not gate.is_enabled(northlight.id, "good")
    northlight.enable("good")
    assert texts(northlight) == []


def test_installing_twice_changes_nothing(chom: World, northlight: Organisation) -> None:
    write(northlight, "mine")
    before = rows_about("good")
    lifecycle.install(registry.loaded["good"], chom.server.owner_url(chom.database))
    assert rows_about("good") == before
    assert texts(northlight) == ["mine"]


def test_one_that_others_need_stays(
    chom: World, northlight: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    bad = registry.loaded["bad"]
    monkeypatch.setattr(bad, "plugin", replace(bad.plugin, requires=("good",)))
    with pytest.raises(Conflict, match="bad requires good"):
        lifecycle.uninstall("good", chom.server.owner_url(chom.database))
    assert "plugin_good" in schemas()
    assert rows_about("good")


def test_no_foreign_key_of_a_plugin_crosses_a_schema(chom: World) -> None:
    with transaction() as here:
        crossing = here.scalars(
            text(
                "select c.conname from pg_constraint c join pg_class a on a.oid = c.conrelid"
                " join pg_class b on b.oid = c.confrelid where c.contype = 'f' and a.relnamespace <> b.relnamespace"
            )
        ).all()
    assert crossing == []


def test_an_organisation_can_be_deleted_while_plugins_hold_its_rows(
    chom: World, northlight: Organisation
) -> None:
    from chom_good.models import Note

    from chom_core.identity.models import Membership

    with northlight.acting() as here:
        here.add(Note(tenant_id=northlight.id, text="mine"))
    with transaction() as here:
        here.execute(delete(Membership).where(Membership.tenant_id == northlight.id))
        here.execute(delete(Tenant).where(Tenant.id == northlight.id))
    assert lifecycle.danglers() == {"plugin_good.note": 1}
    assert isinstance(PLATFORM_ID, UUID)
