"""Organisations for staff's eyes. Whoever looks into one leaves a line in the log: `everyone` writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import Select, func, or_, select

from chom_core.billing import reads
from chom_core.billing.models import Invoice, Subscription, SubscriptionItem
from chom_core.console.service import features, work
from chom_core.database import PLATFORM_ID, Tenant, clock, everyone, session
from chom_core.identity.models import Membership, Person
from chom_core.plugin_host.models import PluginSwitch
from chom_core.provisioning.models import OPEN, Drift, Operation, Service
from chom_core.values.errors import NotFound
from chom_core.values.money import Money
from chom_core.work import JobRow

#: A dispute that can be answered for no longer than this needs a person today.
NEAR = timedelta(days=7)


class Look(Struct, frozen=True):
    """All that the page of one organisation shows."""

    tenant: Tenant
    parent: Tenant | None
    people: list[tuple[Person, str]]
    plans: list[tuple[SubscriptionItem, str]]
    services: list[Service]
    service_count: int
    due: dict[str, Money]
    features: list[features.Feature]


@dataclass(slots=True)
class Today:
    """What needs a person: counts, and the first few of each."""

    failed: list[Any] = field(default_factory=list)
    failed_count: int = 0
    unpaid: list[tuple[Invoice, str]] = field(default_factory=list)
    unpaid_count: int = 0
    drift: list[Drift] = field(default_factory=list)
    drift_count: int = 0
    waiting: list[tuple[Operation, str, str]] = field(default_factory=list)
    waiting_count: int = 0
    disputes: list[reads.DisputeInfo] = field(default_factory=list)
    dispute_count: int = 0
    names: dict[UUID, str] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        counts = (
            self.failed_count,
            self.unpaid_count,
            self.drift_count,
            self.waiting_count,
            self.dispute_count,
        )
        return not any(counts)


def search(text: str = "", kind: str = "", status: str = "") -> Select[Tenant]:
    """Organisations, unsorted; `text` looks in name and slug, and for an address of one of its people."""
    query = select(Tenant)
    if text:
        theirs = (
            select(Membership.tenant_id)
            .join(Person, Person.id == Membership.person_id)
            .where(func.lower(Person.email) == text.lower())
        )
        query = query.where(
            or_(
                Tenant.name.icontains(text, autoescape=True),
                Tenant.slug.icontains(text, autoescape=True),
                Tenant.id.in_(theirs),
            )
        )
    if kind:
        query = query.where(Tenant.kind == kind)
    return query.where(Tenant.status == status) if status else query


def counts(ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """(people, services) of each: two queries for a page."""
    people = select(Membership.tenant_id, func.count()).where(Membership.tenant_id.in_(ids))
    members = {row[0]: row[1] for row in session().execute(people.group_by(Membership.tenant_id))}
    with everyone("staff: list of organisations") as here:
        query = select(Service.tenant_id, func.count()).where(
            Service.tenant_id.in_(ids), Service.status != "deleted"
        )
        services = {row[0]: row[1] for row in here.execute(query.group_by(Service.tenant_id))}
    return {one: (members.get(one, 0), services.get(one, 0)) for one in ids}


def find(tenant_id: UUID) -> Tenant:
    found = session().get(Tenant, tenant_id)
    if found is None:
        raise NotFound(_("There is no such organisation."), fix=_("Search for it by its name."))
    return found


def look(tenant_id: UUID) -> Look:
    """Everything about one organisation."""
    tenant = find(tenant_id)
    query = (
        select(Person, Membership.role)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.tenant_id == tenant_id)
        .order_by(Person.name)
    )
    people = [(row[0], row[1]) for row in session().execute(query)]
    with everyone(f"staff: the organisation {tenant.name}") as here:
        bought = (
            select(SubscriptionItem, Subscription.status)
            .join(Subscription, Subscription.id == SubscriptionItem.subscription_id)
            .where(SubscriptionItem.tenant_id == tenant_id, Subscription.status != "cancelled")
            .order_by(SubscriptionItem.id)
        )
        plans = [(row[0], row[1]) for row in here.execute(bought)]
        mine = select(Service).where(Service.tenant_id == tenant_id, Service.status != "deleted")
        services = list(here.scalars(mine.order_by(Service.id.desc()).limit(20)))
        count = here.scalar(select(func.count()).select_from(mine.subquery())) or 0
        unpaid = Invoice.total - Invoice.amount_paid - Invoice.amount_credited - Invoice.amount_noted
        owed = select(Invoice.currency, func.sum(unpaid)).where(
            Invoice.tenant_id == tenant_id, Invoice.status == "open"
        )
        due = {row[0]: Money(int(row[1]), row[0]) for row in here.execute(owed.group_by(Invoice.currency))}
    parent = session().get(Tenant, tenant.parent_id) if tenant.parent_id else None
    return Look(tenant, parent, people, plans, services, count, due, features.features(tenant_id))


def today(most: int = 5) -> Today:
    """What needs a person now, over all organisations."""
    found = Today()
    query = work.broken_jobs()
    found.failed = list(session().scalars(query.order_by(JobRow.finished_at.desc()).limit(most)))
    found.failed_count = session().scalar(select(func.count()).select_from(query.subquery())) or 0
    drift = select(Drift).where(Drift.resolved_at.is_(None))
    found.drift = list(session().scalars(drift.order_by(Drift.id).limit(most)))
    found.drift_count = session().scalar(select(func.count()).select_from(drift.subquery())) or 0
    with everyone("staff: what needs a person today") as here:
        unpaid = (
            select(Invoice, Tenant.name)
            .join(Tenant, Tenant.id == Invoice.tenant_id)
            .where(Invoice.status == "open", Invoice.due_at < func.now())
        )
        found.unpaid = [(row[0], row[1]) for row in here.execute(unpaid.order_by(Invoice.due_at).limit(most))]
        found.unpaid_count = (
            here.scalar(select(func.count()).select_from(unpaid.with_only_columns(Invoice.id).subquery()))
            or 0
        )
        waiting = (
            select(Operation, Service.name, Tenant.name)
            .join(Service, Service.id == Operation.service_id)
            .join(Tenant, Tenant.id == Operation.tenant_id)
            .where(Operation.status.in_(OPEN))
        )
        found.waiting = [(r[0], r[1], r[2]) for r in here.execute(waiting.order_by(Operation.id).limit(most))]
        found.waiting_count = (
            here.scalar(select(func.count()).select_from(waiting.with_only_columns(Operation.id).subquery()))
            or 0
        )
        found.disputes = reads.disputes_to_answer(here, clock.now() + NEAR)
        found.dispute_count = len(found.disputes)
    found.names = work.organisations([*found.failed, *found.disputes])
    return found


def decided(plugin: str) -> Select[Tenant]:
    """Organisations about which somebody has decided on `plugin`, unsorted."""
    return select(Tenant).where(
        Tenant.id.in_(select(PluginSwitch.tenant_id).where(PluginSwitch.plugin == plugin)),
        Tenant.id != PLATFORM_ID,
    )
