"""Cards on file. The gateway keeps the card; CHOM keeps its reference and what a person recognises it by."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert

from chom_core.billing.models import Payment, PaymentMethod
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import gateways
from chom_core.database import clock, current, session
from chom_core.values.billing import CardSubmission, SavedMethod
from chom_core.values.errors import NotFound
from chom_core.values.ids import uuid7
from chom_core.work import emit


def methods() -> list[PaymentMethod]:
    """The organisation's cards, the default first."""
    query = select(PaymentMethod).where(PaymentMethod.removed_at.is_(None))
    return list(session().scalars(query.order_by(PaymentMethod.is_default.desc(), PaymentMethod.id)))


def usable_methods() -> list[PaymentMethod]:
    """The cards worth offering at a checkout: without those that were only ever declined."""
    tried = exists().where(Payment.method_id == PaymentMethod.id, Payment.status == "declined")
    paid = exists().where(Payment.method_id == PaymentMethod.id, Payment.status == "succeeded")
    refused = set(session().scalars(select(PaymentMethod.id).where(tried, ~paid)))
    return [method for method in methods() if method.id not in refused]


def default_method() -> PaymentMethod | None:
    """The card that renewals are charged to."""
    return next((method for method in methods() if method.is_default), None)


def method(method_id: UUID) -> PaymentMethod:
    """One card of the organisation; NotFound where it has no such card (any more)."""
    query = select(PaymentMethod).where(PaymentMethod.id == method_id, PaymentMethod.removed_at.is_(None))
    found = session().scalar(query)
    if found is None:
        raise NotFound(_("There is no such card."), fix=_("Choose one of the list, or enter a card."))
    return found


def add_method(currency: str, fields: Mapping[str, str], return_url: str = "") -> PaymentMethod:
    """Hand the form's fields to the gateway and keep what it answers. Commits before the call.

    Raises Invalid, or CardElsewhere where the gateway takes cards on a page of its own: the person comes back to
    `return_url` with fields in its query, which are handed to this verb again.
    """
    tenant_id = current().tenant_id
    assert tenant_id is not None
    bound = gateways.gateway(currency)
    saved = bound.save_method(CardSubmission(tenant_id, dict(fields), return_url))
    return keep(bound.gateway.name, saved)


def keep(gateway: str, saved: SavedMethod) -> PaymentMethod:
    """Note a card that `gateway` keeps. The same card again is the same row. The first one becomes the default."""
    tenant_id = current().tenant_id
    sellers.lock_profile()
    values = {
        "brand": saved.brand,
        "last4": saved.last4,
        "expiry_month": saved.expiry_month,
        "expiry_year": saved.expiry_year,
        "removed_at": None,
    }
    row = insert(PaymentMethod).values(
        id=uuid7(), created_at=clock.now(), tenant_id=tenant_id, gateway=gateway,
        reference=saved.reference, is_default=default_method() is None, **values,
    )  # fmt: skip
    made = row.on_conflict_do_update(index_elements=["tenant_id", "gateway", "reference"], set_=values)
    method_id = session().scalars(made.returning(PaymentMethod.id)).one()
    emit("payment_method.saved", subject=f"payment_method:{method_id}", payload={"last4": saved.last4})
    return session().scalars(select(PaymentMethod).where(PaymentMethod.id == method_id)).one()


def make_default(method_id: UUID) -> None:
    """Renewals are charged to this card from now on."""
    sellers.lock_profile()
    chosen = method(method_id)
    session().execute(
        update(PaymentMethod)
        .where(PaymentMethod.tenant_id == chosen.tenant_id, PaymentMethod.is_default)
        .values(is_default=False)
    )
    session().refresh(chosen)
    chosen.is_default = True
    emit(
        "payment_method.made_default", subject=f"payment_method:{chosen.id}", payload={"last4": chosen.last4}
    )
    session().flush()


def paid_with(method: PaymentMethod) -> None:
    """A card that paid takes over renewals from one that never did: the first card tried may have been declined."""
    default = default_method()
    if default is None or default.id == method.id or method.removed_at is not None:
        return
    ever = select(exists().where(Payment.method_id == default.id, Payment.status == "succeeded"))
    if not session().scalar(ever):
        make_default(method.id)


def remove_method(method_id: UUID) -> None:
    """Forget a card. Payments made with it stay on the books; another card becomes the default."""
    sellers.lock_profile()
    gone = method(method_id)
    gone.removed_at, was_default, gone.is_default = clock.now(), gone.is_default, False
    emit(
        "payment_method.removed",
        subject=f"payment_method:{gone.id}",
        payload={"gateway": gone.gateway, "reference": gone.reference},
    )
    session().flush()
    left = methods()
    if was_default and left:
        left[0].is_default = True
        session().flush()
