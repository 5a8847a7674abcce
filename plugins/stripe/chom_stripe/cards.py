"""Cards are entered on Stripe's own page (Checkout, in setup mode), never here.

Elements would need scripts of another host, which CHOM's content policy (`script-src 'self'`) refuses, and would not
work without JavaScript. The hosted page does the bank's second step too, so renewals can be charged with nobody there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_sdk import Invalid, clock, transaction, uuid7
from chom_sdk.billing import CardElsewhere, CardSubmission, SavedMethod
from chom_stripe.keys import Keys, api
from chom_stripe.models import Customer
from chom_stripe.outcomes import spoken

if TYPE_CHECKING:
    from stripe import PaymentMethod


def save(keys: Keys, submission: CardSubmission) -> SavedMethod:
    """The card of a finished session; without one, CardElsewhere leads to a new session."""
    fields = submission.fields
    if fields.get("entered") == "no":
        raise Invalid(_("No card was entered."), fix=_("Try again, or use a card on file."))
    with spoken():
        if fields.get("session_id"):
            return _entered(keys, submission.tenant_id, fields["session_id"])
        raise CardElsewhere.at(_started(keys, submission))


def customer(keys: Keys, tenant_id: UUID) -> str:
    """The organisation's customer at Stripe, made when first needed."""
    known = _known(keys, tenant_id)
    if known:
        return known
    made = api(keys).customers.create(
        {"metadata": {"chom_tenant": str(tenant_id)}}, {"idempotency_key": f"customer/{tenant_id}"}
    )
    with transaction(tenant_id) as here:
        row = insert(Customer).values(
            id=uuid7(), created_at=clock.now(), tenant_id=tenant_id, mode=keys.mode, reference=made.id
        )
        here.execute(row.on_conflict_do_nothing(index_elements=["tenant_id", "mode"]))
    return _known(keys, tenant_id) or made.id


def detach(keys: Keys, tenant_id: UUID, reference: str) -> None:
    """Stripe forgets a card that was removed here. One that is not this organisation's stays."""
    import stripe

    with spoken():
        try:
            kept = api(keys).payment_methods.retrieve(reference)
            if kept.customer and str(kept.customer) == _known(keys, tenant_id):
                api(keys).payment_methods.detach(reference)
        except stripe.InvalidRequestError:
            return  # it is gone already


def as_saved(method: PaymentMethod) -> SavedMethod:
    """What CHOM keeps of a card."""
    card = method.card
    if card is None:
        raise Invalid(_("Stripe kept something that is not a card."), fix=_("Enter a card."))
    brand = (card.display_brand if "display_brand" in card else None) or card.brand
    return SavedMethod(
        method.id, brand.replace("_", " ").title()[:30], card.last4, card.exp_month, card.exp_year
    )


def _started(keys: Keys, submission: CardSubmission) -> str:
    if not submission.return_url:
        raise Invalid(
            _("A card is entered on Stripe's page, in a browser."), fix=_("Add it under Payment methods.")
        )
    joint = "&" if "?" in submission.return_url else "?"
    back = submission.return_url + joint
    facts = {"chom_tenant": str(submission.tenant_id)}
    made = api(keys).checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer(keys, submission.tenant_id),
            "allowed_payment_method_types": ["card"],
            "success_url": back + "session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": back + "entered=no",
            "metadata": facts,
            "setup_intent_data": {"metadata": facts},
        }
    )
    return made.url or ""


def _entered(keys: Keys, tenant_id: UUID, session_id: str) -> SavedMethod:
    import stripe

    wrong = Invalid(_("Stripe has no card from you on this page."), fix=_("Enter your card again."))
    try:
        found = api(keys).checkout.sessions.retrieve(session_id, {"expand": ["setup_intent.payment_method"]})
    except stripe.InvalidRequestError:
        raise wrong from None
    setup = found.setup_intent
    method = setup.payment_method if setup is not None and not isinstance(setup, str) else None
    if (
        found.customer != _known(keys, tenant_id)
        or found.status != "complete"
        or method is None
        or isinstance(method, str)
    ):
        raise wrong
    return as_saved(method)


def _known(keys: Keys, tenant_id: UUID) -> str:
    with transaction(tenant_id) as here:
        return here.scalar(select(Customer.reference).where(Customer.mode == keys.mode)) or ""
