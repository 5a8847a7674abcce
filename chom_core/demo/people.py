"""Brings the company of `company.toml` to life through the same verbs that pages use. Running it again adds nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.reads import settlement
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.partners import nightly, terms
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import gathering
from chom_core.branding.service import own_brand, save_brand
from chom_core.database import PLATFORM_ID, Tenant, transaction
from chom_core.demo import past
from chom_core.demo.company import Company, Persona, Wanted
from chom_core.identity import service as identity
from chom_core.plugin_host import gate, registry
from chom_core.provisioning import kinds, nodes, reads
from chom_core.provisioning import service as provisioning
from chom_core.values.billing import Order, PlanShape
from chom_core.values.errors import ChomError
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.values.principal import SYSTEM, Principal, Role, StaffRole
from chom_core.work import stand

#: A card of the sandbox that always pays.
CARD = {"card_number": "4242 4242 4242 4242", "card_expiry": "12 / 40"}
#: One that pays as long as somebody is there to see it, and is declined at renewals.
LATER = CARD | {"card_number": "4000 0000 0000 0341"}
#: One that pays, and whose bank takes the payment back.
TAKEN_BACK = CARD | {"card_number": "4000 0000 0000 0259"}


def settle_in(company: Company, password: str, sites: str) -> Iterator[str]:
    """Operator, catalogue, node, people, organisations, purchases. `sites` is the folder of the node's sites."""
    staff = _operator(company, password)
    yield f"{company.name} is set up: {len(company.staff)} staff, the catalogue, features for everyone"
    _node(sites)
    for wanted in company.organisations:
        ordered = join(wanted, company, password, staff)
        yield f"{wanted.name}: {_words(wanted, ordered)}"


def join(wanted: Wanted, company: Company, password: str, staff: Principal | None = None) -> int:
    """One organisation with all it wants; how many services it ordered. `staff` switch its features on."""
    made = _organisation(wanted, password)
    _shop(made, wanted, company)
    _agree(made, wanted, company)
    if staff is not None:
        _features(made, wanted, staff)
    _purchase(made, wanted, company)
    return _services(made, wanted)


def settle(company: Company) -> None:
    """What resellers owe for the months that lie behind, as the next night would ask for it."""
    for wanted in company.organisations:
        if wanted.settlement:
            with transaction(_id(wanted.name)):
                nightly.settle()


def _words(wanted: Wanted, ordered: int) -> str:
    words = [f"{len(wanted.people)} {'person' if len(wanted.people) == 1 else 'people'}"]
    words += [f"plan {wanted.plan}"] if wanted.plan else []
    words += [f"{ordered} sites ordered"] if ordered else []
    return ", ".join(words)


def _operator(company: Company, password: str) -> Principal:
    """The platform's name, brand, seller and catalogue, its people, and what is on for everyone. Answers Dana."""
    for persona in company.staff:
        _member(persona, password, PLATFORM_ID)
    boss = company.staff[0]
    with transaction():
        found = identity.find_person(boss.email)
        assert found is not None
        staff = Principal("person", found.id, PLATFORM_ID, Role.OWNER, StaffRole.ADMIN, name=boss.name)
    with transaction(PLATFORM_ID, staff):
        identity.update_organisation(name=company.name)
        if own_brand().name != company.name:
            save_brand(replace(own_brand(), name=company.name, support_email=company.support_email))
        catalogue.seed_catalogue(company.currency, company.legal_name)
        sellers.update_seller({"address": company.address, "country": company.country})
        for feature in company.features:
            if feature in registry.loaded and not gate.is_enabled(PLATFORM_ID, feature):
                gate.switch(PLATFORM_ID, feature, on=True, by="staff", note="the demo")
    return staff


def _node(sites: str) -> None:
    """This machine as a node, with the driver that is here, in a folder and a range of ports of this demo's own."""
    first = (
        21_000 + zlib.crc32(sites.encode()) % 100 * 100
    )  # two demos at once must not take each other's ports
    facts = {"root": sites, "first_port": first, "last_port": first + 99}
    with transaction(PLATFORM_ID):
        known = {node.name: node for node in nodes.all_nodes()}
        for driver in kinds.drivers():
            node = f"{driver.replace('_', '-')}-1"
            if node in known:
                nodes.edit_node(known[node].id, facts=facts)
            else:
                nodes.add_node(name=node, driver=driver, region="This machine", capacity=50, facts=facts)


def _person(persona: Persona, password: str) -> UUID:
    with transaction():
        found = identity.find_person(persona.email)
        made = found or identity.create_person(persona.email, persona.name, password)
        return made.id


def _member(persona: Persona, password: str, tenant_id: UUID) -> UUID:
    person_id = _person(persona, password)
    with transaction(tenant_id, SYSTEM):
        if person_id not in {member.person_id for member in identity.members()}:
            identity.add_member(person_id, persona.role, tenant_id)
    return person_id


