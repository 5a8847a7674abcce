"""The demo's company is data that reads whole, and settles in through the verbs, once."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from chom_core.billing.models import Invoice, Subscription
from chom_core.database import everyone, transaction
from chom_core.database.tenants import Tenant
from chom_core.demo import people
from chom_core.demo.company import company
from chom_core.identity.models import Person
from chom_core.plugin_host import gate, registry
from chom_core.provisioning.models import Node, Service
from chom_sdk.testing.server import Server
from chom_sdk.testing.world import World

COUNTED = (Tenant, Person, Invoice, Subscription, Service, Node)


def counts() -> list[int]:
    with everyone("test") as here:
        return [here.scalar(select(func.count()).select_from(model)) or 0 for model in COUNTED]


def test_names_and_addresses_are_one_each() -> None:
    found = company()
    emails = [person.email for person in found.people]
    assert len(set(emails)) == len(emails) >= 12
    assert {wanted.parent for wanted in found.organisations} <= {"", *(o.name for o in found.organisations)}
    assert found.persona("mara@northlight.example") in found.organisations[0].people
    assert found.persona("nobody@northlight.example") is None


def test_every_feature_it_names_is_here(chom: World) -> None:
    """A renamed plugin would leave the demo without its gateway or its node, quietly."""
    assert chom.app
    named = {*company().features, *(name for wanted in company().organisations for name in wanted.features)}
    assert named <= registry.loaded.keys(), registry.skipped


def test_it_settles_in_once(chom: World, chom_server: Server, tmp_path: Path) -> None:
    """A second start of the demo finds everything and adds nothing: no second invoice, no second site."""
    assert chom.app and chom_server
    said = list(people.settle_in(company().brief(), "a lantern in the fog", str(tmp_path)))
    first = counts()
    assert len(said) == 1 + len(company().organisations)
    assert list(people.settle_in(company().brief(), "a lantern in the fog", str(tmp_path)))
    assert counts() == first
    tenants, persons, invoices, _subscriptions, services, nodes = first
    assert (tenants, persons) == (1 + len(company().organisations), len(company().people))
    assert invoices == sum(bool(wanted.plan) for wanted in company().organisations)
    assert services == sum(len(wanted.services) for wanted in company().brief().organisations)
    assert nodes == 1


def test_a_feature_is_on_where_staff_switched_it_and_nowhere_else(chom: World, tmp_path: Path) -> None:
    assert chom.app
    list(people.settle_in(company().brief(), "a lantern in the fog", str(tmp_path)))
    with transaction() as here:
        ids = dict(here.execute(select(Tenant.name, Tenant.id)).all())
    for wanted in company().organisations:
        for name in {name for other in company().organisations for name in other.features}:
            state = gate.effective_state(ids[wanted.name], name)
            assert state.on is (name in wanted.features), f"{wanted.name}: {state.why}"
            if state.on:
                assert "Dana" in state.why and wanted.features[name] in state.why
