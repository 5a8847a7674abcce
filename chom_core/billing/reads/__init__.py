"""Reading billing, for pages, the API and plugins: frozen dataclasses, never rows."""

from chom_core.billing.reads.costs import ServiceCost, service_costs
from chom_core.billing.reads.documents import card_words, invoice, invoice_info, invoice_list, payment_list
from chom_core.billing.reads.gateways import GatewayPayment, gateway_payments
from chom_core.billing.reads.overview import bars, offer, offers, overview, subscription_info
from chom_core.billing.reads.shapes import (
    Bar,
    InvoiceInfo,
    LineInfo,
    Offer,
    Overview,
    PaymentInfo,
    SubscriptionInfo,
)

__all__ = [
    "Bar",
    "GatewayPayment",
    "InvoiceInfo",
    "LineInfo",
    "Offer",
    "Overview",
    "PaymentInfo",
    "ServiceCost",
    "SubscriptionInfo",
    "bars",
    "card_words",
    "gateway_payments",
    "invoice",
    "invoice_info",
    "invoice_list",
    "offer",
    "offers",
    "overview",
    "payment_list",
    "service_costs",
    "subscription_info",
]
