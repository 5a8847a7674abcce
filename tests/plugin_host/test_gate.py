"""Law 3, the gate: one question on every surface; switches act at once, in every process, without a restart."""

from __future__ import annotations

import subprocess
import sys
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.database import PLATFORM_ID, Tenant, transaction
from chom_core.plugin_host import gate, hooks
from chom_core.values.errors import Conflict, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.principal import Principal, Role
from chom_core.values.ui import PageSlot
from chom_core.work.models import JobRow, PluginState
from chom_sdk.testing import Organisation, World
from chom_sdk.testing.surfaces import METHODS

PATHS = (
    "/good/",
    "/good",
    "/good//all.csv",
    "/good/all.csv",
    "/good/hello",
    "/api/v1/good/",
    "/api/v1/good",
    "/good/clear",
)


def generation(tenant_id: UUID) -> int:
    with transaction() as here:
        return here.scalars(select(Tenant.generation).where(Tenant.id == tenant_id)).one()


def on(tenant_id: UUID) -> bool:
    return gate.is_enabled(tenant_id, "good")


def test_every_verb_counts_the_generation_up_and_acts_at_once(organisation: Organisation) -> None:
    where, seen = organisation.id, [generation(organisation.id)]

    def then(expected: bool) -> None:
        assert on(where) is expected
        seen.append(generation(where))

    with transaction():
        gate.entitle(where, "item:1", ["good"], "Pro")
    then(True)
    with transaction():
        gate.switch(where, "good", on=False, by="owner")
    then(False)
    with transaction():
        gate.unswitch(where, "good", by="owner")
    then(True)
    with transaction():
        gate.entitle(where, "item:1", [], "Pro")
    then(False)
    with transaction():
        gate.switch(where, "good", on=True, by="staff", note="trial")
    then(True)
    assert seen == sorted(set(seen))


def test_a_switch_for_everyone_acts_for_everyone(
    northlight: Organisation, other_organisation: Organisation
) -> None:
    other_organisation.enable("good")
    before = generation(northlight.id)
    with northlight.world.staff():
        gate.switch(PLATFORM_ID, "good", on=False, by="staff", note="a bug")
    assert generation(northlight.id) > before
    assert not on(northlight.id)
    assert not on(other_organisation.id)
    with northlight.world.staff():
        gate.unswitch(PLATFORM_ID, "good", by="staff")
    assert on(northlight.id)


