"""Use that comes late for a subscription with no next bill: one last invoice, once nothing more can come."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing.jobs.usage import BILL
from chom_core.billing.models import Seller, Subscription
from chom_core.billing.reads.usage import MonthInfo, reconciliation
from chom_core.billing.service import usage
from chom_core.billing.service.changes import ending
from chom_core.billing.service.invoicing import invoices, voiding
from chom_core.billing.service.subscribing import ahead, subscriptions
from chom_core.billing.service.usage import closing, rating, seams
from chom_core.billing.service.usage.ingest import BACK
from chom_core.database import clock, transaction
from chom_core.provisioning.models import Service
from chom_core.work import enqueue, run_all
from tests.billing.cases.test_charges import sold, use
from tests.billing.plans import at, bills, lines, notes, of, renew, stand
from tests.billing.shop import books_are_right
from tests.billing.usage import scene
from tests.billing.usage.test_rating import service
from tests.conftest import Database, make_tenant

END, MEANT = at("2024-02-01"), at("2024-01-31T12:00Z")
#: When no event of January is taken any more.
OVER = END + BACK
BEGUN = scene.NOON - timedelta(days=20)


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


@pytest.fixture
def left(buyer: UUID) -> UUID:
    """It used 10.00 in January, was billed for it, and has ended with the month."""
    sold(buyer, "late", "1.00")
    use(buyer, 10)
    with transaction(buyer):
        subscriptions.cancel(of(buyer).id)
    renew(buyer, END)
    assert used(buyer) == [1000]
    return buyer


def used(tenant: UUID) -> list[int]:
    return [line.amount for line in lines(tenant, "usage")]


def night(tenant: UUID) -> None:
    """The job, as its schedule brings it."""
    with transaction(tenant):
        enqueue(BILL)
    run_all(reraise=True)


def month(tenant: UUID) -> MonthInfo:
    with transaction(tenant):
        (found,) = (one for one in reconciliation().months if one.meter == "traffic_gb")
        return found


def test_what_comes_late_after_the_end_is_one_last_invoice(left: UUID) -> None:
    stand(left, "2024-02-05")
    use(left, 5, at=MEANT)
    night(left)
    stand(left, "2024-02-20")
    use(left, 2, at=MEANT)
    assert month(left).late == 2
    stand(left, OVER - timedelta(seconds=1))
    use(left, "0.5", at=END - timedelta(seconds=1))
    night(left)
    assert used(left) == [1000], "more may come"
    with transaction(left):
        assert ahead.months_of_use() == OVER

    stand(left, OVER)
    for _ in range(2):
        night(left)
    assert used(left) == [1000, 750]
    last = bills(left)[-1]
    assert (last.total, last.status) == (750, "paid")
    found = month(left)
    assert (found.state, found.late, found.billed.amount) == ("billed", 0, 1750)
    assert last.number in found.invoices
    with transaction(left):
        assert ahead.months_of_use() is None
    books_are_right()


def test_where_nothing_came_late_nothing_is_billed(left: UUID) -> None:
    count = len(bills(left))
    stand(left, OVER)
    with transaction(left):
        assert ahead.months_of_use() == OVER
    night(left)
    assert len(bills(left)) == count
    with transaction(left):
        assert ahead.months_of_use() is None


def test_nights_that_were_missed_are_made_up(left: UUID) -> None:
    use(left, 5, at=MEANT)
    stand(left, OVER + timedelta(days=200))
    night(left)
    assert used(left) == [1000, 500]


def test_what_was_given_back_meanwhile_is_no_part_of_it(buyer: UUID) -> None:
    """10.00 were billed; 4 of 10 were wrong: 4.00 come back the next night. Then 7 more come late: 7.00."""
    sold(buyer, "late", "1.00")
    use(buyer, 6)
    with transaction(buyer):
        usage.record(usage.NewEvent("wrong", "traffic_gb", Decimal(4)))
        subscriptions.cancel(of(buyer).id)
    renew(buyer, END)
    with transaction(buyer):
        usage.correct("wrong", "right", None)
    night(buyer)
    use(buyer, 7, at=MEANT)
    stand(buyer, OVER)
    night(buyer)
    assert (used(buyer), [note.total for note in notes(buyer)]) == ([1000, 700], [400])
    assert month(buyer).billed.amount == 1300
    books_are_right()


def test_what_staff_void_is_not_billed_again(left: UUID) -> None:
    use(left, 5, at=MEANT)
    stand(left, OVER)
    night(left)
    with transaction(left):
        voiding.void(bills(left)[-1].id, settle="refund")
    stand(left, OVER + timedelta(days=1))
    night(left)
    assert [row.status for row in bills(left) if row.total == 500] == ["void"]
    books_are_right()


def test_one_that_lives_on_finds_it_on_its_next_bill(buyer: UUID) -> None:
    sold(buyer, "lives", "1.00")
    use(buyer, 10)
    renew(buyer, END)
    use(buyer, 5, at=MEANT)
    count = len(bills(buyer))
    for day in (OVER - timedelta(days=9), OVER):
        stand(buyer, day)
        night(buyer)
    assert len(bills(buyer)) == count
    renew(buyer)
    assert used(buyer) == [1000, 500]


@pytest.mark.parametrize("resumes", [None, "2024-05-01"])
def test_a_pause_is_billed_unless_its_end_is_known(buyer: UUID, resumes: str | None) -> None:
    sold(buyer, "rests", "1.00")
    use(buyer, 10)
    with transaction(buyer):
        ending.pause(of(buyer).id, resume_at=at(resumes) if resumes else None)
    renew(buyer, END)
    use(buyer, 5, at=MEANT)
    stand(buyer, OVER)
    for _ in range(2):
        night(buyer)
    assert used(buyer) == ([1000] if resumes else [1000, 500])
    stand(buyer, "2024-05-01")
    if resumes is None:
        with transaction(buyer):
            ending.resume(of(buyer).id)
    renew(buyer)
    renew(buyer, "2024-06-01")
    assert used(buyer) == [1000, 500]
    books_are_right()


def test_what_an_ended_plan_billed_is_no_other_plans(database: Database) -> None:
    """The server's own plan ends in the middle of the month and bills 15 of its server; the hosting plan does not."""
    tenant = scene.subscribed(scene.plan("p", {"traffic_gb": scene.per_unit("0.05")}), begun=BEGUN)
    vps = scene.plan("vps", {"traffic_gb": scene.per_unit("0.10")}, shape="service")
    alone = scene.subscribe(tenant, vps, begun=BEGUN, shape="service", code="vps")
    server = service(tenant, alone)
    with transaction(tenant):
        usage.record_batch([scene.event("a", 15, subject=server), scene.event("b", 3)])
    ended(tenant, alone)
    with transaction(tenant) as here:
        hosting = here.scalars(select(Subscription).where(Subscription.shape == "hosting")).one()
        assert [line.use.quantity for line in usage.estimate(hosting)] == [3]
        assert [line.use.quantity for line in late(here.get_one(Subscription, alone))] == []
        usage.record(scene.event("late", 2, subject=server, at=scene.NOON))
        assert [line.use.quantity for line in late(here.get_one(Subscription, alone))] == [17]
        assert [line.use.quantity for line in usage.estimate(hosting)] == [3]


