"""Renewals on the test clock: one invoice a period, declined cards, the second step without a person, ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import func, select

from chom_core.billing.models import Invoice, Payment, Subscription
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing import renewal, subscriptions
from chom_core.database import Tenant, clock, transaction
from chom_core.plugin_host.models import Entitlement
from chom_core.values import BillingPeriod
from tests.billing.shop import BANK, GOOD, LATER, books_are_right, buy, click, events, order


def stand_at(tenant: UUID, instant: datetime) -> None:
    """Move the organisation's test clock."""
    with transaction() as here:
        row = here.get_one(Tenant, tenant)
        row.clock_at, row.generation = instant, row.generation + 1


def renew_at(tenant: UUID, instant: datetime) -> int:
    stand_at(tenant, instant)
    with transaction(tenant):
        made = renewal.renew_due()
        renewal.collect_open()
        return made


def end_of_period(tenant: UUID) -> datetime:
    with transaction(tenant) as here:
        return here.scalars(
            select(Subscription.current_period_end).where(Subscription.status != "cancelled")
        ).one()


def test_each_period_is_invoiced_once_and_paid(buyer: UUID) -> None:
    buy(buyer)
    due = end_of_period(buyer)
    assert renew_at(buyer, due - timedelta(seconds=1)) == 0
    assert [renew_at(buyer, due) for _ in range(3)] == [1, 0, 0]
    with transaction(buyer) as here:
        rows = here.scalars(select(Invoice).order_by(Invoice.number)).all()
        assert [(row.number, row.status) for row in rows] == [("INV-000001", "paid"), ("INV-000002", "paid")]
        assert rows[0].period_end == rows[1].period_start == due
    assert [charge.status for charge in book.charges()] == ["taken", "taken"]
    books_are_right()


def test_the_thirty_first_comes_back_after_a_short_month(buyer: UUID) -> None:
    stand_at(buyer, datetime.fromisoformat("2026-01-31T15:00:00+00:00"))
    buy(buyer)
    ends = []
    for _ in range(3):
        ends.append(end_of_period(buyer))
        assert renew_at(buyer, ends[-1]) == 1
    assert [f"{end:%m-%d}" for end in ends] == ["02-28", "03-31", "04-30"]
    books_are_right()


def test_a_long_sleep_is_caught_up_period_by_period(buyer: UUID) -> None:
    buy(buyer)
    assert renew_at(buyer, end_of_period(buyer) + timedelta(days=95)) == 4
    with transaction(buyer) as here:
        assert here.scalar(select(func.count(Invoice.id)).where(Invoice.status == "paid")) == 5
    books_are_right()


@pytest.mark.parametrize(("card", "code"), [(LATER, "insufficient_funds"), (BANK, "authentication_required")])
def test_a_renewal_that_is_declined_is_past_due_until_the_person_pays(
    buyer: UUID, card: str, code: str
) -> None:
    bought = buy(buyer, card)
    if bought.state == "action":
        book.decide(bought.url.rsplit("/", 1)[1], approve=True)
        assert bought.payment_id
        with transaction(buyer):
            checkout.confirm(bought.payment_id)
    assert renew_at(buyer, end_of_period(buyer)) == 1
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "past_due"
        open_one = here.scalars(select(Invoice).where(Invoice.status == "open")).one()
        assert here.scalars(select(Payment.code).where(Payment.invoice_id == open_one.id)).one() == code
        assert here.scalar(select(func.count(Entitlement.id)).where(Entitlement.tenant_id == buyer)), (
            "not yet taken"
        )
    assert {"payment.failed", "subscription.past_due"} <= set(events(buyer))
    with transaction(buyer):
        method = methods.add_method("USD", {"test_card": GOOD})
        assert checkout.pay_invoice(open_one.id, "1", method.id).state == "done"
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "active"
    assert "subscription.restored" in events(buyer)
    books_are_right()


def test_without_a_card_the_invoice_stays_open(buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer):
        methods.remove_method(methods.methods()[0].id)
    assert renew_at(buyer, end_of_period(buyer)) == 1
    with transaction(buyer) as here:
        assert here.scalars(select(Invoice.status).order_by(Invoice.number)).all() == ["paid", "open"]
        assert here.scalars(select(Subscription.status)).one() == "past_due"
    books_are_right()


def test_a_cancelled_plan_ends_and_takes_its_features_along(buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer):
        subscriptions.cancel(subscriptions.live()[0].id)
    assert renew_at(buyer, end_of_period(buyer)) == 0
    with transaction(buyer) as here:
        assert here.scalars(select(Subscription.status)).one() == "cancelled"
        assert here.scalar(select(func.count(Entitlement.id)).where(Entitlement.tenant_id == buyer)) == 0
    assert buy(buyer).state == "done"
    books_are_right()


def test_a_crash_between_invoice_and_charge_charges_later_and_once(
    buyer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy(buyer)
    stand_at(buyer, end_of_period(buyer))

    def crash(invoice_id: UUID) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(renewal, "collect", crash)
    with pytest.raises(KeyboardInterrupt), transaction(buyer):
        renewal.renew_due()
    monkeypatch.undo()
    with transaction(buyer):
        assert renewal.renew_due() == 0
        renewal.collect_open()
    with transaction(buyer) as here:
        assert here.scalars(select(Invoice.status).order_by(Invoice.number)).all() == ["paid", "paid"]
    assert len(book.charges()) == 2
    books_are_right()


def test_a_year_is_a_year(buyer: UUID) -> None:
    with transaction(buyer):
        now = clock.now()
        checkout.buy(order(period=BillingPeriod.ANNUAL), click(amount="805.80"))
    end = end_of_period(buyer)
    assert (end.year, end.month, end.day) == (now.year + 1, now.month, now.day)
