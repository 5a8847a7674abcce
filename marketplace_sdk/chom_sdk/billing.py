"""Billing, for plugins: what things cost, and the pieces that gateways, taxes and discounts are made of."""

from chom_core.billing import reads
from chom_core.billing.reads import GatewayPayment, ServiceCost
from chom_core.billing.service import disputes as _disputes
from chom_core.billing.service import notices as _notices
from chom_core.values.billing import (
    CardElsewhere,
    CardForm,
    CardFormQuery,
    CardSubmission,
    Customer,
    FollowUp,
    Gateway,
    GatewayQuery,
    LineProposal,
    LinesQuery,
    Onboarding,
    Payee,
    PayeeAccount,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    PayoutGateway,
    PayoutQuery,
    PayoutRequest,
    PayoutResult,
    PayoutStatus,
    SavedMethod,
    TaxAnswer,
    TaxQuery,
)
from chom_sdk.crossing import reading, verb

#: Read model: the cost of each service, in their order.
service_costs = reading(reads.service_costs)
#: For gateways. Everyone's attempts to pay at `gateway` in [since, until): what a daily reconciliation compares.
gateway_payments = verb(reads.gateway_payments)
#: Verb for gateways: news of a payment came (by its key, or its reference): ask the gateway, settle, commit.
recheck_payment = verb(_notices.recheck_payment)
#: Verb for gateways: put a card on file that was entered on the gateway's page.
keep_method = verb(_notices.keep_method)
#: Verb for gateways: post a dispute of a payment: "open", then "won" or "lost"; each step once, in any order.
disputed = verb(_disputes.disputed)
#: The id of the current organisation's payment with this key or reference; NotFound.
payment_id = reading(_notices.payment_id)

__all__ = [
    "CardElsewhere",
    "CardForm",
    "CardFormQuery",
    "CardSubmission",
    "Customer",
    "FollowUp",
    "Gateway",
    "GatewayPayment",
    "GatewayQuery",
    "LineProposal",
    "LinesQuery",
    "Onboarding",
    "Payee",
    "PayeeAccount",
    "PaymentRequest",
    "PaymentResult",
    "PaymentStatus",
    "PayoutGateway",
    "PayoutQuery",
    "PayoutRequest",
    "PayoutResult",
    "PayoutStatus",
    "SavedMethod",
    "ServiceCost",
    "TaxAnswer",
    "TaxQuery",
    "disputed",
    "gateway_payments",
    "keep_method",
    "payment_id",
    "recheck_payment",
    "service_costs",
]
