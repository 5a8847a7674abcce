"""The sandbox as CHOM's billing sees it (values.billing.Gateway)."""

from __future__ import annotations

from chom_sandbox_gateway import book, cards
from chom_sdk.billing import (
    CardForm,
    CardFormQuery,
    CardSubmission,
    FollowUp,
    PaymentRequest,
    PaymentResult,
    SavedMethod,
)


class Sandbox:
    """Stateless: what it knows stands in its book."""

    name = "sandbox_gateway"
    title = "Sandbox payments"
    sandbox = True

    def card_form(self, query: CardFormQuery) -> CardForm:
        return CardForm("sandbox_gateway/card_form.html", {"cards": cards.CARDS, "errors": query.errors})

    def save_method(self, submission: CardSubmission) -> SavedMethod:
        kept = book.keep_card(submission.tenant_id, cards.read(submission.fields))
        return SavedMethod(kept.reference, kept.brand, kept.last4, kept.expiry_month, kept.expiry_year)

    def charge(self, request: PaymentRequest) -> PaymentResult:
        return book.charge(request, capture=True)

    def authorise(self, request: PaymentRequest) -> PaymentResult:
        return book.charge(request, capture=False)

    def confirm(self, request: FollowUp) -> PaymentResult:
        return book.look(request.reference)

    def capture(self, request: FollowUp) -> PaymentResult:
        return book.follow("capture", request)

    def cancel(self, request: FollowUp) -> PaymentResult:
        return book.follow("cancel", request)

    def refund(self, request: FollowUp) -> PaymentResult:
        return book.follow("refund", request)
