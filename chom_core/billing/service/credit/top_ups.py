"""Top-ups that nobody is there for: a program charges a card under its key, once, and is told how it went."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import Payment, PaymentMethod
from chom_core.billing.service.credit import accounts, grants
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import methods, payments
from chom_core.database import restart, session
from chom_core.values.errors import Conflict, PaymentRequired
from chom_core.values.money import Money


class TopUp(Struct, frozen=True):
    """How a top-up stands. `status`: succeeded, declined, or pending while the bank has not answered.

    `card` is what a person recognises the card by; `message` and `fix` are theirs where it was declined.
    """

    payment_id: UUID
    status: str
    amount: Money
    card: str
    code: str = ""
    message: str = ""
    fix: str = ""


def top_up_alone(money: Money, key: str, method_id: UUID | None = None) -> TopUp:
    """Charge a card (None: the default one) without its holder, and keep the money as account credit.

    Commits on the way. The key makes it one charge for ever: asked again, also after a lost answer, it is the same
    payment, and its gateway is asked how it stands. A bank that wants its customer to approve counts as a refusal.
    Raises PaymentRequired (no such card), Invalid, Conflict (the key was for another sum), Unavailable (no answer).
    """
    sellers.lock_profile()
    accounts.used_here(grants.money_in(money))
    key = grants.words_in(key, "key", 120)
    payment = session().scalar(select(Payment).where(Payment.key == f"top-up/{key}"))
    if payment is None:
        payment = payments.begin_top_up(money, _card(method_id), key, off_session=True)
        payment = payments.send(payment.id)
    else:
        if (payment.amount, payment.currency) != (money.amount, money.currency):
            raise Conflict(_("This key was for another amount."), fix=_("Use a new key for a new top-up."))
        payment = payments.refetch(payment.id)
    if payment.status == "requires_action":
        payment = payments.release(payment.id)
        restart()
    return _told(payment)


def _card(method_id: UUID | None) -> PaymentMethod:
    found = next(
        (one for one in methods.methods() if (one.is_default if method_id is None else one.id == method_id)),
        None,
    )
    if found is None:
        raise PaymentRequired(_("The card is not on file any more."), fix=_("Choose another card."))
    return found


def _told(payment: Payment) -> TopUp:
    method = session().get_one(PaymentMethod, payment.method_id)
    status = {"succeeded": "succeeded", "declined": "declined", "cancelled": "declined"}.get(
        payment.status, "pending"
    )
    approve = status == "declined" and payment.status == "cancelled"
    return TopUp(
        payment.id, status, Money(payment.amount, payment.currency),
        f"{method.brand} ending in {method.last4}",
        code=payment.code or ("authentication_required" if approve else ""),
        message=payment.message or ("The bank wants you to approve this payment yourself." if approve else ""),
        fix=payment.fix,
    )  # fmt: skip
