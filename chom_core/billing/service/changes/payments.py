"""Charging for a change: billed first, applied when it is paid. A declined card leaves everything as it was."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import Invoice, Payment, PaymentMethod, Seller, Subscription, SubscriptionChange
from chom_core.billing.models.payments import OPEN
from chom_core.billing.service.changes import applying, rows
from chom_core.billing.service.changes.reckoning import Reckoning
from chom_core.billing.service.invoicing import invoices, sellers
from chom_core.billing.service.paying import methods, payments
from chom_core.database import restart, session
from chom_core.values.errors import Conflict, Invalid
from chom_core.values.money import Money

State = Literal["done", "scheduled", "action", "declined", "pending"]
_STATES: dict[str, State] = {
    "succeeded": "done", "requires_action": "action", "declined": "declined", "cancelled": "declined",
}  # fmt: skip


class Paying(Struct, frozen=True):
    """How a change is paid: the amount on the button, a card (else the default), which press, and the way back."""

    expected: Money | None = None
    method_id: UUID | None = None
    attempt: str = ""
    return_url: str = ""
    off_session: bool = False


class Changed(Struct, frozen=True):
    """How a change stands. `url` leads to the bank's second step; `message` and `fix` are for the person."""

    state: State
    change_id: UUID
    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    url: str = ""
    message: str = ""
    fix: str = ""


def charge(of: Subscription, row: SubscriptionChange, found: Reckoning, paying: Paying) -> Changed:
    """Bill the change, take the money, apply it. Without anything to bill it applies at once."""
    if paying.expected is not None and paying.expected != found.bill.total:
        raise Conflict(
            _(
                "The amount is %(now)s now, not %(then)s.",
                now=found.bill.total.format(),
                then=paying.expected.format(),
            ),
            fix=_("Nothing was charged. Look at the new amount and confirm again."),
        )
    row.status, row.terms, row.before = "paying", applying.terms(found), applying.before(of)
    session().flush()
    if not found.bill.lines:
        applying.apply(row, None)
        return Changed("done", row.id)
    seller = session().get_one(Seller, of.seller_id)
    invoice = invoices.draft(found.bill, seller=seller, subscription_id=of.id, period=None)
    row.invoice_id = invoice.id
    if not invoices.to_charge(invoice):  # nothing, or the customer's credit pays it
        invoices.finalise(invoice)
        applying.apply(row, invoice)
        invoices.number(invoice)
        restart()
        return Changed("done", row.id, invoice.id)
    return _pay(row, invoice, _method(paying), paying)


def _pay(row: SubscriptionChange, invoice: Invoice, method: PaymentMethod, paying: Paying) -> Changed:
    payment = payments.begin(
        invoice, method, paying.attempt or f"change-{row.id}", return_url=paying.return_url,
        off_session=paying.off_session,
    )  # fmt: skip
    return outcome(row.id, payments.send(payment.id))


def outcome(change_id: UUID, payment: Payment) -> Changed:
    state = _STATES.get(payment.status, "pending")
    if state == "declined":
        drop(change_id, payment.message)
    return Changed(
        state, change_id, payment.invoice_id, payment.id, payment.url if state == "action" else "", payment.message,
        payment.fix,
    )  # fmt: skip


def pressed(of: Subscription, paying: Paying) -> Changed | None:
    """The same button pressed a moment ago."""
    if not paying.attempt:
        return None
    query = (
        select(SubscriptionChange, Payment)
        .join(Payment, Payment.invoice_id == SubscriptionChange.invoice_id)
        .where(
            SubscriptionChange.subscription_id == of.id,
            Payment.key.endswith(f"/{paying.attempt}", autoescape=True),
        )
    )
    found = session().execute(query).first()
    return outcome(found[0].id, payments.send(found[1].id)) if found else None


def _method(paying: Paying) -> PaymentMethod:
    method = methods.method(paying.method_id) if paying.method_id else methods.default_method()
    if method is None:
        raise Invalid(
            _("There is no card to charge."), fix=_("Add a card under Payment methods first."),
            fields={"method": [_("Add a card first.")]},
        )  # fmt: skip
    return method


def clear_the_way(of: Subscription, kind: str) -> None:
    """A change of the same kind that waits gives way to the one that is asked for now."""
    for row in rows.waiting(of.id):
        if row.kind == kind and row.status == "paying":
            _let_go(row)
            if rows.locked(row.id).status == "done":
                raise Conflict(
                    _("An earlier payment for this went through after all."), fix=_("Reload the page.")
                )
        elif row.kind == kind:
            rows.cancel(row.id, reason=_("Replaced by a newer change."))


def settle_paying(of: Subscription) -> list[SubscriptionChange]:
    """Before the period turns: a change whose payment is still open is let go, or takes effect after all.

    Answers what waits on.
    """
    waiting = rows.waiting(of.id)
    paying = [row for row in waiting if row.status == "paying"]
    for row in paying:
        _let_go(row)
    return rows.waiting(of.id) if paying else waiting


def _let_go(row: SubscriptionChange) -> None:
    query = select(Payment).where(Payment.invoice_id == row.invoice_id, Payment.status.in_(OPEN))
    for payment in session().scalars(query).all():
        payments.release(payment.id)
        sellers.lock_profile()
    drop(row.id, _("It was not paid in time."))


def drop(change_id: UUID, why: str) -> None:
    """The payment came to nothing: the draft is void, the subscription as it was."""
    row = rows.locked(change_id)
    if row.status != "paying":
        return
    invoice = session().get(Invoice, row.invoice_id) if row.invoice_id else None
    if invoice is not None and invoice.status == "draft":
        invoice.status = "void"
    rows.failed(change_id, why)
