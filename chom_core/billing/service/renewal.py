"""Renewal: when a period ends, the next one is invoiced and charged. Again the same day: nothing happens."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import Invoice, Seller, Subscription
from chom_core.billing.service import invoices, methods, payments, sellers, subscriptions
from chom_core.database import clock, restart, session
from chom_core.values.money import Money
from chom_core.values.period import Period
from chom_core.work import emit

RENEW = "billing.renew"
#: Periods rolled for one subscription in one run: a clock moved by two years still ends.
MOST = 60


def renew_due() -> int:
    """Roll every period of the current organisation that has ended by now. Returns how many invoices were made."""
    made = 0
    query = select(Subscription.id).where(
        Subscription.status.in_(("active", "past_due")), Subscription.current_period_end <= clock.now()
    )
    for subscription_id in session().scalars(query.order_by(Subscription.current_period_end)).all():
        for _ in range(MOST):
            invoice_id = roll(subscription_id)
            if invoice_id is None:
                break
            made += 1
            collect(invoice_id)
            restart()
    return made


def roll(subscription_id: UUID) -> UUID | None:
    """Begin the next period and finalise its invoice; None where nothing is due. A cancelled one ends here."""
    sellers.lock_profile()
    of = subscriptions.subscription(subscription_id, lock=True)
    if of.status not in ("active", "past_due") or of.current_period_end > clock.now():
        return None
    if of.cancel_at is not None and of.cancel_at <= of.current_period_end:
        subscriptions.end(of, at=of.current_period_end)
        return None
    period = subscriptions.period_after(of)
    of.current_period_start, of.current_period_end = period.start, period.end
    invoice = _invoice(of, period)
    if of.status == "active" and invoice.total:
        emit("invoice.due", subject=f"invoice:{invoice.id}", payload={"invoice_id": str(invoice.id)})
    invoices.finalise(invoice)
    if not invoice.total:
        invoices.paid(
            invoice, Money.zero(invoice.currency), key=f"invoice:{invoice.id}", description="Nothing to pay"
        )
    session().flush()
    invoices.number(invoice)
    restart()
    return invoice.id


def _invoice(of: Subscription, period: Period) -> Invoice:
    """The period's draft. The unique key on subscription and period start makes a second one impossible."""
    bill = invoices.rate(of.currency, subscriptions.charges(of, period), of.id)
    return invoices.draft(
        bill, seller=session().get_one(Seller, of.seller_id), subscription_id=of.id, period=period
    )


def collect(invoice_id: UUID) -> None:
    """Charge the default card for an open invoice, once; a refusal makes the subscription past due."""
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
                     "message": "There is no card on file.", "off_session": True},
        )  # fmt: skip
    sellers.lock_profile()
    invoice = invoices.locked(invoice_id)
    if invoice.status == "open" and invoice.subscription_id is not None:
        subscriptions.past_due(subscriptions.subscription(invoice.subscription_id, lock=True))


def collect_open() -> None:
    """Invoices that a crash left finalised but never charged: charge them now."""
    query = select(Invoice.id).where(Invoice.status == "open", Invoice.subscription_id.is_not(None))
    for invoice_id in session().scalars(query).all():
        if payments.never_tried(invoice_id):
            collect(invoice_id)
