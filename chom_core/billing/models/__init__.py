"""Billing's tables. Amounts are whole minor units (bigint) beside a currency; instants are UTC."""

from chom_core.billing.models.catalogue import Plan, PlanFeature, Price, UsagePrice
from chom_core.billing.models.checkout import Checkout
from chom_core.billing.models.coupons import Coupon, CouponCount, CouponRedemption, PromotionCode
from chom_core.billing.models.credit import CreditGrant, CreditNote, CreditNoteLine, CreditUse, Refund
from chom_core.billing.models.disputes import Dispute, DisputeAnswer
from chom_core.billing.models.documents import DocumentFile, TaxRate
from chom_core.billing.models.dunning import Dunning, DunningHold, DunningPolicy, DunningStep
from chom_core.billing.models.invoices import Invoice, InvoiceLine
from chom_core.billing.models.ledger import (
    BooksCheck,
    LedgerAccount,
    LedgerBalance,
    LedgerEntry,
    LedgerTransaction,
)
from chom_core.billing.models.payments import Payment, PaymentMethod
from chom_core.billing.models.payouts import Earning, Payout
from chom_core.billing.models.sellers import BillingProfile, NumberSeries, Seller
from chom_core.billing.models.subscriptions import (
    BilledPeriod,
    Subscription,
    SubscriptionChange,
    SubscriptionItem,
)
from chom_core.billing.models.usage import UsageClosing, UsageDay, UsageEvent, UsageKey
from chom_core.billing.models.wholesale import Looked, Settlement, WholesaleStatement

__all__ = [
    "BilledPeriod",
    "BillingProfile",
    "BooksCheck",
    "Checkout",
    "Coupon",
    "CouponCount",
    "CouponRedemption",
    "CreditGrant",
    "CreditNote",
    "CreditNoteLine",
    "CreditUse",
    "Dispute",
    "DisputeAnswer",
    "DocumentFile",
    "Dunning",
    "DunningHold",
    "DunningPolicy",
    "DunningStep",
    "Earning",
    "Invoice",
    "InvoiceLine",
    "LedgerAccount",
    "LedgerBalance",
    "LedgerEntry",
    "LedgerTransaction",
    "Looked",
    "NumberSeries",
    "Payment",
    "PaymentMethod",
    "Payout",
    "Plan",
    "PlanFeature",
    "Price",
    "PromotionCode",
    "Refund",
    "Seller",
    "Settlement",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionItem",
    "TaxRate",
    "UsageClosing",
    "UsageDay",
    "UsageEvent",
    "UsageKey",
    "UsagePrice",
    "WholesaleStatement",
]

from chom_core.billing import ddl as _ddl  # noqa: F401 (its listeners belong to these tables)
