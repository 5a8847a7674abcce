"""Payment intents and refunds: each asked for once per key, and told in CHOM's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chom_sdk import Conflict
from chom_sdk.billing import FollowUp, PaymentRequest, PaymentResult
from chom_stripe import attempts, cards
from chom_stripe.keys import Keys, api
from chom_stripe.outcomes import declined, mine, minor, of_intent, of_refund, plain, spoken

if TYPE_CHECKING:
    from stripe import PaymentIntent, Refund

#: Stripe says so of an intent that is captured or cancelled already: how it stands is the answer then.
_MOVED_ON = "payment_intent_unexpected_state"


def name(request: PaymentRequest | FollowUp) -> str:
    """The key at Stripe: core's keys are unique within an organisation only."""
    return f"{request.tenant_id}/{request.key}"


def pay(keys: Keys, request: PaymentRequest, *, capture: bool) -> PaymentResult:
    """Take the money, or hold it. A declined card is an answer; an unknown outcome is Unavailable."""
    import stripe

    with spoken():
        try:
            intent = attempts.once(
                keys.mode,
                name(request),
                request.tenant_id,
                create=lambda: _create(keys, request, capture=capture),
                fetch=lambda reference: api(keys).payment_intents.retrieve(reference),
                find=lambda: _find_intent(keys, request),
            )
        except stripe.CardError as error:
            made = error.error.payment_intent if error.error is not None else None
            if made is not None:
                attempts.note(keys.mode, name(request), made.id)
                return of_intent(made)
            return declined(error.code or "declined")
        except stripe.IdempotencyError:
            raise
        except stripe.InvalidRequestError as error:
            return declined(error.code or "invalid_request")  # nothing was made: no money moved
        return of_intent(mine(intent, request.tenant_id))


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
                raise Conflict(f"Stripe does not capture this: {error.user_message}") from error
            done = _of(keys, request)
        return of_intent(done, captured=True)


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
                raise Conflict(f"Stripe does not cancel this: {error.user_message}") from error
            done = _of(keys, request)
        return of_intent(done)


def refund(keys: Keys, request: FollowUp) -> PaymentResult:
    """Give money back, whole or in part, once per key; never more than was taken (Conflict)."""
    import stripe

    with spoken():
        _of(keys, request)
        try:
            made = attempts.once(
                keys.mode,
                name(request),
                request.tenant_id,
                create=lambda: _give_back(keys, request),
                fetch=lambda reference: api(keys).refunds.retrieve(reference),
                find=lambda: _find_refund(keys, request),
            )
        except stripe.IdempotencyError:
            raise
        except stripe.InvalidRequestError as error:
            raise Conflict(
                "More would be refunded than was paid.", fix="Look at the payment's refunds."
            ) from error
        return of_refund(made)


def _create(keys: Keys, request: PaymentRequest, *, capture: bool) -> PaymentIntent:
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
    }
    return api(keys).payment_intents.create(asked, {"idempotency_key": name(request)})


def _find_intent(keys: Keys, request: PaymentRequest) -> PaymentIntent | None:
    made = api(keys).payment_intents.list({"customer": cards.customer(keys, request.tenant_id), "limit": 100})
    every = made.auto_paging_iter()
    return next((one for one in every if plain(one.metadata).get("chom_key") == request.key), None)


def _give_back(keys: Keys, request: FollowUp) -> Refund:
    part = {"amount": minor(request.amount)} if request.amount else {}
    facts = {"chom_key": request.key, "chom_tenant": str(request.tenant_id), "reason": request.reason[:400]}
    asked: Any = {"payment_intent": request.reference, "metadata": facts, **part}
    return api(keys).refunds.create(asked, {"idempotency_key": name(request)})


def _find_refund(keys: Keys, request: FollowUp) -> Refund | None:
    made = api(keys).refunds.list({"payment_intent": request.reference, "limit": 100})
    every = made.auto_paging_iter()
    return next((one for one in every if plain(one.metadata).get("chom_key") == request.key), None)


def _of(keys: Keys, request: FollowUp) -> PaymentIntent:
    found: PaymentIntent = mine(api(keys).payment_intents.retrieve(request.reference), request.tenant_id)
    return found
