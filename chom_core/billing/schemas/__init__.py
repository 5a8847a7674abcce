"""What billing's API takes and gives, by part."""

from chom_core.billing.schemas.documents import (
    BillingDetailsSchema,
    BillLineSchema,
    BillSchema,
    InvoiceSchema,
    MoneySchema,
    OrderSchema,
    PaymentSchema,
    PeriodQuerySchema,
    PlanSchema,
    ServiceDetailsSchema,
    SubscriptionSchema,
)

__all__ = [
    "BillLineSchema",
    "BillSchema",
    "BillingDetailsSchema",
    "InvoiceSchema",
    "MoneySchema",
    "OrderSchema",
    "PaymentSchema",
    "PeriodQuerySchema",
    "PlanSchema",
    "ServiceDetailsSchema",
    "SubscriptionSchema",
]
