"""What actors do, by the verbs that pages and the API use. Each act is one unit of work of its organisation, or more.

An act says in a word how it went; what a verb refuses (ChomError) is for the caller to count. Doing an act again, after
a crash, changes nothing or next to nothing: keys come from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select

from chom_core.billing.models import Coupon, Invoice, Payment, Plan, Subscription, SubscriptionItem
from chom_core.billing.service import (
    catalogue,
    changes,
    checkout,
    coupons,
    credit,
    credit_notes,
    ending,
    invoices,
    methods,
    refunds,
    sellers,
    subscriptions,
    usage,
    voiding,
)
from chom_core.billing.service.purchases import Click
from chom_core.billing.service.reckoning import Wanted
from chom_core.database import clock, session, transaction
from chom_core.simulation import cast, stage
from chom_core.simulation.cast import Actor
from chom_core.simulation.script import Act
from chom_core.values.billing import Order, PlanShape
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.values.principal import Principal

CURRENCY = "USD"
#: What there is to use: meter, which part of the allowance a batch makes up in the middle.
TRAFFIC_EVENTS, STORAGE_EVENTS = 5, 2


@dataclass(frozen=True, slots=True)
class On:
    """The stage of one act: whose, as whom the organisation acts, and as whom the operator does."""

    actor: Actor
    tenant_id: UUID
    owner: Principal
    staff: Principal
    act: Act

    def dice(self) -> Random:
        """Chance of this act's own."""
        return self.actor.random(self.act.key)

    @property
    def draw(self) -> float:
        return float(self.act.facts.get("draw", 0.5))


def do(on: On) -> str:
    """Do it; answers a word: done, declined, or nothing (there was nothing to do it with)."""
    acting, by_staff = _ACTS[on.act.what]
    with transaction(on.tenant_id, on.staff if by_staff else on.owner):
        return acting(on)


# -- buying ------------------------------------------------------------------------------------------------------------


def open_shop(on: On) -> str:
    """A reseller begins to sell under its own name."""
    stage.reseller_shop(on.actor)
    return "done"


def join(on: On) -> str:
    """The first purchase. Some cards are declined; most of those people try another."""
    if subscriptions.hosting(any_state=True) is not None and subscriptions.hosting() is not None:
        return "nothing"
    sellers.update_profile({"name": on.actor.name, "country": on.actor.country, "email": on.actor.email})
    period = BillingPeriod.ANNUAL if on.act.facts.get("yearly") else BillingPeriod.MONTHLY
    code = stage.WELCOME if on.act.facts.get("coupon") else ""
    if on.act.facts.get("fails"):
        state = _buy(on, period, code, cast.DECLINED, "1")
        if not on.act.facts.get("returns"):
            return state
    return _buy(on, period, code, on.actor.card, "2")


def come_back(on: On) -> str:
    """Somebody whose plan is over buys one again."""
    if subscriptions.hosting(any_state=True) is not None:
        return "nothing"
    if session().scalar(select(Subscription.id).limit(1)) is None:
        return "nothing"
    return _buy(on, BillingPeriod.MONTHLY, "", cast.GOOD, "1")


def _buy(on: On, period: BillingPeriod, code: str, card: str, attempt: str) -> str:
    plans = catalogue.plans(PlanShape.HOSTING, currency=CURRENCY)
    weights = [60, 30, 6, 4, 2, 1, 1, 1][: len(plans)]
    chosen = on.dice().choices(plans[: len(weights)], weights)[0]
    order = Order(chosen.code, period, CURRENCY, 1, "", code)
    bill = checkout.preview(order)
    click = Click(
        uuid5(NAMESPACE_URL, on.act.key),
        attempt,
        bill.total,
        {"test_card": card},
        return_url="/checkout/PAYMENT",
    )
    state = checkout.buy(order, click).state
    return "declined" if state in ("declined", "failed") else "done"


# -- changing ----------------------------------------------------------------------------------------------------------


def upgrade(on: On) -> str:
    return _to_another_plan(on, +1)


def downgrade(on: On) -> str:
    return _to_another_plan(on, -1)


def _to_another_plan(on: On, step: int) -> str:
    of = subscriptions.hosting()
    if of is None:
        return "nothing"
    now = subscriptions.main_item(of).plan_code
    codes = [plan.code for plan in catalogue.plans(PlanShape.HOSTING, currency=CURRENCY)]
    place = codes.index(now) + step if now in codes else -1
    if not 0 <= place < len(codes):
        return "nothing"
    return _changed(changes.change_plan(of.id, codes[place]).state)


