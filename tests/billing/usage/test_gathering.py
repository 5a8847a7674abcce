"""Months of use in the life of a customer: gathered, billed by the renewal or on their own, shown between the two."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing import reads
from chom_core.billing.jobs import usage as jobs
from chom_core.billing.models import Invoice, Plan, Subscription, UsageEvent
from chom_core.billing.service import usage
from chom_core.billing.service.offers import limits, versions
from chom_core.billing.service.subscribing import renewal
from chom_core.billing.service.usage import gathering
from chom_core.billing.service.usage import invoices as usage_invoices
from chom_core.billing.service.usage.ingest import NewEvent
from chom_core.database import PLATFORM_ID, clock, everyone, transaction
from chom_core.provisioning.models import Service
from chom_core.values import BillingPeriod, Money
from chom_core.values.period import Period
from tests.billing.shop import books_are_right, buy, click, order
from tests.billing.test_renewal import stand_at
from tests.billing.usage.scene import event
from tests.billing.usage.test_rating import service

assert jobs.SCHEDULES


def the() -> Subscription:
    from chom_core.database import session

    return session().scalars(select(Subscription)).one()


def usage_lines(tenant: UUID) -> list[tuple[str, int]]:
    with transaction(tenant) as here:
        return [
            (line.source, line.amount)
            for invoice in here.scalars(
                select(Invoice).where(Invoice.status == "paid").order_by(Invoice.number)
            )
            for line in invoice.lines
            if line.kind == "usage"
        ]


def test_the_renewal_carries_the_months_use_and_says_so(buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer):
        usage.record(event("a", 620))
        end = the().current_period_end
    stand_at(buyer, end)
    with transaction(buyer):
        expected = renewal.next_bill(the()).total
    for _ in range(2):
        with transaction(buyer):
            renewal.renew_due()
    assert usage_lines(buyer) == [("usage:traffic_gb", 360)]
    with transaction(buyer) as here:
        renewed = here.scalars(select(Invoice).order_by(Invoice.number.desc())).first()
        assert renewed is not None
        assert renewed.total == expected.amount == 7900 + 360
        sheet = reads.reconciliation()
        (month,) = [one for one in sheet.months if one.state == "billed" and one.meter == "traffic_gb"]
        assert (month.events, month.rated_events, month.invoices, month.late) == (1, 1, (renewed.number,), 0)
        line = next(line for line in renewed.lines if line.kind == "usage")
        days = reads.usage_days(line.details["meter"], line.period_start, line.period_end)
        assert sum(day.quantity for day in days) == Decimal(line.details["quantity"]) == 620
    books_are_right()


def test_a_yearly_plan_pays_its_use_by_the_month(buyer: UUID) -> None:
    with transaction(buyer):
        from chom_core.billing.service.buying import checkout

        checkout.buy(order(period=BillingPeriod.ANNUAL), click(amount="805.80"))
        usage.record(event("a", 600))
        month = usage.estimate(the())[0].month
    stand_at(buyer, month.end + timedelta(hours=1))
    with transaction(buyer):
        assert [usage_invoices.bill_months() for _ in range(2)] == [1, 0]
    stand_at(buyer, month.end + timedelta(days=32))
    with transaction(buyer):
        assert usage_invoices.bill_months() == 0  # within the allowance: closed, no invoice
    assert usage_lines(buyer) == [("usage:traffic_gb", 300)]
    with transaction(buyer):
        assert all(line.month.start > month.end for line in usage.estimate(the()))
    books_are_right()


def test_an_invoice_so_far_and_the_rest_at_the_end(buyer: UUID) -> None:
    with transaction(PLATFORM_ID) as here:
        pro = here.scalars(select(Plan).where(Plan.code == "pro")).one()
        limits.set_limits(pro, "USD", [Money(300, "USD")])
    buy(buyer)
    made = []
    for name, value in (("a", 599), ("b", 1), ("c", 100), ("d", 100)):
        with transaction(buyer):
            usage.record(event(name, value))
            made.append(usage_invoices.bill_reached() + usage_invoices.bill_reached())
    assert made == [0, 1, 0, 0], "once for each limit"
    with transaction(buyer):
        end = the().current_period_end
    stand_at(buyer, end)
    with transaction(buyer):
        assert usage_invoices.bill_reached() == 0, "the renewal bills it"
        renewal.renew_due()
    assert usage_lines(buyer) == [("usage:traffic_gb", 300), ("usage:traffic_gb", 600)]
    books_are_right()


def test_sites_and_storage_are_gathered_once_for_each_change(buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer):
        item = the().items[0].id
    site = service(buyer, None)
    with transaction(buyer) as here:
        row = here.get_one(Service, site)
        row.paid_by, row.facts = f"item:{item}", {"storage_bytes": 2_500_000_000}
    with transaction(buyer):
        assert [gathering.gather() for _ in range(2)] == [2, 0]
    start = clock.now()
    stand_at(buyer, start + timedelta(days=1))
    with transaction(buyer) as here:
        assert gathering.gather() == 2
        here.get_one(Service, site).status = "deleted"
    stand_at(buyer, start + timedelta(days=1, seconds=1))
    with transaction(buyer):
        assert [gathering.gather() for _ in range(2)] == [2, 0]
        used = {one.meter.name: one for one in reads.meters_used()}
    assert (used["sites"].used, used["sites"].included, used["sites"].percent) == (1, 25, 4)
    assert Decimal("2.4") < used["storage_gb"].used < Decimal("2.6")
    with transaction(buyer) as here:
        values = here.scalars(
            select(UsageEvent.value).where(UsageEvent.meter == "storage_gb").order_by(UsageEvent.id)
        )
        assert [str(value.normalize()) for value in values] == ["2.5", "2.5", "0"]
    with everyone("test") as here:
        assert usage.check(here) == []


def test_a_price_that_changes_leaves_who_has_the_old_one(buyer: UUID) -> None:
    buy(buyer)
    with transaction(PLATFORM_ID) as here:
        pro = here.scalars(select(Plan).where(Plan.code == "pro")).one()
        versions.set_usage_price(pro, "traffic_gb", "USD", versions.per_unit("1.00"), included=Decimal(0))
    with transaction(buyer):
        usage.record(event("a", 600))
        (line,) = [one for one in usage.estimate(the()) if one.name == "traffic_gb"]
        assert line.amount.amount == 300
        assert [one.amount.amount for one in reads.on_plan("pro") if one.meter.name == "traffic_gb"] == [
            60000
        ]


@pytest.mark.parametrize("days", [3, 40])
def test_a_subscription_that_ends_pays_what_it_used(buyer: UUID, days: int) -> None:
    from chom_core.billing.service.changes import ending
    from chom_core.billing.service.subscribing import subscriptions

    buy(buyer)
    with transaction(buyer):
        usage.record(event("a", 700))
    start = clock.now()
    stand_at(buyer, start + timedelta(days=min(days, 20)))
    with transaction(buyer):
        of = the().id
        if days == 3:
            ending.cancel_now(of)
        else:
            subscriptions.cancel(of)
    stand_at(buyer, start + timedelta(days=days))
    with transaction(buyer) as here:
        renewal.renew_due()
        renewal.collect_open()
        assert here.get_one(Subscription, of).status == "cancelled"
    with transaction(buyer) as here:
        lines = [
            line
            for invoice in here.scalars(select(Invoice))
            for line in invoice.lines
            if line.kind == "usage"
        ]
        assert [line.amount for line in lines] == [600]
    with transaction(buyer):
        assert usage.lines(the(), clock.now(), last=True) == []
    books_are_right()


def test_an_upgrade_counts_for_the_whole_month(buyer: UUID) -> None:
    buy(buyer, amount="29.00", plan="starter")
    with transaction(buyer):
        usage.record(event("a", 400))
        assert usage.spent(the()).amount == 1500
    with transaction(PLATFORM_ID) as here:
        pro = here.scalars(select(Plan).where(Plan.code == "pro")).one()
    with transaction(buyer):
        the().items[0].plan_id = pro.id
        the().items[0].priced_at = clock.now()
    with transaction(buyer):
        assert usage.spent(the()).amount == 0
        assert usage.usage_charges(the(), Period(the().anchor, clock.now()), interim=True) == []


def test_a_plugins_own_meter_is_named_after_it(buyer: UUID, monkeypatch: Any) -> None:
    import chom_sdk.billing as sdk
    from chom_core.database import acting_as
    from chom_core.database.actor import ForeignWrite
    from tests.billing.usage.scene import kinds

    kinds(monkeypatch)
    buy(buyer)
    with transaction(buyer):
        with acting_as("t"):
            assert sdk.record_usage("sum", Decimal(3), id="1").accepted == 1
            assert sdk.record_usage("traffic_gb", id="2").accepted == 1
            assert sdk.record_usage_batch([NewEvent("3", "nothing")]).unmatched[0].reason == "unknown_meter"
            assert {one.meter.name for one in sdk.meters_used()} == {"sites", "storage_gb", "traffic_gb"}
        with acting_as("t", writes=False), pytest.raises(ForeignWrite):
            sdk.record_usage("sum", id="9")
        assert usage.used("t.sum", usage.estimate(the())[0].month) == 3


def test_a_pause_is_paid_up_to_its_begin_and_its_own_time_is_free(buyer: UUID) -> None:
    from chom_core.billing.service.changes import ending

    buy(buyer)
    with transaction(buyer):
        of, start = the().id, the().current_period_start
        usage.record_batch([event("a", 600), event("s", 26, start, "sites")])
    stand_at(buyer, start + timedelta(days=15))
    with transaction(buyer):
        ending.pause(of, now=True)
    stand_at(buyer, start + timedelta(days=50))
    with transaction(buyer):
        usage.record(event("idle", 5000, start + timedelta(days=40)))
        ending.resume(of)
    stand_at(buyer, start + timedelta(days=51))
    with transaction(buyer):
        usage.record(event("b", 700))
        assert {line.name: line.amount.amount for line in usage.estimate(the()) if line.amount} == {
            "traffic_gb": 600
        }
    with transaction(buyer) as here:
        lines = [
            line
            for invoice in here.scalars(select(Invoice))
            for line in invoice.lines
            if line.kind == "usage"
        ]
        # traffic as ever; one site too many for half of a month
        assert [(line.source, line.amount) for line in lines] == [
            ("usage:sites", 200),
            ("usage:traffic_gb", 300),
        ]
    books_are_right()


def test_a_meter_whose_plugin_is_gone_stops_no_bill(buyer: UUID) -> None:
    buy(buyer)
    with transaction(PLATFORM_ID) as here:
        pro = here.scalars(select(Plan).where(Plan.code == "pro")).one()
        versions.set_usage_price(pro, "gone.meter", "USD", versions.per_unit("1.00"))
    with transaction(buyer):
        assert [line.name for line in usage.estimate(the())] == ["sites", "storage_gb", "traffic_gb"]
