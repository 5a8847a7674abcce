"""Use on invoices: rated whole and billed once, whatever runs twice, comes late, is corrected, or becomes void."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from chom_core.billing.models import Invoice, Plan, Seller, Subscription, UsageClosing
from chom_core.billing.service.invoicing import invoices
from chom_core.billing.service.usage import closing, corrections, rating
from chom_core.billing.service.usage.ingest import record, record_batch
from chom_core.database import clock, session, transaction
from chom_core.values import BillingPeriod, Money
from chom_core.values.period import Period
from tests.billing.usage.scene import NOON, event, kinds, per_unit, plan, stand_at, subscribe, subscribed
from tests.conftest import Database

#: The month that the tests use, and the end of the one after it.
START = NOON - timedelta(days=20)
END = datetime(2026, 12, 2, 12, tzinfo=UTC)
NEXT = datetime(2027, 1, 2, 12, tzinfo=UTC)
TIERS = [
    {"up_to": "5", "unit": "0", "flat": "100"}, {"up_to": "10", "unit": "0", "flat": "50"},
    {"up_to": "15", "unit": "5", "flat": "0"}, {"up_to": None, "unit": "1", "flat": "0"},
]  # fmt: skip
GB = per_unit("0.05", 100)


def customer(**prices: dict[str, Any]) -> UUID:
    return subscribed(plan("p", prices), begun=START)


def the() -> Subscription:
    return session().scalars(select(Subscription).order_by(Subscription.id)).first()  # type: ignore[return-value]


def bill(tenant: UUID, at: datetime, *, interim: bool = False) -> int | None:
    """What an invoice at `at` bills of use, in cents; None where there is nothing. Closed in its transaction."""
    stand_at(tenant, at)
    with transaction(tenant):
        of = the()
        charges = closing.usage_charges(of, Period(of.anchor, at), interim=interim)
        if not charges:
            closing.close(of, at, None)
            return None
        return _draft(of, charges, at).total


def _draft(of: Subscription, charges: Any, at: datetime) -> Invoice:
    drafted = invoices.draft(
        invoices.rate("USD", charges, of.id), seller=session().get_one(Seller, of.seller_id), subscription_id=of.id,
        period=None,
    )  # fmt: skip
    closing.close(of, at, drafted.id)
    return drafted


def test_use_05_tiers_go_on_over_interim_invoices(database: Database) -> None:
    tenant = customer(traffic_gb={"model": "graduated", "included": 0, "tiers": TIERS})
    with transaction(tenant):
        record(event("a", 12))
    assert bill(tenant, NOON, interim=True) == 16000
    with transaction(tenant):
        record(event("b", 10))
        assert [line.fees.amount for line in closing.estimate(the())] == [18200]
    assert bill(tenant, NOON, interim=True) == 2200
    assert [bill(tenant, END) for _ in range(2)] == [None, None]


def test_use_08_half_a_cent_is_not_billed_by_a_second_run(database: Database) -> None:
    tenant = customer(traffic_gb=per_unit("0.067"))
    with transaction(tenant):
        record(event("a", 55))
    assert bill(tenant, NOON, interim=True) == 369
    assert [bill(tenant, NOON, interim=True), bill(tenant, END), bill(tenant, END)] == [None, None, None]


def test_use_16_progressive_billing_credits_what_was_billed(database: Database) -> None:
    tenant = customer(traffic_gb=per_unit("0.0002"))
    stand_at(tenant, START + timedelta(days=5))
    with transaction(tenant):
        record(event("a", 1_000_000))
    assert bill(tenant, START + timedelta(days=5), interim=True) == 20000
    stand_at(tenant, START + timedelta(days=15))
    with transaction(tenant):
        record(event("b", 1_000_000))
    stand_at(tenant, END)
    with transaction(tenant):
        (line,) = rating.lines(the(), END)
        base = Money(3100, "USD")
        assert ((base + line.fees).amount, line.billed.amount, (base + line.amount).amount) == (
            43100,
            20000,
            23100,
        )


def test_wal_01_a_usage_lowers_what_is_projected_and_moves_no_money(database: Database) -> None:
    tenant = customer(traffic_gb=per_unit("1.00"))
    with transaction(tenant) as here:
        record(event("a", 5))
        settled = Money(1000, "USD")
        assert (settled - closing.spent(the())).amount == 500
        assert here.scalar(select(func.count(UsageClosing.id))) == 0


def test_a_month_is_closed_once_and_within_the_allowance_costs_nothing(database: Database) -> None:
    tenant = customer(traffic_gb=GB, storage_gb=per_unit("0.10", 10), sites=per_unit("5.00", 5))
    with transaction(tenant):
        record_batch([
            event("s", 19, START, "sites"), event("g", 40, START, "storage_gb"), event("t", 88, NOON)
        ])  # fmt: skip
    assert [bill(tenant, END) for _ in range(3)] == [7300, None, None]  # with 29.00 the seed's 102.00
    with transaction(tenant) as here:
        rows = here.execute(
            select(UsageClosing.meter, UsageClosing.quantity, UsageClosing.amount, UsageClosing.events)
            .order_by(UsageClosing.meter)
        ).all()  # fmt: skip
        assert [tuple(row) for row in rows] == [
            ("", 0, 0, 0), ("sites", 19, 7000, 1), ("storage_gb", 40, 300, 1), ("traffic_gb", 88, 0, 1),
        ]  # fmt: skip
        lines = here.scalars(select(Invoice)).one().lines
    assert [(line.quantity, line.unit_amount, line.amount) for line in lines] == [
        (14, 500, 7000),
        (30, 10, 300),
    ]
    assert "Storage: 40 GB, 10 included, 2 Nov 2026 – 2 Dec 2026" in [line.description for line in lines]


def test_a_late_event_goes_on_the_next_invoice_by_the_old_prices(database: Database) -> None:
    tenant = customer(traffic_gb=GB)
    with transaction(tenant):
        record(event("a", 120))
    assert bill(tenant, END) == 100
    with transaction(tenant) as here:
        record(event("late", 60, END - timedelta(days=1)))
        record(event("new", 150, END + timedelta(minutes=1)))
        bigger = plan("bigger", {"traffic_gb": per_unit("0.01", 100)})
        the().items[0].plan_id = bigger
        here.flush()
    assert bill(tenant, NEXT) == 300 + 50
    with transaction(tenant):
        assert rating.lines(the(), NEXT) == []


def test_a_correction_after_closing_is_given_back_beside_what_is_charged(database: Database) -> None:
    tenant = customer(traffic_gb=GB)
    with transaction(tenant):
        record_batch([event("a", 120), event("b", 100)])
    assert bill(tenant, END) == 600
    with transaction(tenant):
        corrections.correct("b", "b2", Decimal(20))
        record(event("new", 140, END + timedelta(minutes=1)))
    with transaction(tenant):
        assert [line.amount.amount for line in rating.lines(the(), NEXT)] == [-200, 200]
    stand_at(tenant, NEXT)
    with transaction(tenant):
        of = the()
        drafted = _draft(of, closing.usage_charges(of, Period(of.anchor, NEXT)), NEXT)
        assert (drafted.total, [line.amount for line in drafted.lines]) == (0, [-200, 200])
        record(event("more", 140, NEXT + timedelta(minutes=1)))
    after = datetime(2027, 2, 2, 12, tzinfo=UTC)
    assert bill(tenant, after) == 200 - 200  # what was left to give back
    assert bill(tenant, after) is None


def test_what_a_void_invoice_billed_is_billed_again(database: Database) -> None:
    tenant = customer(traffic_gb=GB)
    with transaction(tenant):
        record(event("a", 120))
    assert bill(tenant, END) == 100
    with transaction(tenant) as here:
        here.scalars(select(Invoice)).one().status = "void"
    assert [bill(tenant, END), bill(tenant, END)] == [100, None]


def test_allowances_run_by_the_month_where_the_plan_is_paid_yearly(database: Database) -> None:
    sold = plan("p", {"traffic_gb": GB})
    tenant = subscribed(sold, begun=START, period=BillingPeriod.ANNUAL)
    with transaction(tenant):
        record(event("a", 120))
    stand_at(tenant, END + timedelta(days=1))
    with transaction(tenant):
        record(event("b", 120))
    assert bill(tenant, NEXT) == 200
    assert bill(tenant, NEXT) is None


def test_the_last_month_ends_with_the_subscription(database: Database) -> None:
    tenant = customer(traffic_gb=GB)
    with transaction(tenant):
        record(event("a", 120))
    stand_at(tenant, NOON + timedelta(hours=1))
    with transaction(tenant):
        of = the()
        assert rating.lines(of, clock.now()) == []
        of.status = "cancelled"
        (line,) = rating.lines(of, clock.now(), last=True)
        assert (line.amount.amount, line.month.end) == (100, clock.now())
        closing.close(of, clock.now(), None, last=True)
        assert [line.amount.amount for line in rating.lines(of, clock.now(), last=True)] == [100]


def test_a_trial_waives_the_plan_and_not_what_is_used_beyond_it(database: Database) -> None:
    tenant = customer(traffic_gb=GB)
    with transaction(tenant):
        record(event("a", 500))
        the().trial_ends_at = NOON - timedelta(hours=1)
    with transaction(tenant):
        assert [line.amount.amount for line in closing.estimate(the())] == [2000]
        the().trial_ends_at = NOON + timedelta(hours=1)
    with transaction(tenant):
        assert [line.amount.amount for line in closing.estimate(the())] == [2000]


def test_a_plan_of_its_own_pays_for_its_service(database: Database, monkeypatch: Any) -> None:
    kinds(monkeypatch)
    tenant = customer(traffic_gb=GB)
    alone = subscribe(tenant, plan("vps", {"traffic_gb": per_unit("0.10", 10)}, shape="service"), begun=START, shape="service", code="vps")  # fmt: skip  # noqa: E501
    mine, pooled = service(tenant, alone), service(tenant, None)
    with transaction(tenant):
        record_batch([event("a", 15, subject=mine), event("b", 120, subject=pooled), event("c", 1)])
        found = {of.shape: closing.estimate(of)[0] for of in session().scalars(select(Subscription))}
    assert [(found[shape].use.quantity, found[shape].amount.amount) for shape in ("service", "hosting")] == [
        (15, 50), (121, 105),
    ]  # fmt: skip


def service(tenant: UUID, paid_by: UUID | None) -> UUID:
    from chom_core.provisioning.models import Node, Service
    from chom_core.values import uuid7

    with transaction() as here:
        node = Node(name=f"n{uuid7().hex[-6:]}", driver="none", region="here")
        here.add(node)
        here.flush()
    with transaction(tenant) as here:
        items = here.get_one(Subscription, paid_by).items if paid_by else []
        row = Service(
            tenant_id=tenant, node_id=node.id, kind="x", name=uuid7().hex[-8:], status="active", family="site",
            paid_by=f"item:{items[0].id}" if items else "", marker="m",
        )  # fmt: skip
        here.add(row)
        here.flush()
        return row.id


def test_another_plans_prices_answer_what_an_upgrade_saves(database: Database) -> None:
    tenant = customer(traffic_gb=GB)
    pro = plan("pro", {"traffic_gb": per_unit("0.03", 500)})
    with transaction(tenant):
        record(event("a", 600))
        (now,), (then,) = (
            closing.estimate(the()),
            closing.estimate(the(), session().get_one(Plan, pro)),
        )
        assert (now.amount.amount, then.amount.amount) == (2500, 300)


@pytest.mark.parametrize("model", ["package", "volume", "flat"])
def test_every_model_of_the_catalogue_is_rated(database: Database, model: str) -> None:
    facts: dict[str, Any] = {
        "package": {"package_size": Decimal(10), "tiers": [{"up_to": None, "unit": "15", "flat": "0"}]},
        "volume": {"tiers": [{"up_to": "100", "unit": "2", "flat": "10"}, {"up_to": None, "unit": "1", "flat": "0"}]},
        "flat": {"tiers": [{"up_to": None, "unit": "0", "flat": "7"}]},
    }[model]  # fmt: skip
    tenant = customer(traffic_gb={"model": model, "included": Decimal(0), **facts})
    with transaction(tenant):
        record(event("a", 22))
    assert bill(tenant, END) == {"package": 4500, "volume": 5400, "flat": 700}[model]
    assert bill(tenant, END) is None


def test_what_comes_between_the_draft_and_its_closing_is_on_the_next_invoice(database: Database) -> None:
    tenant = customer(traffic_gb=GB, sites=per_unit("5.00", 1))
    with transaction(tenant):
        record(event("a", 120))
    stand_at(tenant, END)
    with transaction(tenant) as here:
        of = the()
        charges = closing.usage_charges(of, Period(of.anchor, END))
        record_batch(
            [event("b", 20, END - timedelta(hours=1)), event("s", 3, END - timedelta(hours=1), "sites")]
        )
        assert _draft(of, charges, END).total == 100
        here.flush()
    assert [bill(tenant, END), bill(tenant, END)] == [1100, None]
