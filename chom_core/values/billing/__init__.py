"""What crosses the billing hooks: tax, proposals of lines, and the ports of gateways, disputes and payouts.

All amounts are `Money` (whole minor units and a currency). A gateway moves finished amounts; it never rates.
"""

from chom_core.values.billing.bills import Bill, BillLine, Customer, Order, PlanShape, RateTax, SellerFacts
from chom_core.values.billing.disputes import (
    DisputeFacts,
    DisputeGateway,
    DisputeQuery,
    DisputeReply,
    EvidenceField,
)
from chom_core.values.billing.gateways import (
    CardElsewhere,
    CardForm,
    CardFormQuery,
    CardSubmission,
    FollowUp,
    Gateway,
    GatewayFee,
    GatewayQuery,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    SavedMethod,
)
from chom_core.values.billing.hooks import LineProposal, LinesQuery, PurchaseQuery, TaxAnswer, TaxQuery
from chom_core.values.billing.payouts import (
    Onboarding,
    Payee,
    PayeeAccount,
    PayoutGateway,
    PayoutQuery,
    PayoutRequest,
    PayoutResult,
    PayoutStatus,
)

__all__ = [
    "Bill",
    "BillLine",
    "CardElsewhere",
    "CardForm",
    "CardFormQuery",
    "CardSubmission",
    "Customer",
    "DisputeFacts",
    "DisputeGateway",
    "DisputeQuery",
    "DisputeReply",
    "EvidenceField",
    "FollowUp",
    "Gateway",
    "GatewayFee",
    "GatewayQuery",
    "LineProposal",
    "LinesQuery",
    "Onboarding",
    "Order",
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
    "PlanShape",
    "PurchaseQuery",
    "RateTax",
    "SavedMethod",
    "SellerFacts",
    "TaxAnswer",
    "TaxQuery",
]