def yearly(on: On) -> str:
    of = subscriptions.hosting()
    if of is None or of.billing_period == BillingPeriod.ANNUAL.value:
        return "nothing"
    return _changed(
        changes.change_plan(of.id, subscriptions.main_item(of).plan_code, period=BillingPeriod.ANNUAL).state
    )


def add_on(on: On) -> str:
    of = subscriptions.hosting()
    plans = catalogue.plans(PlanShape.ADDON, currency=CURRENCY)
    if of is None or not plans:
        return "nothing"
    wanted = Wanted("add", plan_code=on.dice().choice(plans).code, quantity=1 + int(on.draw * 3))
    return _changed(changes.change(of.id, wanted).state)


def drop_add_on(on: On) -> str:
    of, item = _add_on_item()
    return (
        "nothing"
        if of is None or item is None
        else _changed(changes.change(of.id, Wanted("remove", item.id)).state)
    )


def quantity(on: On) -> str:
    of, item = _add_on_item()
    if of is None or item is None:
        return "nothing"
    more = max(1, item.quantity + (1 if on.draw < 0.7 else -1))
    return (
        "nothing" if more == item.quantity else _changed(changes.change_quantity(of.id, item.id, more).state)
    )


def _add_on_item() -> tuple[Subscription | None, SubscriptionItem | None]:
    of = subscriptions.hosting()
    items = [] if of is None else [item for item in of.items if item.shape == PlanShape.ADDON.value]
    return of, (sorted(items, key=lambda item: item.plan_code)[0] if items else None)


def _changed(state: str) -> str:
    return "declined" if state == "declined" else "done"


def pause(on: On) -> str:
    of = subscriptions.hosting()
    if of is None:
        return "nothing"
    back = of.current_period_end + timedelta(days=20 + int(on.draw * 40))
    ending.pause(of.id, now=on.draw < 0.3, resume_at=back, reason="A quiet season")
    return "done"


def cancel(on: On) -> str:
    of = subscriptions.hosting()
    if of is None or of.cancel_at is not None:
        return "nothing"
    reason = str(on.act.facts["reason"])
    if on.act.facts["now"]:
        ending.cancel_now(of.id, reason=reason)
    else:
        subscriptions.cancel(of.id, reason=reason)
    return "done"


# -- money -------------------------------------------------------------------------------------------------------------


def coupon(on: On) -> str:
    found = session().scalar(
        select(Coupon).where(Coupon.reseller_id == sellers.reseller_id(), Coupon.name == stage.LOYAL)
    )
    if found is None:
        return "nothing"
    coupons.grant(found.id)
    return "done"


def top_up(on: On) -> str:
    method = methods.default_method()
    if method is None:
        return "nothing"
    money = Money((2 + int(on.draw * 9)) * 1000, CURRENCY)
    return "done" if credit.top_up(money, method.id, on.act.key).status == "succeeded" else "declined"


def goodwill(on: On) -> str:
    credit.grant_account_credit(
        Money(500 + int(on.draw * 2000), CURRENCY), on.act.key, "Sorry for the outage"
    )
    return "done"


def promotion(on: On) -> str:
    money = Money(1000 + int(on.draw * 4000), CURRENCY)
    ends = clock.now() + timedelta(days=30 + int(on.draw * 60))
    credit.grant_promotional_credit(money, on.act.key, "Spring promotion", ends, usage_only=on.draw < 0.3)
    return "done"


def refund(on: On) -> str:
    query = (
        select(Payment)
        .where(Payment.status == "succeeded")
        .order_by(Payment.settled_at.desc(), Payment.amount.desc())
    )
    payment = session().scalars(query.limit(1)).first()
    left = refunds.refundable(payment).amount if payment is not None else 0
    if payment is None or not left:
        return "nothing"
    part = left if on.draw < 0.4 else max(1, int(left * on.draw))
    refunds.refund(payment.id, Money(part, payment.currency), "The customer asked for it", on.act.key)
    return "done"


def credit_note(on: On) -> str:
    invoice = _last_invoice("open", "paid")
    if invoice is None:
        return "nothing"
    what = None if on.draw < 0.2 else Money(max(1, int(invoice.total * on.draw / 2)), invoice.currency)
    settle = "refund" if on.draw < 0.5 else "credit"
    credit_notes.issue(invoice.id, what, settle, reason="Billed by mistake", key=on.act.key)  # type: ignore[arg-type]
    return "done"


