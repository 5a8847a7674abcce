"""The good plugin keeps the contract of every plugin, and really uses every surface there is."""

from __future__ import annotations

from typing import Any

import pytest

from chom_core.database import transaction
from chom_core.hookspecs import specs
from chom_core.plugin_host import hooks, registry, said
from chom_core.values.access import ROLES
from chom_core.values.principal import Role
from chom_core.values.ui import PageSlot
from chom_core.web.slots import slot
from chom_sdk.testing import Organisation, World, contract
from chom_sdk.testing.surfaces import calls


def a_note(organisation: Organisation, words: str) -> dict[str, Any]:
    from chom_good import service

    with organisation.acting():
        return {"note_id": service.write(words).id}


TestContract = contract("good", a_note, settings={"greeting": "Servus", "token": "t0ken", "refuse": ["evil"]})


def test_it_answers_every_hook_there_is(chom: World) -> None:
    """A new hook needs its example here."""
    assert set(registry.loaded["good"].hooks) == set(specs())


def test_it_has_every_room_and_every_word_of_access(chom: World) -> None:
    good = registry.loaded["good"]
    assert {name for name, module in good.rooms.items() if module} == {
        "hooks",
        "models",
        "jobs",
        "api",
        "pages",
    }
    words = {call.declared.access.who for call in calls(chom.app, "good")}
    assert words == {
        "public",
        "person",
        "viewer",
        "billing",
        "member",
        "admin",
        "owner",
        "staff",
        "staff_admin",
    }
    assert set(ROLES) < words
    stated = good.plugin
    assert all(
        (stated.nav, stated.schedules, stated.events, stated.notifications, stated.meters, stated.scopes)
    )


def test_a_slot_without_a_hookspec_fails(northlight: Organisation) -> None:
    with northlight.acting(), northlight.world.app.test_request_context(), pytest.raises(KeyError):
        slot("nowhere")
    with pytest.raises(AttributeError, match="there is no hook slot_nowhere"):
        hooks.slot_nowhere(PageSlot(None))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/home", "home"),
        ("/services/", "service_list_top"),
        ("/organisation/", "organisation"),
        ("/billing/", "billing_overview"),
    ],
)
def test_its_slots_are_on_the_pages_they_name(northlight: Organisation, path: str, place: str) -> None:
    answer = northlight.client().get(path, follow_redirects=True)
    assert answer.status_code == 200
    assert f"good@{place}" in answer.text


def test_people_are_told_by_its_type_and_its_channel(northlight: Organisation) -> None:
    from chom_core.notifications.models import Notification

    northlight.post("/good/", {"text": "Call Kim"}, role=Role.MEMBER)
    northlight.world.run_jobs()
    with northlight.acting() as here:
        told = here.query(Notification).filter_by(type="good.written").all()
    assert {row.person_id for row in told} == {northlight.people[Role.OWNER], northlight.people[Role.ADMIN]}
    assert {mail.subject for mail in northlight.world.mails} == {"A note: Call Kim"}


def test_its_brand_is_asked_for_its_host(northlight: Organisation) -> None:
    from chom_core.values.branding import BrandQuery

    with transaction(northlight.id):
        found = said(hooks.branding_brand(BrandQuery("good.chom.test", northlight.id)))
    assert [brand.name for brand in found] == ["Good looks"]
