"""Billing's tables. Amounts are whole minor units (bigint) beside a currency; instants are UTC."""

from chom_core.billing.models.catalogue import Plan, PlanFeature, Price
from chom_core.billing.models.checkout import Checkout
from chom_core.billing.models.invoices import Invoice, InvoiceLine
from chom_core.billing.models.ledger import LedgerAccount, LedgerBalance, LedgerEntry, LedgerTransaction
from chom_core.billing.models.payments import Payment, PaymentMethod
from chom_core.billing.models.sellers import BillingProfile, NumberSeries, Seller
from chom_core.billing.models.subscriptions import Subscription, SubscriptionItem

__all__ = [
    "BillingProfile",
    "Checkout",
    "Invoice",
    "InvoiceLine",
    "LedgerAccount",
    "LedgerBalance",
    "LedgerEntry",
    "LedgerTransaction",
    "NumberSeries",
    "Payment",
    "PaymentMethod",
    "Plan",
    "PlanFeature",
    "Price",
    "Seller",
    "Subscription",
    "SubscriptionItem",
]

from chom_core.billing import ddl as _ddl  # noqa: F401 (its listeners belong to these tables)