def void(on: On) -> str:
    invoice = _last_invoice("open", "paid")
    if invoice is None:
        return "nothing"
    voiding.void(invoice.id, settle="credit", reason="Issued in error")
    return "done"


def _last_invoice(*states: str) -> Invoice | None:
    query = select(Invoice).where(Invoice.status.in_(states), Invoice.total > 0)
    return (
        session().scalars(query.order_by(Invoice.finalised_at.desc(), Invoice.total.desc()).limit(1)).first()
    )


# -- cards -------------------------------------------------------------------------------------------------------------


def new_card(on: On) -> str:
    return _default_card(cast.OTHER if on.draw < 0.5 else cast.GOOD)


def worse_card(on: On) -> str:
    """A card that will be declined when nobody is there to see it."""
    return _default_card(cast.LATER)


def settle_up(on: On) -> str:
    """Whoever owes something may pay now: with another card, or this very invoice. The others climb the ladder."""
    query = select(Invoice.id).where(Invoice.status.in_(("open", "uncollectible")))
    owed = session().scalars(query.order_by(Invoice.finalised_at, Invoice.total).limit(1)).first()
    if owed is None or on.draw > 0.6:
        return "nothing"
    if on.draw < 0.4:
        return _default_card(cast.GOOD)
    method = methods.add_method(CURRENCY, {"test_card": cast.OTHER})
    if invoices.locked(owed).status != "open":
        return "nothing"
    state = checkout.pay_invoice(owed, on.act.key[:30], method.id, "/back/PAYMENT").state
    return "declined" if state == "declined" else "done"


def _default_card(number: str) -> str:
    if not methods.methods():
        return "nothing"
    methods.make_default(methods.add_method(CURRENCY, {"test_card": number}).id)
    return "done"


# -- use ---------------------------------------------------------------------------------------------------------------


def use(on: On) -> str:
    """Sites, storage and traffic since the last look, around what the plan includes, growing over the months."""
    of = subscriptions.hosting()
    if of is None or of.started_at is None:
        return "nothing"
    included = session().get_one(Plan, subscriptions.main_item(of).plan_id).allowances
    events = [event for event in _events(on, included) if event.at is not None and event.at >= of.started_at]
    if not events:
        return "nothing"
    usage.record_batch(events)
    return "done"


def _events(on: On, included: dict[str, int]) -> list[usage.NewEvent]:
    dice, now = on.dice(), clock.now()
    span = min(float(on.act.facts["span"]), 20 * 86400.0)
    fill = on.actor.random("size").uniform(0.3, 0.95) * (1 + 0.04 * int(on.act.facts["growth"]))

    def event(meter: str, value: float, back: float, number: int) -> usage.NewEvent:
        amount = Decimal(str(round(max(value, 0.001), 3)))
        return usage.NewEvent(
            f"{on.act.key}-{meter}-{number}", meter, amount, now - timedelta(seconds=int(span * back))
        )

    sites = max(1, round(included.get("sites", 3) * fill * dice.uniform(0.5, 1.2)))
    made = [event("sites", sites, 0.0, 0)]
    for number in range(STORAGE_EVENTS):
        gigabytes = included.get("storage_gb", 10) * fill * dice.uniform(0.7, 1.2)
        made.append(event("storage_gb", gigabytes, number / STORAGE_EVENTS, number))
    for number in range(TRAFFIC_EVENTS):
        each = included.get("traffic_gb", 100) * fill * dice.uniform(0.3, 1.6) / TRAFFIC_EVENTS / 2
        made.append(event("traffic_gb", each, number / TRAFFIC_EVENTS, number))
    return made


#: What an act is called → the verb, and whether the operator's staff does it.
_ACTS: dict[str, tuple[Callable[[On], str], bool]] = {
    "open_shop": (open_shop, False), "join": (join, False), "come_back": (come_back, False),
    "upgrade": (upgrade, False), "downgrade": (downgrade, False), "yearly": (yearly, False),
    "add_on": (add_on, False), "drop_add_on": (drop_add_on, False), "quantity": (quantity, False),
    "pause": (pause, False), "cancel": (cancel, False), "coupon": (coupon, True), "top_up": (top_up, False),
    "goodwill": (goodwill, True), "promotion": (promotion, True), "refund": (refund, True),
    "credit_note": (credit_note, True), "void": (void, True), "new_card": (new_card, False),
    "worse_card": (worse_card, False), "settle_up": (settle_up, False), "use": (use, False),
}  # fmt: skip
