"""What the platform's account took of a reseller's customers: owed to it, follows refunds, and is handed on monthly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing import ledger
from chom_core.billing.models import Earning, Payout
from chom_core.billing.reads.collected import collected, sells_itself
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import collected as service
from chom_core.billing.service.partners import monthly, payouts, terms
from chom_core.billing.service.paying import disputes, methods, payments, refunds
from chom_core.database import Tenant, clock, transaction
from chom_core.values import Money, uuid7
from chom_core.values.billing import PaymentResult, PaymentStatus
from chom_core.work import run_all
from tests.billing import till
from tests.billing.payouts.conftest import agency
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant


def usd(cents: int) -> Money:
    return Money(cents, "USD")


@pytest.fixture
def brightside(shop: Database) -> UUID:
    return agency("wholesale")


@pytest.fixture
def bakery(brightside: UUID) -> UUID:
    return make_tenant("Bakery", parent=brightside)


def night(of: UUID, days: int = 0) -> int:
    with transaction() as here:
        row = here.get_one(Tenant, of)
        row.clock_at = (row.clock_at or clock.machine()) + timedelta(days=days)
        row.generation += 1
    with transaction(of):
        changes = service.note()
        monthly.pay_out()
        return changes


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The payments that nights look at, as they come."""
    found: list[UUID] = []
    take = service._taken_of

    def taking(customer: UUID, seller: UUID, among: Sequence[UUID]) -> object:
        found.extend(among)
        return take(customer, seller, among)

    monkeypatch.setattr(service, "_taken_of", taking)
    return found


def sums(of: UUID) -> tuple[int, int, int, int]:
    """Collected, still held, on its way, handed on."""
    with transaction(of):
        one = collected()[0]
        return one.earned.amount, (one.pending + one.available).amount, one.on_its_way.amount, one.paid.amount


def test_it_is_owed_held_a_week_and_handed_on_once_a_month(brightside: UUID, bakery: UUID) -> None:
    till.pay(bakery, till.invoice(bakery, 900))
    till.topped_up(bakery, 2500)
    assert [night(brightside), night(brightside)] == [2, 0]
    assert sums(brightside) == (3400, 3400, 0, 0)
    with transaction(brightside) as here:
        assert ledger.balance("cash", "USD") == usd(3400)
        assert ledger.balance("commission", "USD") == usd(0), "it is no cost of the platform's"
        assert here.scalars(select(Payout)).all() == []
    assert night(brightside, 8) == 0
    assert sums(brightside) == (3400, 0, 3400, 0)
    with transaction(brightside) as here:
        payout = here.scalars(select(Payout)).one()
        payouts.mark_paid(payout.id, "bank 1")  # no gateway of the shop pays out
        assert ledger.balance("cash", "USD") == usd(0)
    assert sums(brightside) == (3400, 0, 0, 3400)
    till.topped_up(bakery, 100)
    night(brightside)
    night(brightside, 8)
    with transaction(brightside) as here:
        months = {row.key[:17] for row in here.scalars(select(Payout))}
        assert len(months) == len(here.scalars(select(Payout)).all())
    books_are_right()


def test_refunds_and_disputes_lower_it_and_a_dispute_that_is_won_returns(
    brightside: UUID, bakery: UUID
) -> None:
    paid = till.topped_up(bakery, 2500)
    night(brightside)
    with transaction(bakery):
        refunds.refund(paid, usd(700), "asked for", uuid7().hex)
    run_all(reraise=False)
    assert night(brightside) == 1
    assert sums(brightside)[0] == 1800
    with transaction(bakery):
        disputes.disputed(paid, "dp_1", usd(1800), "open")
    night(brightside)
    assert sums(brightside)[0] == 0
    with transaction(bakery):
        disputes.disputed(paid, "dp_1", usd(1800), "won")
    assert [night(brightside), night(brightside)] == [1, 0]
    assert sums(brightside)[0] == 1800
    with transaction(bakery):
        disputes.disputed(paid, "dp_2", usd(1000), "lost")
    night(brightside)
    assert sums(brightside)[0] == 800
    books_are_right()


def test_what_went_straight_to_the_reseller_is_not_collected(brightside: UUID, bakery: UUID) -> None:
    card = till.card(bakery)
    with transaction(bakery):
        sellers.lock_profile()
        begun = payments.begin_top_up(usd(2500), methods.method(card), uuid7().hex)
        payments.settle(begun.id, PaymentResult(PaymentStatus.SUCCEEDED, "ref", direct=True))
    assert night(brightside) == 0
    with transaction(brightside):
        assert collected() == []


def test_a_reseller_that_has_a_share_and_who_is_none_collect_nothing(brightside: UUID, bakery: UUID) -> None:
    with transaction(brightside):
        assert sells_itself()
    with transaction(bakery):
        assert not sells_itself()
    with transaction(brightside):
        terms.choose("share")
    with transaction(brightside):
        assert not sells_itself()
    till.topped_up(bakery, 2500)
    assert night(brightside) == 0
    with transaction(brightside) as here:
        assert here.scalars(select(Earning)).all() == []


def test_a_night_looks_at_what_changed_alone(brightside: UUID, bakery: UUID, seen: list[UUID]) -> None:
    one, two = (till.pay(bakery, till.invoice(bakery, 1000)) for _ in range(2))
    night(brightside)
    assert sorted(seen) == sorted([one, two])
    night(brightside)
    assert sorted(seen) == sorted([one, two]), "nothing new was looked at"
    with transaction(bakery):
        refunds.refund(one, usd(300), "asked for", uuid7().hex)
    run_all(reraise=False)
    three = till.topped_up(bakery, 500)
    night(brightside)
    assert sorted(seen[2:]) == sorted([one, three]), "a refund's and a top-up's"
    with transaction(bakery):
        disputes.disputed(two, "dp_1", usd(1000), "open")
    night(brightside)
    assert seen[4:] == [two]
    assert sums(brightside)[0] == 700 + 500
    books_are_right()
