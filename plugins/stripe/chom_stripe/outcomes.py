"""What Stripe answers, in CHOM's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from chom_sdk import Conflict, Money, NotFound, Unavailable
from chom_sdk.billing import GatewayFee, PaymentResult, PaymentStatus

if TYPE_CHECKING:
    from stripe import Charge, Dispute, PaymentIntent, Refund

#: What to expand of a payment intent to hear what Stripe keeps of it.
CHARGE = "latest_charge.balance_transaction"
#: Stripe counts these in hundredths, which the currencies themselves no longer have.
_SCALED = {"ISK": 100, "UGX": 100}
_WORDS = {
    "insufficient_funds": (
        _l("There is not enough money on the card."),
        _l("Try another card, or put money on this one and try again."),
    ),
    "expired_card": (_l("The card has expired."), _l("Use another card.")),
    "authentication_required": (
        _l("The bank wants you to approve this payment yourself."),
        _l("Open the invoice and pay it there; your bank will ask you."),
    ),
    "payment_intent_authentication_failure": (
        _l("The payment was not approved at the bank."),
        _l("Try again and approve it, or use another card."),
    ),
    "authorization_expired": (
        _l("The hold on the card has lapsed."),
        _l("Pay the invoice with a card on file."),
    ),
    "insufficient_capabilities_for_transfer": (
        _l("The seller cannot take payments at the moment."),
        _l("Nothing was charged. Try again."),
    ),
    "resource_missing": (_l("This card is no longer kept at Stripe."), _l("Enter your card again.")),
}
_OTHER = (_l("The bank declined the card."), _l("Try another card, or ask your bank."))
#: How disputes end. While one is open its status says more than that.
_DECIDED = {"won": "won", "lost": "lost", "prevented": "won", "warning_closed": "won"}
_REFUND = {
    "succeeded": PaymentStatus.SUCCEEDED,
    "failed": PaymentStatus.DECLINED,
    "canceled": PaymentStatus.CANCELLED,
}


def minor(amount: Money) -> int:
    """The amount as Stripe counts it."""
    return amount.amount * _SCALED.get(amount.currency, 1)


def money(amount: int, currency: str) -> Money:
    """Stripe's amount as ours."""
    code = currency.upper()
    return Money(amount // _SCALED.get(code, 1), code)


def of_intent(intent: PaymentIntent, *, captured: bool = False) -> PaymentResult:
    """How a payment intent stands. `captured`: money was to be taken that had been held: a lapsed hold is a failure."""
    direct = destination(intent) != ""
    if intent.status == "succeeded":
        return PaymentResult(PaymentStatus.SUCCEEDED, intent.id, direct=direct, fee=fee_of(intent))
    if intent.status == "requires_capture":
        return PaymentResult(PaymentStatus.AUTHORISED, intent.id, direct=direct)
    if intent.status == "processing":
        return PaymentResult(PaymentStatus.PENDING, intent.id, direct=direct)
    if intent.status == "canceled":
        if captured or intent.cancellation_reason == "automatic":
            return declined("authorization_expired", intent.id)
        return PaymentResult(PaymentStatus.CANCELLED, intent.id)
    step = intent.next_action
    if intent.status == "requires_action" and step is not None and step.redirect_to_url is not None:
        return PaymentResult(PaymentStatus.REQUIRES_ACTION, intent.id, url=step.redirect_to_url.url or "")
    error = intent.last_payment_error
    code = (
        (getattr(error, "decline_code", None) or getattr(error, "code", None) or "declined")
        if error
        else "declined"
    )
    return declined(code, intent.id)


def destination(intent: PaymentIntent) -> str:
    """The connected account that gets the money; empty where the platform's account keeps it."""
    there: Any = getattr(intent, "transfer_data", None)
    return "" if there is None else identity(there.destination)


def identity(one: Any) -> str:
    """The id of what Stripe may have expanded; empty for nothing."""
    return one if isinstance(one, str) else getattr(one, "id", "")


def fee_of(intent: PaymentIntent) -> GatewayFee | None:
    """What Stripe keeps of a payment whose charge is expanded (CHARGE); None where it does not say (yet)."""
    charge: Any = intent.latest_charge
    return None if charge is None or isinstance(charge, str) else fee_of_charge(charge)


def fee_of_charge(charge: Charge) -> GatewayFee | None:
    """Every payment is made on the platform's account, so its fee is taken from there."""
    booked = charge.balance_transaction
    if not charge.captured or booked is None or isinstance(booked, str):
        return None
    return GatewayFee(booked.id, money(booked.fee, booked.currency), of_platform=True)


def standing(status: str) -> Literal["open", "won", "lost"]:
    """How a dispute of this status stands for CHOM."""
    return cast('Literal["open", "won", "lost"]', _DECIDED.get(status, "open"))


def has_answer(dispute: Dispute) -> bool:
    """Was the bank told our side, by whomever? It takes one answer."""
    return bool(dispute.evidence_details.submission_count) or dispute.status.endswith("under_review")


def fees_of_dispute(dispute: Dispute) -> list[GatewayFee]:
    """What Stripe keeps of a dispute, and below zero what it gave back: one for each movement that has a fee.

    Empty while nothing is booked: an inquiry moves no money.
    """
    booked = getattr(dispute, "balance_transactions", None) or ()
    every = [GatewayFee(one.id, money(one.fee, one.currency), of_platform=True) for one in booked]
    return [fee for fee in every if fee.amount]


def declined(code: str, reference: str = "") -> PaymentResult:
    """No money moved, and what the person can do."""
    message, fix = _WORDS.get(code, _OTHER)
    return PaymentResult(
        PaymentStatus.DECLINED, reference, code=code[:60], message=str(message), fix=str(fix)
    )


def of_refund(refund: Refund) -> PaymentResult:
    """How a refund stands."""
    return PaymentResult(_REFUND.get(refund.status or "", PaymentStatus.PENDING), refund.id)


def mine(found: Any, tenant_id: object) -> Any:
    """The object, where it was made for this organisation; NotFound otherwise."""
    if plain(found.metadata).get("chom_tenant") != str(tenant_id):
        raise NotFound(_("Stripe has no such object of this organisation."))
    return found


def plain(metadata: Any) -> dict[str, str]:
    """An object's metadata; a StripeObject is no dict."""
    return dict(metadata.to_dict()) if hasattr(metadata, "to_dict") else dict(metadata or {})


@contextmanager
def spoken() -> Iterator[None]:
    """Stripe's errors as ours: Unavailable where nobody knows what happened, Conflict where a key was reused."""
    import stripe

    again = "Nothing is lost: try again in a minute. You will not be charged twice."
    try:
        yield
    except stripe.IdempotencyError as error:
        raise Conflict(
            _("This was asked of Stripe before, with other facts."),
            fix=_("Use a new attempt for other facts."),
        ) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise Unavailable(
            _("Stripe does not accept our key."), fix=_("Staff: check the keys under Stripe.")
        ) from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Unavailable(_("Stripe did not answer."), fix=again) from error
    except stripe.APIError as error:
        raise Unavailable(_("Stripe did not answer properly."), fix=again) from error
