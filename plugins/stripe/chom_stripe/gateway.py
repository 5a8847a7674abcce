"""Stripe as CHOM's billing sees it (values.billing.Gateway)."""

from __future__ import annotations

from dataclasses import dataclass

from chom_sdk.billing import (
    CardForm,
    CardFormQuery,
    CardSubmission,
    FollowUp,
    PaymentRequest,
    PaymentResult,
    SavedMethod,
)
from chom_stripe import cards, charges
from chom_stripe.keys import NAME, Keys


@dataclass(frozen=True)
class StripeGateway:
    """Holds the keys it was made with, and nothing else."""

    keys: Keys
    name: str = NAME
    title: str = "Stripe"

    @property
    def sandbox(self) -> bool:
        return self.keys.mode != "live"

    def card_form(self, query: CardFormQuery) -> CardForm:
        return CardForm("stripe/card_form.html", {"mode": self.keys.mode, "errors": query.errors})

    def save_method(self, submission: CardSubmission) -> SavedMethod:
        return cards.save(self.keys, submission)

    def charge(self, request: PaymentRequest) -> PaymentResult:
        return charges.pay(self.keys, request, capture=True)

    def authorise(self, request: PaymentRequest) -> PaymentResult:
        return charges.pay(self.keys, request, capture=False)

    def confirm(self, request: FollowUp) -> PaymentResult:
        return charges.look(self.keys, request)

    def capture(self, request: FollowUp) -> PaymentResult:
        return charges.capture(self.keys, request)

    def cancel(self, request: FollowUp) -> PaymentResult:
        return charges.cancel(self.keys, request)

    def refund(self, request: FollowUp) -> PaymentResult:
        return charges.refund(self.keys, request)
