"""Things of the core that a plugin's test needs to find: services, with what they cost. Only the record has them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import invoices, rating, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, restart, transaction
from chom_core.provisioning.models import Node, Service
from chom_core.values import BillingPeriod, Money, uuid7
from chom_core.values.billing import PlanShape
from chom_core.work import emit

if TYPE_CHECKING:
    from chom_sdk.testing.world import Organisation

NODE = "samples"


def service(
    organisation: Organisation,
    name: str,
    *,
    price: Money | None = None,
    period: BillingPeriod = BillingPeriod.MONTHLY,
    title: str = "",
) -> UUID:
    """A standing service of `organisation`, of a kind nobody builds. `price`: it has a plan of its own, bought so."""
    reference = _buy(organisation, price, period) if price else ""
    with transaction() as here:
        node_id = here.scalar(select(Node.id).where(Node.name == NODE))
        if node_id is None:
            node = Node(name=NODE, driver=NODE, status="offline")
            here.add(node)
            here.flush()
            node_id = node.id
    with transaction(organisation.id) as here:
        row = Service(
            tenant_id=organisation.id, kind="sample", family="site", name=name, title=title, status="active",
            node_id=node_id, marker=uuid7().hex, paid_by=reference,
        )  # fmt: skip
        here.add(row)
        here.flush()
        if reference and (item := subscriptions.item_of(reference)):
            item.service_id = row.id
        return row.id


def delete_service(organisation: Organisation, service_id: UUID) -> None:
    """Its end, as provisioning tells it."""
    with transaction(organisation.id) as here:
        row = here.get_one(Service, service_id)
        row.status, row.deleted_at = "deleted", clock.now()
        facts = {"service_id": str(row.id), "name": row.name, "kind": row.kind, "family": row.family}
        emit("service.deleted", subject=f"service:{row.id}", payload=facts | {"paid_by": row.paid_by})


def credit_of(organisation: Organisation, money: Money) -> None:
    """Account credit, as goodwill."""
    with transaction(organisation.id):
        accounts.grant_account_credit(money, uuid7().hex, "A sample")


def invoice(organisation: Organisation, money: Money, service_id: UUID | None = None) -> UUID:
    """A finalised invoice over `money`, without tax; credit pays it as far as it goes. `service_id`: for its plan."""
    with transaction(organisation.id) as here:
        paid_by = here.get_one(Service, service_id).paid_by if service_id else ""
        charge = Charge("sample", "service" if paid_by else "charge", "A sample", money, source=paid_by)
        sellers.lock_profile()
        bill = rating.bill(money.currency, rating.lines_of([charge]), [], None)
        made = invoices.draft(bill, seller=sellers.seller(), subscription_id=None, period=None)
        invoices.finalise(made)
        invoices.number(made)
        restart()
        return made.id


def _buy(organisation: Organisation, price: Money, period: BillingPeriod) -> str:
    with transaction(organisation.id):
        shelf = sellers.reseller_id()
    with transaction(shelf):
        code = f"sample-{uuid7().hex[-8:]}"
        catalogue.save_plan(
            code, title="Sample plan", shape=PlanShape.SERVICE, monthly=price, service_kind="sample"
        )
    with transaction(organisation.id):
        plan = catalogue.plan(code)
        of = subscriptions.begin(plan, price, period, 1, plan.title, shelf)
        subscriptions.activate(of)
        return subscriptions.source(of.items[0])
