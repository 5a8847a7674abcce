"""One of every document of money in an organisation of the matrix, with its canary: what routes of billing name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import (
    Coupon,
    CreditGrant,
    Dispute,
    DisputeAnswer,
    Dunning,
    Payment,
    Payout,
    Refund,
    Seller,
    Settlement,
    Subscription,
    SubscriptionChange,
    UsageEvent,
    WholesaleStatement,
)
from chom_core.billing.rules import ladder
from chom_core.database import PLATFORM_ID, clock, transaction
from chom_core.values.principal import Role
from chom_sdk.testing import Organisation


def fill(here: Any, of: Organisation, canary: str, ids: dict[str, Any]) -> dict[str, Any]:
    """Rows that hang on the invoice, the card and the subscription in `ids`; the arguments that they fill.

    No canary in what stands in an address: a refusal may repeat the address that was called.
    """
    now, later = clock.now(), clock.now() + timedelta(days=7)
    common: dict[str, Any] = {"tenant_id": of.id, "currency": "USD"}
    subscription = here.get_one(Subscription, ids["subscription_id"])
    payment = Payment(
        **common, purpose="top_up", key=f"top-up/{canary}", gateway="sandbox_gateway", method_id=ids["method_id"],
        intent="charge", amount=2500, status="succeeded", reference=canary, message=canary,
    )  # fmt: skip
    here.add(payment)
    here.flush()
    terms = ladder.DEFAULT.data()
    rows: dict[str, Any] = {
        "refund_id": Refund(**common, seller_id=PLATFORM_ID, payment_id=payment.id, key=canary, amount=100,
                            from_credit=100, status="failed", reason=canary, message=canary),
        "grant_id": CreditGrant(**common, seller_id=subscription.seller_id, kind="promotional", key=canary, amount=500,
                                remaining=500, reason=canary),
        "payout_id": Payout(**common, seller_id=PLATFORM_ID, kind="affiliate", party=canary, key=canary, amount=900,
                            method="manual", message=canary),
        "change_id": SubscriptionChange(tenant_id=of.id, subscription_id=subscription.id, kind="pause",
                                        effective_at=later, reason=canary, requested_by=canary),
        "dunning_id": Dunning(tenant_id=of.id, invoice_id=ids["invoice_id"], terms=terms, zone="UTC", started_at=now,
                              warn_at=later, suspend_at=later, end_at=later, next_at=later, message=canary),
        "event_id": UsageEvent(tenant_id=of.id, event_id=f"e-{of.id}", meter="traffic_gb", at=now, value=1),
    }  # fmt: skip
    here.add_all(rows.values())
    here.flush()
    dispute = Dispute(
        **common,
        payment_id=payment.id,
        reference=f"du-{of.id}",
        amount=100,
        reason=canary[:60],
        evidence_due=later,
    )
    here.add(dispute)
    here.flush()
    here.add(DisputeAnswer(tenant_id=of.id, dispute_id=dispute.id, evidence={"notes": canary}, version=1))
    found = {name: row.id for name, row in rows.items()} | {"dispute_id": dispute.id}
    return found | {
        "payment_id": payment.id, "event_id": f"e-{of.id}", "item_id": subscription.items[0].id,
    }  # fmt: skip


def resold(of: Organisation, canary: str) -> dict[str, Any]:
    """A reseller's settled month; anybody else has the terms of nobody, and this fills the route all the same."""
    now = clock.now()
    with of.acting(Role.OWNER) as here:
        here.add(
            Settlement(
                tenant_id=of.id, mode="wholesale", anchor=now, billed_until=now, currency="USD", base=24_900, seat=1500,
                share_percent=20, pool={},
            )
        )  # fmt: skip
        month = WholesaleStatement(
            tenant_id=of.id, period_start=now - timedelta(days=30), period_end=now, currency="USD", seats=1, retail=900,
            wholesale=900, lines=[{"organisation": str(of.id), "name": canary, "retail": 900, "used": {}}],
        )  # fmt: skip
        here.add(month)
        here.flush()
        return {"month_id": month.id}


def coupon(owner: UUID, canary: str) -> UUID:
    """A coupon of the seller `owner`."""
    with transaction(owner) as here:
        assert here.scalar(select(Seller.id).where(Seller.reseller_id == owner))
        made = Coupon(reseller_id=owner, name=canary, percent=10, duration="once")
        here.add(made)
        here.flush()
        return made.id
