"""Billing, for plugins: what things cost, and the pieces that gateways, taxes and discounts are made of."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chom_core.billing import reads
from chom_core.billing.reads import (
    AccountCredit,
    CardInfo,
    Estimate,
    GatewayDispute,
    GatewayPayment,
    MeterInfo,
    MeterUse,
    MonthSpend,
    PlanCost,
    ServiceCost,
    Spend,
    Upcoming,
    UsageDayInfo,
    UsageEventInfo,
)
from chom_core.billing.reads import collected as _collected
from chom_core.billing.reads import payouts as _payout_reads
from chom_core.billing.reads import sales as _sales
from chom_core.billing.reads.payouts import PayoutInfo
from chom_core.billing.reads.sales import Relation, Sale
from chom_core.billing.rules.credits import top_up as top_up_due
from chom_core.billing.rules.splits import split
from chom_core.billing.rules.thresholds import alerts as alerts_due
from chom_core.billing.rules.thresholds import exhausted
from chom_core.billing.service import usage as _usage
from chom_core.billing.service.credit import top_ups as _top_ups
from chom_core.billing.service.credit.top_ups import TopUp
from chom_core.billing.service.partners import payouts as _payouts
from chom_core.billing.service.partners.earnings import Payable
from chom_core.billing.service.paying import disputes as _disputes
from chom_core.billing.service.paying import fees as _fees
from chom_core.billing.service.paying import notices as _notices
from chom_core.billing.service.usage import NewEvent, Recorded
from chom_core.database import actor as _actor
from chom_core.values.billing import (
    CardElsewhere,
    CardForm,
    CardFormQuery,
    CardSubmission,
    Customer,
    DisputeFacts,
    DisputeGateway,
    DisputeQuery,
    DisputeReply,
    EvidenceField,
    FollowUp,
    Gateway,
    GatewayFee,
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
    PurchaseQuery,
    SavedMethod,
    TaxAnswer,
    TaxQuery,
)
from chom_core.values.provisioning import Refusal
from chom_sdk.crossing import reading, verb

#: Read model: the cost of each service, in their order.
service_costs = reading(reads.service_costs)
#: Read models of the organisation's money. `billing_currency()` is the currency it is billed in, `account_credit()` the
#: credit that is left in it, `cards()` its cards, the default one first.
billing_currency = reading(reads.billing_currency)
account_credit = reading(reads.account_credit)
#: Read model: the account credit that drafts and the use so far will leave; below zero a card has to pay.
projected_credit = reading(reads.projected_credit)
cards = reading(reads.cards)
#: Read model: what is not billed yet: use so far, and what renews next; before tax.
estimate = reading(reads.estimate)
#: Read model: what a calendar month has cost by day, kind and service, billed or not; before tax.
spend_by_day = reading(reads.spend_by_day)
#: Verb: `top_up(money, key, method_id=None)` charges a card without its holder and keeps the money as account credit.
#: Commits on the way; one key is one charge for ever. → TopUp; PaymentRequired, Invalid, Conflict, Unavailable.
top_up = verb(_top_ups.top_up_alone)
# `alerts_due(spent, cap, percents, fired)` and `exhausted(spent, cap)` are the rules of a budget.
# `top_up_due(balance, threshold, amount)` is the rule: what a top-up charges now, None for nothing.
#: For gateways. Everyone's attempts to pay at `gateway` in [since, until): what a daily reconciliation compares.
gateway_payments = verb(reads.gateway_payments)
#: For gateways, likewise: everyone's disputes with one of these names at the gateway, and what was posted of each.
gateway_disputes = verb(reads.gateway_disputes)
#: Verb for gateways: news of a payment came (by its key, or its reference): ask the gateway, settle, commit.
recheck_payment = verb(_notices.recheck_payment)
#: Verb for gateways: news of a refund came, by the key it was sent under: ask the gateway, settle, commit.
recheck_refund = verb(_notices.recheck_refund)
#: Verb for gateways: put a card on file that was entered on the gateway's page.
keep_method = verb(_notices.keep_method)
#: Verb for gateways: post a dispute of a payment: "open", then "won" or "lost"; each step once, in any order. What the
#: bank says beside it: `reason`, `evidence_due`, and `answered` once the gateway has an answer.
disputed = verb(_disputes.disputed)
#: Verb for gateways: `charged_fee(payment_id, reference, amount, of_platform=False)` posts what the gateway kept of a
#: payment, once per reference. `of_platform`: taken from the platform's account, so its cost even where the money is a
#: reseller's. Any currency, since accounts settle in their own; Invalid: a negative amount. A fee known with the answer
#: itself goes into `PaymentResult.fee` instead.
charged_fee = verb(_fees.charged_fee)
#: Verb for gateways: `dispute_fee(payment_id, dispute, reference, amount, of_platform=False)`: the same for what was
#: kept of a dispute; below zero where it was given back, as after one that was won.
dispute_fee = verb(_fees.dispute_fee)
#: The id of the current organisation's payment with this key or reference; NotFound.
payment_id = reading(_notices.payment_id)
#: Read models: every meter; the current month by meter; a meter by day; events, unmatched ones too; the current month
#: by another plan's prices.
meters = reading(reads.meter_list)
meters_used = reading(reads.meters_used)
usage_days = reading(reads.usage_days)
usage_events = reading(reads.usage_events)
usage_on_plan = reading(reads.on_plan)
#: Read model: this month's use on every hosting plan, the cheapest first: what an upgrade saves from then on.
plan_costs = reading(reads.plan_costs)
#: Read model: every hosting and service plan for sale, at a billing period's prices.
offers = reading(reads.offers)
_record = verb(_usage.record_batch)


def record_usage(
    meter: str,
    value: Decimal = Decimal(1),
    *,
    id: str,
    at: datetime | None = None,
    subject: UUID | None = None,
    key: str = "",
    properties: Mapping[str, Any] | None = None,
) -> Recorded:
    """Verb: the current organisation used `value` of a meter of yours (or of the core: sites, storage_gb, traffic_gb).

    `id` is yours and counts once for ever: call again after a crash. `subject`: the service that used it. `key`: what
    a meter of different keys counts. Raises Invalid (fields), NotFound (service), Conflict (id with other facts).
    """
    return record_usage_batch([NewEvent(id, meter, value, at, subject, key, properties or {})])


def record_usage_batch(events: list[NewEvent]) -> Recorded:
    """Verb: up to 100 events, all or none; each `meter` is a name of your manifest or one of the core's."""
    plugin, known = _actor(), _usage.meters()
    named = [
        NewEvent(
            one.id, _usage.full_name(plugin, one.meter) if one.meter not in known else one.meter, one.value, one.at,
            one.subject, one.key, one.properties,
        )
        for one in events
    ]  # fmt: skip
    return _record(named)


