"""Renewal: when a period ends, the next one is invoiced and charged. Again the same day: nothing happens.

What waits for the end of a period (a cheaper plan, a pause, the end) happens there, before anything is billed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import or_, select

from chom_core.billing.models import Invoice, Seller, Subscription, SubscriptionChange
from chom_core.billing.service.changes import billed, boundary
from chom_core.billing.service.changes import payments as change_payments
from chom_core.billing.service.dunning import holds, rows
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.paying import methods, payments
from chom_core.billing.service.subscribing import beside, subscriptions
from chom_core.billing.service.subscribing.beside import Beside
from chom_core.billing.service.usage import seams
from chom_core.database import clock, restart, session
from chom_core.values.billing import Bill
from chom_core.values.period import Period
from chom_core.work import emit

RENEW = "billing.renew"
#: Periods rolled for one subscription in one run: a clock moved by two years still ends.
MOST = 60


class Turn(Struct, frozen=True):
    """One subscription's part of a renewal: what it costs, the period that begins, the use that is billed with it."""

    of: Subscription
    beside: Beside
    charges: tuple[Charge, ...]
    period: Period | None
    use: seams.Use


def renew_due() -> int:
    """Do what is due in the current organisation, in the order of time. Returns how many invoices were made."""
    made = 0
    for subscription_id in _due():
        for _ in range(MOST):
            if not boundary.before_the_end(subscription_id):
                break
            stood = subscriptions.subscription(subscription_id).current_period_end
            invoice_id = _roll(_together(subscription_id))
            if invoice_id is not None:
                made += 1
                collect(invoice_id)
            restart()
            if subscriptions.subscription(subscription_id).current_period_end == stood:
                break  # it ended, or it waits for its bill to be paid
    return made


def _due() -> Sequence[UUID]:
    now = clock.now()
    changing = select(SubscriptionChange.subscription_id).where(
        SubscriptionChange.status == "scheduled", SubscriptionChange.effective_at <= now
    )
    query = select(Subscription.id).where(
        Subscription.status.in_(subscriptions.KEPT),
        or_(
            Subscription.current_period_end <= now,
            Subscription.cancel_at <= now,
            Subscription.id.in_(changing),
        ),
    )
    return session().scalars(query.order_by(Subscription.current_period_end, Subscription.id)).all()


def _together(subscription_id: UUID) -> list[UUID]:
    """The subscriptions that one invoice renews: where the customer asks for it, all whose period ends the same day."""
    if not sellers.profile().consolidate:
        return [subscription_id]
    first = subscriptions.subscription(subscription_id)
    day = boundary.local_day(first.current_period_end, first.zone)
    query = select(Subscription).where(
        Subscription.id != first.id,
        Subscription.status.in_(subscriptions.LIVE),
        Subscription.currency == first.currency,
        Subscription.seller_id == first.seller_id,
    )
    others = [
        of.id
        for of in session().scalars(query.order_by(Subscription.id))
        if boundary.local_day(of.current_period_end, of.zone) == day
    ]
    return [subscription_id, *others]


def roll(subscription_id: UUID) -> UUID | None:
    """Begin the next period and finalise its invoice; None where nothing is due. A cancelled one ends here."""
    return _roll([subscription_id])


def _roll(together: Sequence[UUID]) -> UUID | None:
    sellers.lock_profile()
    turns = [turn for place, one in enumerate(together) if (turn := _turn(one, early=place > 0)) is not None]
    charges = [charge for turn in turns for charge in turn.charges]
    if not charges:
        for turn in turns:
            turn.use.billed(None)
        restart()
        return None
    first = turns[0].of
    bill = invoices.rate(first.currency, charges, first.id, held=any(turn.beside.coupons for turn in turns))
    invoice = invoices.compose(
        bill,
        seller=session().get_one(Seller, first.seller_id),
        subscription_id=first.id,
        period=turns[0].period,
    )
    if invoice.total and any(turn.of.status == "active" for turn in turns):
        emit("invoice.due", subject=f"invoice:{invoice.id}", payload={"invoice_id": str(invoice.id)})
    # a change that came to its end may have given credit
    invoices.finalise(invoice, credit=any(turn.beside.credit or turn.beside.changes for turn in turns))
    session().flush()  # what it bills refers to it
    billed.record(invoice, [turn.of for turn in turns])
    for turn in turns:
        turn.use.billed(invoice.id)
    invoices.number(invoice)
    restart()
    return invoice.id


