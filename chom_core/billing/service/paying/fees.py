"""What gateways keep of payments: an expense, posted once for each fee, whichever way it is heard.

It stands in the organisation that paid, beside the payment's cash; with the payment's seller, or with the platform
where the fee is taken from the platform's account although the money is a reseller's.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy import select

from chom_core.billing import ledger
from chom_core.billing.models import Payment
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import owners
from chom_core.database import session
from chom_core.values.billing import GatewayFee
from chom_core.values.errors import ChomError, Invalid, NotFound
from chom_core.values.money import Money

log = structlog.get_logger("chom.billing")
KIND = "gateway fee"


def charged_fee(payment_id: UUID, reference: str, amount: Money, *, of_platform: bool = False) -> UUID | None:
    """Post what the gateway kept of a payment, once per `reference`; the id of its entry, None where it kept nothing.

    `of_platform`: taken from the platform's account, so the platform's cost where the money is a reseller's. Raises
    NotFound; Invalid for a negative amount or another currency than was paid; Conflict for another amount than before.
    """
    sellers.lock_profile()
    payment = session().scalar(select(Payment).where(Payment.id == payment_id))
    if payment is None:
        raise NotFound("There is no such payment.")
    return post(payment, GatewayFee(reference, amount, of_platform))


def post(payment: Payment, fee: GatewayFee) -> UUID | None:
    """`charged_fee` of a payment whose organisation's profile is locked."""
    amount, reference = fee.amount, fee.reference.strip()
    if not reference or len(reference) > 150:
        raise Invalid(
            "What is the fee called at the gateway?", fields={"reference": ["1 to 150 characters."]}
        )
    if amount.currency != payment.currency:
        raise Invalid(
            f"The fee is in {amount.currency}, the payment was in {payment.currency}.",
            fix="Nothing was posted: a person has to say what it was worth.",
            fields={"amount": [f"In {payment.currency}."]},
        )
    if amount.amount < 0:
        raise Invalid("A fee is never negative.", fields={"amount": ["From 0."]})
    if not amount:
        return None
    return ledger.post(
        f"fee:{reference}", KIND, [("fees", amount), ("cash", -amount)], seller_id=_bearer(payment, fee),
        source=f"payment:{payment.id}", description=f"{payment.gateway} kept this of a payment"[:300],
    )  # fmt: skip


def heard(payment: Payment, fee: GatewayFee) -> None:
    """`post`, where a fee that cannot be posted must not keep a payment from being settled: a person sees it later."""
    try:
        post(payment, fee)
    except ChomError as odd:
        log.warning("fee not posted", payment=str(payment.id), reference=fee.reference, why=odd.detail)


def _bearer(payment: Payment, fee: GatewayFee) -> UUID:
    if fee.of_platform and owners.reseller_of(payment) is not None:
        return owners.platform_seller_id()
    return owners.seller_id(payment)