# Earnings and payouts. All but `run_payouts` in the payee's own organisation; `party` is its stable name on the ledger.
#: Verb: `earn(party, "affiliate", money, key, source, available_at)`: post an earning once per key; its id.
earn = verb(_payouts.earn)
#: Verb: `claw_back(key, refunded, total)`: make an earning follow its sale, cumulatively; what was taken back now.
claw_back = verb(_payouts.claw_back)
#: Read model: what a party is owed, by kind and currency: pending, available, on its way, paid.
payable = reading(_payouts.payable)
#: Verb: `pay_out(party, kind, key, minimum=…, method="")`: pay out what is available, once per key; None: too little.
pay_out = verb(_payouts.pay_out)
#: Verb: begin a payout run over all organisations, once per key; how many parties.
run_payouts = verb(_payouts.run)
#: Read models for resellers: `sells_itself()`: what customers pay is the current organisation's own money, and no share
#: of the platform's; `collected()`: what the platform's account at a gateway took of it, and what was handed on.
sells_itself = reading(_collected.sells_itself)
collected = reading(_collected.collected)
#: Read model: payouts of the current organisation, newest first.
payouts = reading(_payout_reads.payout_list)
#: Read model: an invoice of another organisation as a sale: what of it was collected by now.
sale = reading(_sales.sale)
#: Read model: how two organisations hang together (one person, address or card in both; the same seller).
relation = reading(_sales.relation)

__all__ = [
    "AccountCredit",
    "CardElsewhere",
    "CardForm",
    "CardFormQuery",
    "CardInfo",
    "CardSubmission",
    "Customer",
    "DisputeFacts",
    "DisputeGateway",
    "DisputeQuery",
    "DisputeReply",
    "Estimate",
    "EvidenceField",
    "FollowUp",
    "Gateway",
    "GatewayDispute",
    "GatewayFee",
    "GatewayPayment",
    "GatewayQuery",
    "LineProposal",
    "LinesQuery",
    "MeterInfo",
    "MeterUse",
    "MonthSpend",
    "NewEvent",
    "Onboarding",
    "Payable",
    "Payee",
    "PayeeAccount",
    "PaymentRequest",
    "PaymentResult",
    "PaymentStatus",
    "PayoutGateway",
    "PayoutInfo",
    "PayoutQuery",
    "PayoutRequest",
    "PayoutResult",
    "PayoutStatus",
    "PlanCost",
    "PurchaseQuery",
    "Recorded",
    "Refusal",
    "Relation",
    "Sale",
    "SavedMethod",
    "ServiceCost",
    "Spend",
    "TaxAnswer",
    "TaxQuery",
    "TopUp",
    "Upcoming",
    "UsageDayInfo",
    "UsageEventInfo",
    "account_credit",
    "alerts_due",
    "billing_currency",
    "cards",
    "charged_fee",
    "claw_back",
    "collected",
    "dispute_fee",
    "disputed",
    "earn",
    "estimate",
    "exhausted",
    "gateway_disputes",
    "gateway_payments",
    "keep_method",
    "meters",
    "meters_used",
    "offers",
    "pay_out",
    "payable",
    "payment_id",
    "payouts",
    "plan_costs",
    "projected_credit",
    "recheck_payment",
    "recheck_refund",
    "record_usage",
    "record_usage_batch",
    "relation",
    "run_payouts",
    "sale",
    "sells_itself",
    "service_costs",
    "spend_by_day",
    "split",
    "top_up",
    "top_up_due",
    "usage_days",
    "usage_events",
    "usage_on_plan",
]
