"""Billing, for plugins: what things cost, and the pieces that gateways, taxes and discounts are made of."""

from chom_core.billing import reads
from chom_core.billing.reads import ServiceCost
from chom_core.values.billing import (
    CardForm,
    CardFormQuery,
    CardSubmission,
    Customer,
    FollowUp,
    Gateway,
    GatewayQuery,
    LineProposal,
    LinesQuery,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    SavedMethod,
    TaxAnswer,
    TaxQuery,
)
from chom_sdk.crossing import reading

#: Read model: the cost of each service, in their order.
service_costs = reading(reads.service_costs)

__all__ = [
    "CardForm",
    "CardFormQuery",
    "CardSubmission",
    "Customer",
    "FollowUp",
    "Gateway",
    "GatewayQuery",
    "LineProposal",
    "LinesQuery",
    "PaymentRequest",
    "PaymentResult",
    "PaymentStatus",
    "SavedMethod",
    "ServiceCost",
    "TaxAnswer",
    "TaxQuery",
    "service_costs",
]
