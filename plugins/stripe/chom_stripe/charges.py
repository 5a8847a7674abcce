"""Payment intents and refunds: each asked for once per key, and told in CHOM's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from chom_sdk import Conflict
from chom_sdk.billing import FollowUp, PaymentRequest, PaymentResult
from chom_stripe import attempts, cards, payouts
from chom_stripe.keys import Keys, api
from chom_stripe.outcomes import (
    CHARGE,
    declined,
    destination,
    mine,
    minor,
    of_intent,
    of_refund,
    plain,
    spoken,
)

if TYPE_CHECKING:
    from stripe import PaymentIntent, Refund

#: Stripe says so of an intent that is captured or cancelled already: how it stands is the answer then.
_MOVED_ON = "payment_intent_unexpected_state"
_SELLER_AWAY = "insufficient_capabilities_for_transfer"


def name(request: PaymentRequest | FollowUp) -> str:
    """The key at Stripe: core's keys are unique within an organisation only."""
    return f"{request.tenant_id}/{request.key}"


def pay(keys: Keys, request: PaymentRequest, *, capture: bool) -> PaymentResult:
    """Take the money, or hold it. A declined card is an answer; an unknown outcome is Unavailable.

    A reseller's money goes to its own account, where that is ready when the key is first used.
    """
    import stripe

    ready = payouts.selling(keys, request.seller) if request.seller is not None else ""
    to = attempts.decide(keys.mode, name(request), request.tenant_id, ready)
    with spoken():
        try:
            made = attempts.once(
                keys.mode,
                name(request),
                request.tenant_id,
                create=lambda: _create(keys, request, to, capture=capture),
                fetch=lambda reference: intent(keys, reference),
                find=lambda: _find_intent(keys, request),
            )
        except stripe.CardError as error:
            failed = error.error.payment_intent if error.error is not None else None
            if failed is not None:
                attempts.note(keys.mode, name(request), failed.id)
                return of_intent(failed)
            return declined(error.code or "declined")
        except stripe.IdempotencyError:
            raise
        except stripe.InvalidRequestError as error:  # nothing was made: no money moved
            if to and request.seller is not None and not payouts.still_sells(keys, request.seller):
                return declined(_SELLER_AWAY)  # the next attempt goes to the platform's account
            return declined(error.code or "invalid_request")
        return of_intent(mine(made, request.tenant_id))


def look(keys: Keys, request: FollowUp) -> PaymentResult:
    """How a payment (or a refund, by its reference) stands now."""
    with spoken():
        if request.reference.startswith(("re_", "pyr_")):
            return of_refund(mine(api(keys).refunds.retrieve(request.reference), request.tenant_id))
        return of_intent(_of(keys, request))


def capture(keys: Keys, request: FollowUp) -> PaymentResult:
    """Take what was held, whole or `amount` of it."""
    import stripe

    with spoken():
        _of(keys, request)
        part: Any = {"amount_to_capture": minor(request.amount)} if request.amount else {}
        try:
            done = api(keys).payment_intents.capture(
                request.reference, part, {"idempotency_key": name(request)}
            )
        except stripe.IdempotencyError:
            raise
        except stripe.InvalidRequestError as error:
            if error.code != _MOVED_ON:
                raise Conflict(_("Stripe does not capture this: %(why)s", why=error.user_message)) from error
            done = _of(keys, request)
            return of_intent(done, captured=True)
        return of_intent(_of(keys, request), captured=True)  # with its fee, which exists since the capture


def cancel(keys: Keys, request: FollowUp) -> PaymentResult:
    """Let a hold go, or give up a payment that waits at the bank. One that is paid meanwhile says so."""
    import stripe

    with spoken():
        _of(keys, request)
        try:
            done = api(keys).payment_intents.cancel(request.reference, {}, {"idempotency_key": name(request)})
        except stripe.IdempotencyError:
            raise
        except stripe.InvalidRequestError as error:
            if error.code != _MOVED_ON:
                raise Conflict(_("Stripe does not cancel this: %(why)s", why=error.user_message)) from error
            done = _of(keys, request)
        return of_intent(done)


def refund(keys: Keys, request: FollowUp) -> PaymentResult:
    """Give money back, whole or in part, once per key; never more than was taken (Conflict)."""
    import stripe

    with spoken():
        of = _of(keys, request)
        try:
            made = attempts.once(
                keys.mode,
                name(request),
                request.tenant_id,
                create=lambda: _give_back(keys, request, of),
                fetch=lambda reference: api(keys).refunds.retrieve(reference),
                find=lambda: _find_refund(keys, request),
            )
        except stripe.IdempotencyError:
            raise
        except stripe.InvalidRequestError as error:
            raise Conflict(
                _("More would be refunded than was paid."), fix=_("Look at the payment's refunds.")
            ) from error
        return of_refund(made)


def _create(keys: Keys, request: PaymentRequest, to: str | None, *, capture: bool) -> PaymentIntent:
    """Asked for again, it is the very same question: `to` None stands for one that was first asked without `expand`."""
    facts = {"chom_key": request.key, "chom_tenant": str(request.tenant_id)}
    asked: Any = {
        "amount": minor(request.amount),
        "currency": request.amount.currency.lower(),
        "customer": cards.customer(keys, request.tenant_id),
        "payment_method": request.method,
        "allowed_payment_method_types": ["card"],
        "capture_method": "automatic" if capture else "manual",
        "confirm": True,
        "description": request.description[:500],
        "metadata": facts,
        **({"off_session": True} if request.off_session else {"return_url": request.return_url}),
        **({} if to is None else {"expand": [CHARGE]}),
        **({"transfer_data": {"destination": to}, "on_behalf_of": to} if to else {}),
    }
    return api(keys).payment_intents.create(asked, {"idempotency_key": name(request)})


def _find_intent(keys: Keys, request: PaymentRequest) -> PaymentIntent | None:
    made = api(keys).payment_intents.list({"customer": cards.customer(keys, request.tenant_id), "limit": 100})
    every = made.auto_paging_iter()
    return next((one for one in every if plain(one.metadata).get("chom_key") == request.key), None)


def _give_back(keys: Keys, request: FollowUp, of: PaymentIntent) -> Refund:
    """The money comes back from whoever got it then, whatever account would get it now."""
    part = {"amount": minor(request.amount)} if request.amount else {}
    facts = {"chom_key": request.key, "chom_tenant": str(request.tenant_id), "reason": request.reason[:400]}
    back = {"reverse_transfer": True} if destination(of) else {}
    asked: Any = {"payment_intent": request.reference, "metadata": facts, **part, **back}
    return api(keys).refunds.create(asked, {"idempotency_key": name(request)})


def _find_refund(keys: Keys, request: FollowUp) -> Refund | None:
    made = api(keys).refunds.list({"payment_intent": request.reference, "limit": 100})
    every = made.auto_paging_iter()
    return next((one for one in every if plain(one.metadata).get("chom_key") == request.key), None)


def intent(keys: Keys, reference: str) -> PaymentIntent:
    """A payment intent as it stands now, with what Stripe keeps of it."""
    with spoken():
        return api(keys).payment_intents.retrieve(reference, {"expand": [CHARGE]})


def _of(keys: Keys, request: FollowUp) -> PaymentIntent:
    found: PaymentIntent = mine(intent(keys, request.reference), request.tenant_id)
    return found