def test_what_is_not_committed_is_seen_by_nobody_else(organisation: Organisation) -> None:
    def half_done() -> None:
        with transaction(organisation.id):
            gate.switch(organisation.id, "good", on=True, by="staff")
            assert on(organisation.id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert not on(organisation.id)


def test_two_items_may_grant_the_same_feature(organisation: Organisation) -> None:
    with transaction():
        gate.entitle(organisation.id, "item:1", ["good"], "Pro")
        gate.entitle(organisation.id, "item:2", ["good", "bad"], "Add-on")
        gate.entitle(organisation.id, "item:1", [], "Pro")
    assert gate.is_enabled(organisation.id, "good")
    assert gate.is_enabled(organisation.id, "bad")


def test_an_owner_cannot_take_what_is_not_granted(organisation: Organisation) -> None:
    owner = Principal("person", organisation.people[Role.OWNER], organisation.id, Role.OWNER, name="Olga")
    with transaction(organisation.id, owner), pytest.raises(Conflict, match="in no plan or add-on"):
        gate.switch(organisation.id, "good", on=True, by="owner")
    with transaction():
        gate.switch(organisation.id, "good", on=False, by="parent")
    with transaction(organisation.id, owner), pytest.raises(Conflict, match="provider does not offer"):
        gate.switch(organisation.id, "good", on=True, by="owner")


def test_unknown_plugins_and_organisations_are_not_found(chom: World, organisation: Organisation) -> None:
    with transaction():
        with pytest.raises(NotFound):
            gate.switch(organisation.id, "nowhere", on=True, by="staff")
        with pytest.raises(NotFound):
            gate.is_enabled(uuid7(), "good")


def test_another_process_sees_the_switch_without_a_restart(organisation: Organisation) -> None:
    """A worker that runs since before the switch, and has cached the state under the old generation."""
    url = organisation.world.server.settings(organisation.world.database).database_url
    code = f"""
import sys
from uuid import UUID
sys.path[:0] = {[p for p in sys.path if "tests/plugins" in p]!r}
import chom_good
from chom_core.database import engine, encrypted
from chom_core.plugin_host import gate, registry
from chom_core.schema import core_history
core_history()
engine.configure({url!r})
registry.add([("good", "1.0", lambda: chom_good)], "worker")
for line in sys.stdin:
    print(gate.is_enabled(UUID({str(organisation.id)!r}), "good"), flush=True)
"""
    worker = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdin and worker.stdout

        def asked() -> str:
            assert worker.stdin and worker.stdout
            worker.stdin.write("?\n")
            worker.stdin.flush()
            return worker.stdout.readline().strip()

        assert asked() == "False"
        organisation.enable("good")
        assert asked() == "True"
        organisation.disable("good")
        assert asked() == "False"
    finally:
        assert worker.stdin and worker.stdout
        worker.stdin.close()
        worker.wait(30)
        worker.stdout.close()


# -- every surface ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
def test_off_is_404_in_every_method_also_where_routing_answers_by_itself(
    organisation: Organisation, path: str, method: str
) -> None:
    """405, 308 for a doubled slash, and OPTIONS must not give away what is off."""
    if path.startswith("/api/"):
        answer = organisation.api(method, path.removeprefix("/api/v1"))
    else:
        client = organisation.client()
        data = {"csrf_token": organisation.world.csrf(client)} if method not in ("GET", "HEAD") else None
        answer = client.open(path, method=method, data=data, buffered=True)
    assert answer.status_code == 404
    assert "good" not in str(answer.headers.get("Location", ""))
    assert "Allow" not in answer.headers


def test_on_the_same_addresses_answer(northlight: Organisation) -> None:
    """So that the 404s above prove the gate and not a misspelt path."""
    client = northlight.client()
    assert client.get("/good/").status_code == 200
    assert client.get("/good//all.csv").status_code == 308
    assert (
        client.delete("/good/all.csv", data={"csrf_token": northlight.world.csrf(client)}).status_code == 405
    )
    assert northlight.api("GET", "/good/").status_code == 200
    assert northlight.api("PUT", "/good/").status_code == 405
    assert northlight.api("OPTIONS", "/good/").status_code == 200


def test_a_strangers_405_looks_like_a_login_whether_it_is_on_or_off(
    chom: World, northlight: Organisation
) -> None:
    stranger = chom.app.test_client()
    assert stranger.get("/good/").status_code == 303
    assert stranger.get("/api/v1/good/").status_code == 401


def test_menu_slots_and_hooks_follow_the_switch(organisation: Organisation) -> None:
    def home() -> str:
        return str(organisation.client().get("/home").text)

    assert "good@home" not in home()
    assert 'href="/good/"' not in home()
    organisation.enable("good")
    assert "good@home" in home()
    assert 'href="/good/"' in home()
    organisation.disable("good")
    assert "good@home" not in home()
    with transaction(organisation.id):
        assert hooks.slot_home(PageSlot(organisation.id)) == ()


def test_kinds_and_channels_follow_the_switch(organisation: Organisation) -> None:
    from chom_core.notifications.service import preferences
    from chom_core.provisioning import kinds

    def offered() -> tuple[bool, bool]:
        with organisation.acting():
            return kinds.kind("good_box") is not None, "good_pager" in preferences.channels()

    assert offered() == (False, False)
    organisation.enable("good")
    assert offered() == (True, True)


def test_the_state_row_stands_exactly_while_it_is_on_and_each_turn_is_a_job(
    organisation: Organisation,
) -> None:
    def rows() -> tuple[int, list[bool]]:
        with transaction() as here:
            turns = here.scalars(
                select(JobRow.args).where(
                    JobRow.kind == "core.plugin_turn", JobRow.tenant_id == organisation.id
                )
            ).all()
            found = select(PluginState).where(
                PluginState.tenant_id == organisation.id, PluginState.plugin == "good"
            )
            return len(here.scalars(found).all()), sorted(t["on"] for t in turns if t["plugin"] == "good")

    organisation.enable("good")
    assert rows() == (1, [True])
    organisation.enable("good")
    assert rows() == (1, [True])
    organisation.disable("good")
    assert rows() == (0, [False, True])
