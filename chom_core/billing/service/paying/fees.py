"""What gateways keep of payments and of disputes: an expense, posted once for each fee, whichever way it is heard.

It stands in the organisation that paid, beside the payment's cash; with the payment's seller, or with the platform
where the fee is taken from the platform's account although the money is a reseller's. It is posted in the currency in
which the gateway took it, which is not the payment's where the account settles in another one.
"""

from __future__ import annotations

from uuid import UUID

import structlog
from flask_babel import gettext as _
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
KIND, OF_DISPUTE = "gateway fee", "dispute fee"


def charged_fee(payment_id: UUID, reference: str, amount: Money, *, of_platform: bool = False) -> UUID | None:
    """Post what the gateway kept of a payment, once per `reference`; the id of its entry, None where it kept nothing.

    `of_platform`: taken from the platform's account, so the platform's cost where the money is a reseller's. Raises
    NotFound; Invalid for a negative amount; Conflict for another amount than before.
    """
    return post(_payment(payment_id), GatewayFee(reference, amount, of_platform))


def dispute_fee(
    payment_id: UUID, dispute: str, reference: str, amount: Money, *, of_platform: bool = False
) -> UUID | None:
    """Post what the gateway kept of a dispute of this payment, as `charged_fee`; below zero what it gave back.

    `dispute` is the dispute's name at the gateway. It may be heard before or after the dispute itself.
    """
    payment, fee = _payment(payment_id), GatewayFee(_name(reference), amount, of_platform)
    words = f"{payment.gateway} {'kept' if amount.amount > 0 else 'gave back'} this of a dispute"
    return _post(payment, fee, OF_DISPUTE, f"dispute:{_name(dispute, 100)}", words)


def _payment(payment_id: UUID) -> Payment:
    sellers.lock_profile()
    payment = session().scalar(select(Payment).where(Payment.id == payment_id))
    if payment is None:
        raise NotFound(_("There is no such payment."))
    return payment


def _name(reference: str, most: int = 150) -> str:
    reference = reference.strip()
    if not reference or len(reference) > most:
        raise Invalid(
            _("What is it called at the gateway?"),
            fields={"reference": [_("1 to %(most)s characters.", most=most)]},
        )
    return reference


def post(payment: Payment, fee: GatewayFee) -> UUID | None:
    """`charged_fee` of a payment whose organisation's profile is locked."""
    named = GatewayFee(_name(fee.reference), fee.amount, fee.of_platform)
    if fee.amount.amount < 0:
        raise Invalid(_("A fee of a payment is never negative."), fields={"amount": [_("From 0.")]})
    words = f"{payment.gateway} kept this of a payment"
    return _post(payment, named, KIND, f"payment:{payment.id}", words)


def heard(payment: Payment, fee: GatewayFee) -> None:
    """`post`, where a fee that cannot be posted must not keep a payment from being settled: a person sees it later."""
    try:
        post(payment, fee)
    except ChomError as odd:
        log.warning("fee not posted", payment=str(payment.id), reference=fee.reference, why=odd.detail)


def _post(payment: Payment, fee: GatewayFee, kind: str, source: str, words: str) -> UUID | None:
    if not fee.amount:
        return None
    return ledger.post(
        f"fee:{fee.reference}", kind, [("fees", fee.amount), ("cash", -fee.amount)], seller_id=_bearer(payment, fee),
        source=source, description=words[:300],
    )  # fmt: skip


def _bearer(payment: Payment, fee: GatewayFee) -> UUID:
    if fee.of_platform and owners.reseller_of(payment) is not None:
        return owners.platform_seller_id()
    return owners.seller_id(payment)