def _turn(subscription_id: UUID, *, early: bool = False) -> Turn | None:
    """What the end of a subscription's period brings; None where it is not due. `early`: later the same local day."""
    of, known = beside.locked(subscription_id)
    if of.status not in subscriptions.LIVE or (of.current_period_end > clock.now() and not early):
        return None
    waiting = change_payments.settle_paying(of) if known.changes else []
    at = of.current_period_end
    ending = of.cancel_at is not None and of.cancel_at <= at
    if not ending and of.status == "past_due" and holds.stands_still(of):
        return None
    use = seams.use_of(of, at, last=ending, alone=not known.others)
    past = (*_in_arrears(of, at), *use.charges)
    if ending:
        subscriptions.end(of, at=at)
        return Turn(of, known, past, None, use)
    if not boundary.at_the_end(of, at, waiting):  # the plan is left or rests: its month of use may end here
        return Turn(of, known, past, None, seams.use_of(of, at, last=True))
    began = of.current_period_start
    period = subscriptions.period_after(of)
    of.current_period_start, of.current_period_end = period.start, period.end
    session().flush()
    if of.timing == "arrears":
        return Turn(of, known, past, Period(began, at) if past and began < at else None, use)
    # one that was resumed begins anew, maybe when an earlier period did
    named = period if began < at else None
    return Turn(of, known, (*past, *subscriptions.charges(of, period)), named, use)


def _in_arrears(of: Subscription, at: datetime) -> list[Charge]:
    """The period that ends, where it is billed afterwards."""
    return boundary.in_arrears(of, at) if of.timing == "arrears" and of.status != "trialing" else []


def next_bill(of: Subscription) -> Bill:
    """The next renewal as it would be billed by now: for estimates and previews. Nothing is written."""
    charges = _in_arrears(of, of.current_period_end)
    if of.timing != "arrears":
        charges += subscriptions.charges(of, subscriptions.period_after(of))
    charges += seams.usage_charges(of, of.current_period_end)
    return invoices.rate(of.currency, charges, of.id)


def collect(invoice_id: UUID) -> None:
    """Charge the default card for an open invoice, once; a refusal makes its subscriptions past due."""
    sellers.lock_profile()
    invoice = invoices.locked(invoice_id)
    if invoice.status != "open":
        return
    method = methods.default_method()
    if method is not None:
        payment = payments.begin(invoice, method, "renewal", off_session=True)
        payment = payments.send(payment.id)
        if payment.status in ("succeeded", "pending", "created"):
            return
        if payment.status == "requires_action":  # nobody is here to take a second step
            payments.release(payment.id)
    else:
        emit(
            "payment.failed",
            subject=f"invoice:{invoice_id}",
            # no attempt was made: the invoice stands for it
            payload={"invoice_id": str(invoice_id), "payment_id": str(invoice_id), "code": "no_method",
                     "message": "There is no card on file.", "off_session": True, "dunning": True},
        )  # fmt: skip
    sellers.lock_profile()
    invoice = invoices.locked(invoice_id)
    if invoice.status == "open":
        for subscription_id in billed.subscriptions_of(invoice):
            subscriptions.past_due(subscriptions.subscription(subscription_id, lock=True))


def collect_open() -> None:
    """Invoices that a crash left finalised but never charged: charge them now."""
    query = select(Invoice.id).where(Invoice.status == "open", Invoice.subscription_id.is_not(None))
    for invoice_id in session().scalars(query).all():
        if payments.never_tried(invoice_id) and rows.of_invoice(invoice_id) is None:
            collect(invoice_id)
