"""What gateways hear by themselves: a payment or a card changed there. Each is asked about, never believed."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.billing.models import Payment, PaymentMethod, Refund
from chom_core.billing.service.paying import methods, payments, refunds
from chom_core.database import session
from chom_core.values.billing import SavedMethod
from chom_core.values.errors import NotFound
from chom_core.values.ids import parse_uuid


def payment_of(gateway: str, key: str = "", reference: str = "") -> Payment:
    """The organisation's payment with this key, or this reference at `gateway`; NotFound."""
    query = select(Payment).where(Payment.gateway == gateway)
    found = session().scalar(
        query.where(Payment.key == key if key else Payment.reference == reference).limit(1)
    )
    if found is None or not (key or reference):
        raise NotFound(_("There is no such payment here."))
    return found


def payment_id(gateway: str, key: str = "", reference: str = "") -> UUID:
    """Its id; NotFound."""
    return payment_of(gateway, key, reference).id


def recheck_payment(gateway: str, key: str = "", reference: str = "") -> UUID:
    """Ask the gateway how the payment stands, settle it, commit, and return its id. A settled one stays as it is."""
    payment = payment_of(gateway, key, reference)
    return payments.refetch(payment.id).id


def recheck_refund(gateway: str, key: str) -> UUID:
    """Ask the gateway how the refund sent under `key` stands, settle it, commit, and return its id; else NotFound."""
    refund_id = parse_uuid(key.removeprefix("refund/"))
    query = select(Refund.id).join(Payment, Payment.id == Refund.payment_id)
    found = session().scalar(query.where(Payment.gateway == gateway, Refund.id == refund_id))
    if found is None:
        raise NotFound(_("There is no such refund here."))
    return refunds.send(found).id


def keep_method(gateway: str, saved: SavedMethod) -> UUID:
    """A card that the organisation entered on the gateway's page: on file, also where the browser never came back.

    One that was removed here stays removed.
    """
    query = select(PaymentMethod).where(
        PaymentMethod.gateway == gateway, PaymentMethod.reference == saved.reference
    )
    known = session().scalar(query)
    if known is not None and known.removed_at is not None:
        return known.id
    return methods.keep(gateway, saved).id
