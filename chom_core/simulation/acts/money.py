"""Credit, refunds, notes, and cards that pay or do not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from chom_core.billing.models import Coupon, Invoice, Payment, Payout
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, invoices, sellers, voiding
from chom_core.billing.service.offers import coupons
from chom_core.billing.service.partners import nightly, payouts
from chom_core.billing.service.paying import methods, refunds
from chom_core.database import clock, session
from chom_core.simulation import cast, stage
from chom_core.simulation.acts.on import CURRENCY, On
from chom_core.values.money import Money


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
    return "done" if accounts.top_up(money, method.id, on.act.key).status == "succeeded" else "declined"


def goodwill(on: On) -> str:
    accounts.grant_account_credit(
        Money(500 + int(on.draw * 2000), CURRENCY), on.act.key, "Sorry for the outage"
    )
    return "done"


def promotion(on: On) -> str:
    money = Money(1000 + int(on.draw * 4000), CURRENCY)
    ends = clock.now() + timedelta(days=30 + int(on.draw * 60))
    accounts.grant_promotional_credit(money, on.act.key, "Spring promotion", ends, usage_only=on.draw < 0.3)
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


def new_card(on: On) -> str:
    return _default_card(cast.OTHER if on.draw < 0.5 else cast.GOOD)


def worse_card(on: On) -> str:
    """A card that will be declined when nobody is there to see it."""
    return _default_card(cast.LATER)


def settle(on: On) -> str:
    """Staff pay by hand what waits for it; then the night: months that are over are invoiced, or its part is posted."""
    waiting = select(Payout.id).where(Payout.status == "pending", Payout.method == payouts.MANUAL)
    for payout_id in session().scalars(waiting.order_by(Payout.id)).all():
        payouts.mark_paid(payout_id, f"Bank transfer {clock.now():%d %b}")
    return "done" if nightly.settle() else "nothing"


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
