"""Cards, sessions and payments of the sandbox, as tests need them."""

from __future__ import annotations

from uuid import UUID

from chom_stripe.cards import customer
from chom_stripe.gateway import StripeGateway
from chom_stripe.keys import Keys, api
from chom_stripe.outcomes import spoken

from chom_sdk import Money, clock, transaction, uuid7
from chom_sdk.billing import CardElsewhere, CardSubmission, PaymentRequest, PaymentResult

GATEWAY = StripeGateway(Keys())
BACK = "https://chom.test/back"


def session_reference(tenant_id: UUID) -> str:
    """A Checkout session that waits for a card."""
    try:
        GATEWAY.save_method(CardSubmission(tenant_id, {}, BACK))
    except CardElsewhere as there:
        return there.url.split("?")[0].rsplit("/", 1)[1]
    raise AssertionError("no card page")


def card(tenant_id: UUID, token: str = "pm_card_visa", gateway: StripeGateway = GATEWAY) -> str:
    """A saved card by one of Stripe's test tokens."""
    with spoken():
        return (
            api(gateway.keys)
            .payment_methods.attach(token, {"customer": customer(gateway.keys, tenant_id)})
            .id
        )


def enter(reference: str, number: str = "4242424242424242") -> None:
    """What a person does on the hosted page."""
    from chom_stripe.sandbox import cards, setups, store

    found = cards.by_number(number)
    assert found is not None
    token = store.at.set(clock.now())
    with transaction():
        setups.complete(reference, found, 12, 2034)
    store.at.reset(token)


def pay(
    tenant_id: UUID,
    token: str = "pm_card_visa",
    key: str = "",
    cents: int = 900,
    *,
    away: bool = False,
    hold: bool = False,
) -> PaymentResult:
    """One charge (or hold) with a fresh card."""
    asked = PaymentRequest(
        key or f"k/{uuid7()}", Money(cents, "USD"), card(tenant_id, token), tenant_id, "Invoice", BACK, away
    )
    return GATEWAY.authorise(asked) if hold else GATEWAY.charge(asked)


def bank_reference(tenant_id: UUID, text: str) -> str:
    """A payment that waits at the bank."""
    asked = PaymentRequest(
        f"k/{uuid7()}",
        Money(900, "USD"),
        card(tenant_id, "pm_card_authenticationRequired"),
        tenant_id,
        text,
        BACK,
    )
    return GATEWAY.charge(asked).reference
