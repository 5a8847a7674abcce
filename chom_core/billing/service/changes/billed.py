"""What of a subscription's time was billed, and what of it is unused: so that nothing is charged or credited twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import BilledPeriod, Invoice, Subscription, SubscriptionItem
from chom_core.billing.rules.proration import Proration, unused
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.database import session
from chom_core.values.money import Money
from chom_core.values.period import Period

#: The kinds of lines that pay for an item's time.
KINDS = ("plan", "service", "addon")


class Unused(Struct, frozen=True):
    """The rest of a billed period when it ends early: `credit` ≥ 0, net, of the line on `invoice_id`."""

    billed_id: UUID
    invoice_id: UUID
    item_id: UUID
    plan: str
    credit: Money
    rest: Period


def record(invoice: Invoice, of: Sequence[Subscription], nets: Mapping[str, int] | None = None) -> None:
    """Note which time of which items the invoice bills. The database refuses what is billed already.

    `nets`: what a line is worth by its source, in minor units, where unused time of another plan pays a part of it.
    """
    items = {source(item): item for one in of for item in one.items}
    for line in invoice.lines:
        item = items.get(line.source)
        if item is None or line.period_start is None or line.period_end is None or line.kind not in KINDS:
            continue
        period = Period(line.period_start, line.period_end)
        net = (nets or {}).get(line.source, line.amount - line.discount)
        add(invoice.id, item, period, Money(max(net, 0), line.currency))
    session().flush()


def add(invoice_id: UUID, item: SubscriptionItem, period: Period, net: Money) -> None:
    """One period of an item was billed, for `net` after discounts."""
    session().add(
        BilledPeriod(
            tenant_id=item.tenant_id, subscription_id=item.subscription_id, item_id=item.id, invoice_id=invoice_id,
            plan_code=item.plan_code, quantity=item.quantity, period_start=period.start, period_end=period.end,
            until=period.end, amount=max(net.amount, 0), currency=net.currency,
        )
    )  # fmt: skip


def rest(
    of: Subscription, at: datetime, *, items: Sequence[UUID] = (), day_used: bool = False
) -> list[Unused]:
    """What the billed time of the subscription (or of some of its items) after `at` gives back, oldest line first.

    `day_used`: by days, today is used up already: a cancellation's rule. A change of plan credits today, since the new
    plan pays for it.
    """
    query = select(BilledPeriod).where(
        BilledPeriod.subscription_id == of.id,
        BilledPeriod.until > at,
        BilledPeriod.until > BilledPeriod.period_start,
    )
    if items:
        query = query.where(BilledPeriod.item_id.in_(items))
    by = Proration(of.proration)
    found = []
    for row in session().scalars(query.order_by(BilledPeriod.period_start, BilledPeriod.id)):
        period = Period(row.period_start, row.period_end)
        credit = unused(
            Money(row.amount, row.currency),
            period,
            at,
            by,
            of.zone,
            day_used=day_used,
            free_until=of.trial_ends_at,
        )
        left = Period(max(at, row.period_start), row.period_end)
        found.append(Unused(row.id, row.invoice_id, row.item_id, row.plan_code, credit, left))
    return found


def close(unused_ones: Sequence[Unused], at: datetime) -> None:
    """These periods ended at `at`: what lies behind was credited, and may be billed anew."""
    for one in unused_ones:
        row = session().get_one(BilledPeriod, one.billed_id)
        row.until = max(at, row.period_start)
    session().flush()  # before the periods that follow are inserted: the database looks at each row


def until(item: SubscriptionItem) -> datetime | None:
    """The instant up to which the item's time is billed; None where none is."""
    query = select(BilledPeriod.until).where(BilledPeriod.item_id == item.id)
    return session().scalar(query.order_by(BilledPeriod.until.desc()).limit(1))


def subscriptions_of(invoice: Invoice) -> list[UUID]:
    """Whose time an invoice bills, the one it is named after first: one may stand for several."""
    found = session().scalars(
        select(BilledPeriod.subscription_id).where(BilledPeriod.invoice_id == invoice.id).distinct()
    )
    first = [invoice.subscription_id] if invoice.subscription_id is not None else []
    return [*first, *(one for one in sorted(found) if one not in first)]


def credits(found: Sequence[Unused], titles: dict[UUID, str], subscription_id: UUID) -> list[Charge]:
    """The lines that give the unused time back, on an invoice that charges more than they come to."""
    return [
        Charge(
            plan=one.plan, kind="credit", title=titles[one.item_id], unit=-one.credit, period=one.rest,
            amount=-one.credit, source=f"credit:{one.billed_id}", subscription_id=subscription_id,
        )
        for one in found
        if one.credit
    ]  # fmt: skip


def source(item: SubscriptionItem) -> str:
    """How an item is named where it pays for something: a service's `paid_by`, an entitlement's or a line's source."""
    return f"item:{item.id}"
