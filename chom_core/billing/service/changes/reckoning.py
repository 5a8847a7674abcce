"""What a change of a subscription comes to: the items as they would be, the bill of today, what is left to give back.

It only reads, so a preview equals the invoice to the cent where both name the same instant (`at`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from msgspec.structs import replace

from chom_core.billing.models import Plan, Subscription, SubscriptionItem
from chom_core.billing.rules.cycles import Alignment, Cycle
from chom_core.billing.rules.proration import Proration, prorate
from chom_core.billing.service.changes import billed
from chom_core.billing.service.changes.billed import Unused
from chom_core.billing.service.invoicing import invoices, rating
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import seams
from chom_core.database import session
from chom_core.values.billing import Bill, BillLine, PlanShape
from chom_core.values.errors import Conflict, Invalid
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod, Period


class Wanted(Struct, frozen=True):
    """What somebody wants changed. `kind`: plan, quantity, add, remove; `item_id` is None where an item is added."""

    kind: str
    item_id: UUID | None = None
    plan_code: str = ""
    period: BillingPeriod | None = None
    quantity: int | None = None


class After(Struct, frozen=True):
    """One item as it will be. `gone`: it ends with the change; `changed`: its rest is credited and charged anew."""

    item_id: UUID
    plan_id: UUID
    plan_code: str
    title: str
    shape: str
    quantity: int
    amount: Money
    changed: bool
    gone: bool = False
    fresh: bool = False
    repriced: bool = False


class Reckoning(Struct, frozen=True):
    """The change at `at`: items afterwards, the period they are billed for, the bill, and the rest of the credit."""

    at: datetime
    items: tuple[After, ...]
    period: BillingPeriod
    part: Period
    bill: Bill
    credit: Money
    charge: Money
    unused: tuple[Unused, ...]
    back: tuple[tuple[Unused, Money], ...]
    nets: tuple[tuple[str, int], ...]

    @property
    def gives_back(self) -> Money:
        """What the credit exceeds the bill by, net: it becomes account credit by a credit note."""
        return sum((amount for _one, amount in self.back), start=Money.zero(self.bill.currency))


def after(of: Subscription, wanted: Wanted, at: datetime) -> tuple[list[After], BillingPeriod]:
    """The items as they will be, and the billing period. Raises Invalid, Conflict or NotFound for what cannot be."""
    period = wanted.period or BillingPeriod(of.billing_period)
    turned = period.value != of.billing_period
    found = [_as_is(item, period if turned else None, at) for item in of.items]
    if wanted.kind == "add":
        return [*found, _added(of, wanted, period, at)], period
    item = next((one for one in of.items if one.id == wanted.item_id), None)
    if item is None:
        raise Invalid(
            _("This is not part of the subscription."), fields={"item": [_("Choose one of its parts.")]}
        )
    target = _target(of, item, wanted, period, at)
    return [target if one.item_id == item.id else one for one in found], period


def at_once(of: Subscription, wanted: Wanted, at: datetime) -> Reckoning:
    """The change as it would be billed at `at`."""
    if not of.current_period_start <= at < of.current_period_end:
        raise Conflict(
            _("The billing period has changed meanwhile."), fix=_("Look at the new amount and confirm again.")
        )
    items, period = after(of, wanted, at)
    part, full = _time(of, period, at)
    changed = [one for one in items if one.changed]
    free = of.trial_ends_at is not None and at < of.trial_ends_at
    arrears = of.timing == "arrears"
    charges = [] if free or arrears else [_charge(of, one, part, full, at) for one in changed if not one.gone]
    if arrears and not free:
        charges += _until(of, [one.item_id for one in changed if not one.fresh], at)
    new = list(charges)
    if any(one.changed and not one.fresh and one.repriced for one in items):
        charges += seams.usage_charges(of, at, last=True)
    unused = billed.rest(of, at, items=[one.item_id for one in changed]) if changed else []
    titles = {item.id: _("Unused time of %(title)s", title=item.title) for item in of.items}
    gross = invoices.rate(of.currency, charges, of.id)
    bill, back = _bounded(of, charges, gross.subtotal, unused, titles)
    zero = Money.zero(of.currency)
    return Reckoning(
        at=at,
        items=tuple(items),
        period=period,
        part=part,
        bill=bill,
        credit=sum((one.credit for one in unused), start=zero),
        charge=sum((one.total for one in new), start=zero),
        unused=tuple(unused),
        back=tuple(back),
        nets=tuple((line.source, _net(line)) for line in gross.lines if line.kind in billed.KINDS),
    )


def _net(line: BillLine) -> int:
    return line.amount.amount - (line.discount.amount if line.discount else 0)


def _bounded(
    of: Subscription,
    charges: Sequence[Charge],
    room: Money,
    unused: Sequence[Unused],
    titles: dict[UUID, str],
) -> tuple[Bill, list[tuple[Unused, Money]]]:
    """The bill with as much credit as it bears (`room`), and what is left of the credit, line by line."""
    lines: list[Charge] = []
    back: list[tuple[Unused, Money]] = []
    for one in unused:
        used = min(one.credit, room)
        room = room - used
        lines += billed.credits([replace(one, credit=used)], titles, of.id)
        if used < one.credit:
            back.append((one, one.credit - used))
    return invoices.rate(of.currency, [*charges, *lines], of.id), back


def _time(of: Subscription, period: BillingPeriod, at: datetime) -> tuple[Period, Period]:
    """The rest that the new items are billed for, and the full period it is a part of. The anchor is kept."""
    grid = Cycle.of(period, of.anchor, of.zone, Alignment(of.alignment), of.billing_day)
    full = grid.containing(at)
    if period.value != of.billing_period:
        return Period(at, full.end), full
    part = Period(at, of.current_period_end)
    return part, full if part.end <= full.end else subscriptions.current_period(of)


def _charge(of: Subscription, one: After, part: Period, full: Period, at: datetime) -> Charge:
    whole = one.amount * one.quantity
    amount = whole if part == full else prorate(whole, part, full, Proration(of.proration), of.zone)
    return Charge(
        plan=one.plan_code,
        kind="plan" if one.shape == PlanShape.HOSTING.value else one.shape,
        title=rating.describe(one.title, part, one.quantity),
        unit=one.amount,
        quantity=one.quantity,
        period=part,
        amount=amount,
        source=f"item:{one.item_id}",
        subscription_id=of.id,
    )


def _until(of: Subscription, items: Sequence[UUID], at: datetime) -> list[Charge]:
    """What the changed items cost up to the change, where periods are billed afterwards."""
    made = []
    for item in of.items:
        if item.id in items:
            start = max(billed.until(item) or of.current_period_start, of.current_period_start)
            if start < at:
                part = Period(start, at)
                made += [one for one in subscriptions.charges(of, part) if one.source == billed.source(item)]
    return made


def _as_is(item: SubscriptionItem, period: BillingPeriod | None, at: datetime) -> After:
    """An item that stays; where the billing period turns, at its price for the new one."""
    amount = Money(item.amount, item.currency)
    if period is not None:
        amount = catalogue.price(session().get_one(Plan, item.plan_id), item.currency, period, at)
    return After(
        item.id, item.plan_id, item.plan_code, item.title, item.shape, item.quantity, amount,
        changed=period is not None, repriced=period is not None,
    )  # fmt: skip


def _target(
    of: Subscription, item: SubscriptionItem, wanted: Wanted, period: BillingPeriod, at: datetime
) -> After:
    as_is = _as_is(item, None, at)
    if wanted.kind == "remove":
        if item.shape != PlanShape.ADDON.value:
            raise Conflict(_("This is the plan itself."), fix=_("Cancel the plan instead."))
        return replace(as_is, changed=True, gone=True, repriced=True)
    quantity = _quantity(wanted.quantity if wanted.quantity is not None else item.quantity, item.shape)
    if wanted.kind == "quantity":
        if quantity == item.quantity:
            raise Conflict(_("It is %(count)s already.", count=quantity))
        return replace(as_is, quantity=quantity, changed=True)
    plan = catalogue.plan(wanted.plan_code)
    old = session().get_one(Plan, item.plan_id)
    if plan.id == old.id and period.value == of.billing_period:
        raise Conflict(
            _("You have %(plan)s already.", plan=plan.title), fix=_("Choose another plan or period.")
        )
    if (plan.shape, plan.service_kind) != (old.shape, old.service_kind):
        raise Conflict(
            _("%(old)s cannot become %(new)s.", old=old.title, new=plan.title),
            fix=_("Choose a plan of the same kind, or buy it beside."),
        )
    rest = item.title.removeprefix(old.title)  # «name» of the service it pays for
    unit = catalogue.price(plan, of.currency, period, at)
    return After(
        item.id,
        plan.id,
        plan.code,
        f"{plan.title}{rest}"[:200],
        plan.shape,
        quantity,
        unit,
        changed=True,
        repriced=True,
    )


def _added(of: Subscription, wanted: Wanted, period: BillingPeriod, at: datetime) -> After:
    plan = catalogue.plan(wanted.plan_code)
    if plan.shape != PlanShape.ADDON.value:
        raise Invalid(_("%(plan)s is no add-on.", plan=plan.title), fields={"plan": [_("Choose an add-on.")]})
    if any(item.plan_id == plan.id for item in of.items):
        raise Conflict(
            _("You have %(plan)s already.", plan=plan.title), fix=_("Change its quantity instead.")
        )
    quantity = _quantity(wanted.quantity or 1, plan.shape)
    unit = catalogue.price(plan, of.currency, period, at)
    return After(
        uuid7(), plan.id, plan.code, plan.title, plan.shape, quantity, unit, changed=True, fresh=True
    )


def _quantity(quantity: int, shape: str) -> int:
    most = 1 if shape == PlanShape.HOSTING.value else 1000
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= most:
        raise Invalid(_("How many?"), fields={"quantity": [_("Between 1 and %(most)s.", most=most)]})
    return quantity