def test_sites_that_found_another_plan_leave_their_bills_alone(database: Database) -> None:
    """Their use under the plan that ended stays its own: it is neither given back nor billed by the new one."""
    sold_as = {"traffic_gb": scene.per_unit("0.05")}
    tenant = scene.subscribed(scene.plan("p", sold_as), begun=BEGUN)
    with transaction(tenant) as here:
        first = here.scalars(select(Subscription.id)).one()
    site = service(tenant, first)
    with transaction(tenant):
        usage.record(scene.event("a", 100, subject=site))
    ended(tenant, first)
    second = scene.subscribe(tenant, scene.plan("q", sold_as), begun=scene.NOON + timedelta(hours=2))
    scene.stand_at(tenant, scene.NOON + timedelta(hours=3))
    with transaction(tenant) as here:
        items = here.get_one(Subscription, second).items
        here.get_one(Service, site).paid_by = f"item:{items[0].id}"
    with transaction(tenant) as here:
        assert late(here.get_one(Subscription, first)) == []
        assert [line.use.quantity for line in usage.estimate(here.get_one(Subscription, second))] == [0]


def ended(tenant: UUID, subscription_id: UUID) -> None:
    """An hour after NOON it is over, and its use is on an invoice."""
    at_once = scene.NOON + timedelta(hours=1)
    scene.stand_at(tenant, at_once)
    with transaction(tenant) as here:
        of = here.get_one(Subscription, subscription_id)
        subscriptions.end(of)
        charges = seams.usage_charges(of, at_once, last=True)
        bill = invoices.rate("USD", charges, of.id)
        seller = here.get_one(Seller, of.seller_id)
        drafted = invoices.draft(bill, seller=seller, subscription_id=of.id, period=None)
        closing.close(of, at_once, drafted.id, last=True)


def late(of: Subscription) -> list[usage.UsageLine]:
    return list(rating.lines(of, clock.now()))
