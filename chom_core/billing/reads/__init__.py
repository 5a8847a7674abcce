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
from chom_core.billing.reads.usage import (
    MeterInfo,
    MeterUse,
    MonthInfo,
    Reconciliation,
    UsageDayInfo,
    UsageEventInfo,
    meter_list,
    meter_use,
    meters_used,
    on_plan,
    reconciliation,
    usage_days,
    usage_events,
)

__all__ = [
    "Bar",
    "GatewayPayment",
    "InvoiceInfo",
    "LineInfo",
    "MeterInfo",
    "MeterUse",
    "MonthInfo",
    "Offer",
    "Overview",
    "PaymentInfo",
    "Reconciliation",
    "ServiceCost",
    "SubscriptionInfo",
    "UsageDayInfo",
    "UsageEventInfo",
    "bars",
    "card_words",
    "gateway_payments",
    "invoice",
    "invoice_info",
    "invoice_list",
    "meter_list",
    "meter_use",
    "meters_used",
    "offer",
    "offers",
    "on_plan",
    "overview",
    "payment_list",
    "reconciliation",
    "service_costs",
    "subscription_info",
    "usage_days",
    "usage_events",
]