def _id(name: str) -> UUID | None:
    with transaction() as here:
        return here.scalar(select(Tenant.id).where(Tenant.name == name))


def _organisation(wanted: Wanted, password: str) -> Principal:
    """The organisation with its people; answers its owner, as whom the rest is done."""
    owner = _person(wanted.people[0], password)
    with transaction():
        mine = {option.name: option.id for option in identity.organisations_of(owner)}
        tenant_id = mine.get(wanted.name)
        if tenant_id is None:
            parent = _id(wanted.parent) or PLATFORM_ID
            tenant_id = identity.create_organisation(
                wanted.name,
                zone=wanted.zone,
                owner=owner,
                kind=wanted.kind,
                parent_id=parent,
                principal=SYSTEM,
            ).id
    for persona in wanted.people[1:]:
        _member(persona, password, tenant_id)
    return Principal("person", owner, tenant_id, Role.OWNER, name=wanted.people[0].name)


def _shop(owner: Principal, wanted: Wanted, company: Company) -> None:
    """A reseller is a seller of its own, with its own plans."""
    if not wanted.sells:
        return
    with transaction(owner.tenant_id, owner):
        where = {"address": wanted.address, "country": wanted.country}
        sellers.ensure_seller(f"{wanted.name} Ltd", currency=company.currency, **where)
        for position, item in enumerate(wanted.sells, start=1):
            catalogue.save_plan(
                item["code"],
                title=item["title"],
                shape=PlanShape.HOSTING,
                monthly=Money.of(item["monthly"], company.currency),
                description=f"{item['sites']} sites, {item['storage_gb']} GB storage, {item['traffic_gb']} GB traffic.",
                allowances={name: item[name] for name in catalogue.METRICS},
                position=position,
            )


def _agree(owner: Principal, wanted: Wanted, company: Company) -> None:
    """How a reseller settles, from the month on since when it sells; and the card that pays for it."""
    tenant_id = owner.tenant_id
    if not wanted.settlement or tenant_id is None:
        return
    with transaction(tenant_id):
        if settlement.settlement() is not None:
            return
    if wanted.months:
        past.begin(tenant_id, wanted)
    with transaction(tenant_id, owner):
        sellers.update_profile(
            {"name": f"{wanted.name} Ltd", "country": wanted.country, "email": wanted.people[0].email}
        )
        methods.add_method(company.currency, CARD)
        terms.choose(wanted.settlement)
    stand(tenant_id, None)


def _features(owner: Principal, wanted: Wanted, staff: Principal) -> None:
    """What staff switched on for this organisation alone, with their note."""
    tenant_id = owner.tenant_id
    assert tenant_id is not None
    for feature, note in wanted.features.items():
        if feature in registry.loaded and not gate.is_enabled(tenant_id, feature):
            with transaction(tenant_id, replace(staff, tenant_id=None, role=None)):
                gate.switch(tenant_id, feature, on=True, by="staff", note=note)


def _purchase(owner: Principal, wanted: Wanted, company: Company) -> None:
    """Buy the plan with the card that pays."""
    if not wanted.plan:
        return
    assert owner.tenant_id is not None
    with transaction(owner.tenant_id) as here:
        bought = subscriptions.hosting() is not None
        behind = here.get_one(Tenant, owner.tenant_id).clock_at is not None
    if not bought:
        _buy(owner, wanted, company)
    if wanted.months and (behind or not bought):
        past.live(owner.tenant_id, wanted)


def _buy(owner: Principal, wanted: Wanted, company: Company) -> None:
    assert owner.tenant_id is not None
    if wanted.months:
        past.begin(owner.tenant_id, wanted)
    with transaction(owner.tenant_id, owner):
        sellers.update_profile(
            {"name": wanted.name, "country": wanted.country, "email": wanted.people[0].email}
        )
        price = catalogue.price(catalogue.plan(wanted.plan), company.currency, BillingPeriod.MONTHLY)
        order = Order(wanted.plan, BillingPeriod.MONTHLY, company.currency)
        outcome = checkout.buy(order, Click(uuid7(), "demo", price, card=_card(wanted)))
        if outcome.state != "done":
            raise ChomError(f"{wanted.name} could not buy {wanted.plan}: {outcome.message}", fix=outcome.fix)


def _card(wanted: Wanted) -> dict[str, str]:
    return LATER if wanted.unpaid else TAKEN_BACK if wanted.disputed else CARD


def _services(owner: Principal, wanted: Wanted) -> int:
    """Order the services; the worker builds them as soon as it runs. Answers how many are new."""
    ordered = 0
    for item in wanted.services:
        with transaction(owner.tenant_id, owner):
            if kinds.kind(item["kind"]) is None or any(s.name == item["name"] for s in reads.services()):
                continue
            provisioning.create_service(kind=item["kind"], name=item["name"], title=item.get("title", ""))
            ordered += 1
    if ordered:
        with transaction(owner.tenant_id, SYSTEM):
            gathering.gather()  # the next look is hours away, and the estimate counts these sites at once
    return ordered
