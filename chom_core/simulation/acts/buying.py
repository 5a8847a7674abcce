"""Coming, changing plans and leaving."""

from __future__ import annotations

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select

from chom_core.billing.models import Subscription, SubscriptionItem
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.changes import changing, ending
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.partners import terms
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import session
from chom_core.simulation import cast, stage
from chom_core.simulation.acts.on import CURRENCY, On
from chom_core.values.billing import Order, PlanShape
from chom_core.values.period import BillingPeriod


def open_shop(on: On) -> str:
    """A reseller begins to sell: under its own name and at its own prices, or one in three for the platform."""
    stage.reseller_shop(on.actor)
    sellers.update_profile({"name": on.actor.name, "country": on.actor.country, "email": on.actor.email})
    methods.add_method(CURRENCY, {"test_card": cast.GOOD})
    terms.choose("share" if on.actor.number % 3 == 2 else "wholesale", pool=stage.POOL)
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
    return _changed(changing.change_plan(of.id, codes[place]).state)


def yearly(on: On) -> str:
    of = subscriptions.hosting()
    if of is None or of.billing_period == BillingPeriod.ANNUAL.value:
        return "nothing"
    return _changed(
        changing.change_plan(of.id, subscriptions.main_item(of).plan_code, period=BillingPeriod.ANNUAL).state
    )


def add_on(on: On) -> str:
    of = subscriptions.hosting()
    plans = catalogue.plans(PlanShape.ADDON, currency=CURRENCY)
    if of is None or not plans:
        return "nothing"
    wanted = Wanted("add", plan_code=on.dice().choice(plans).code, quantity=1 + int(on.draw * 3))
    return _changed(changing.change(of.id, wanted).state)


def drop_add_on(on: On) -> str:
    of, item = _add_on_item()
    return (
        "nothing"
        if of is None or item is None
        else _changed(changing.change(of.id, Wanted("remove", item.id)).state)
    )


def quantity(on: On) -> str:
    of, item = _add_on_item()
    if of is None or item is None:
        return "nothing"
    more = max(1, item.quantity + (1 if on.draw < 0.7 else -1))
    return (
        "nothing" if more == item.quantity else _changed(changing.change_quantity(of.id, item.id, more).state)
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
