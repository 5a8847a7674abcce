"""Earnings and payouts: posted once, available in time, clawed back, paid out once; the ledger proves each state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from chom_core.billing import ledger
from chom_core.billing.models import Earning, LedgerTransaction, Payout
from chom_core.billing.rules import splits
from chom_core.billing.service.partners import payouts
from chom_core.billing.service.partners.earnings import Payable
from chom_core.database import PLATFORM_ID, clock, everyone, transaction
from chom_core.values import Conflict, Invalid, Money, NotFound, Unavailable, uuid7
from chom_core.values.billing import PayoutStatus
from chom_core.work import run_all
from tests.billing.payouts.conftest import Bank
from tests.billing.shop import books_are_right, events
from tests.conftest import make_tenant

PARTY = "aff"


def usd(text_: str) -> Money:
    return Money.of(text_, "USD")


def earn(tenant: UUID, money: str = "20.00", key: str = "sale:1", days: int = 0) -> UUID:
    with transaction(tenant):
        return payouts.earn(PARTY, "affiliate", usd(money), key, key, clock.now() + timedelta(days=days))


def owed(tenant: UUID) -> Payable:
    with transaction(tenant):
        return payouts.payable(PARTY)[0]


def pay(tenant: UUID, key: str = "run-1", minimum: str = "10.00", method: str = "manual") -> UUID | None:
    with transaction(tenant):
        made = payouts.pay_out(PARTY, "affiliate", key, minimum=usd(minimum), method=method)
        return made.id if made else None


def test_what_is_earned_waits_then_is_available_then_is_paid(payee: UUID) -> None:
    earn(payee, "20.00", "sale:1", days=30)
    earn(payee, "15.00", "sale:2")
    state = owed(payee)
    assert (state.pending, state.available, state.paid) == (usd("20.00"), usd("15.00"), usd("0"))
    payout = pay(payee)
    assert payout
    state = owed(payee)
    assert (state.pending, state.available, state.on_its_way) == (usd("20.00"), usd("0"), usd("15.00"))
    books_are_right()
    with transaction(payee):
        payouts.mark_paid(payout, "SEPA 7")
        payouts.mark_paid(payout, "SEPA 7")
        assert ledger.balance("cash", "USD") == usd("-15.00")
        assert ledger.balance("payout_clearing", "USD") == usd("0")
        assert ledger.balance("affiliate_payable", "USD", party=PARTY) == usd("-20.00")
    assert owed(payee).paid == usd("15.00")
    books_are_right()
    assert [e for e in events(payee) if e.startswith(("earning", "payout"))] == [
        "earning.posted", "earning.posted", "payout.begun", "payout.posted",
    ]  # fmt: skip


def test_a_sale_is_earned_once_and_other_facts_are_refused(payee: UUID) -> None:
    assert earn(payee) == earn(payee)
    with pytest.raises(Conflict):
        earn(payee, "20.01")
    assert owed(payee).earned == usd("20.00")
    books_are_right()


@pytest.mark.parametrize(
    ("money", "party", "days"),
    [("0", "x", 0), ("-1.00", "x", 0), ("99999999999.00", "x", 0), ("1.00", "", 0), ("1.00", "x" * 81, 0),
     ("1.00", "x", 7000), ("1.00", "a\x00b", 0)],
)  # fmt: skip
def test_bad_input_writes_nothing(payee: UUID, money: str, party: str, days: int) -> None:
    with pytest.raises(Invalid), transaction(payee):
        payouts.earn(party, "affiliate", usd(money), "k", "s", clock.now() + timedelta(days=days))
    with transaction(payee) as here:
        assert here.scalars(select(Earning)).all() == []
        assert here.scalars(select(LedgerTransaction)).all() == []


def test_another_organisations_earning_and_payout_are_not_there(payee: UUID) -> None:
    earn(payee)
    payout = pay(payee)
    assert payout
    with transaction(make_tenant("Stranger")):
        with pytest.raises(NotFound):
            payouts.claw_back("sale:1", usd("1.00"), usd("1.00"))
        with pytest.raises(NotFound):
            payouts.mark_paid(payout, "mine now")


def test_less_than_the_minimum_waits(payee: UUID) -> None:
    earn(payee, "9.99")
    assert pay(payee, minimum="10.00") is None
    earn(payee, "0.01", "sale:2")
    assert pay(payee, minimum="10.00")


def test_a_void_makes_it_available_again(payee: UUID) -> None:
    earn(payee)
    payout = pay(payee)
    assert payout
    with transaction(payee):
        payouts.void(payout, "wrong account")
        payouts.void(payout, "wrong account")
        with pytest.raises(Conflict):
            payouts.mark_paid(payout, "too late")
    assert owed(payee).available == usd("20.00")
    assert pay(payee) == payout, "the same run pays once, whatever became of it"
    assert pay(payee, "run-2") not in (None, payout)
    books_are_right()


def test_the_same_run_twice_and_two_runs_at_once_pay_once(payee: UUID) -> None:
    earn(payee)

    def one(number: int) -> UUID | None:
        try:
            return pay(payee, f"run-{number % 2}")
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = {found for found in pool.map(one, range(8)) if found}
    assert len(made) == 1
    with transaction(payee) as here:
        assert [row.amount for row in here.scalars(select(Payout))] == [2000]
    books_are_right()


def test_a_run_pays_every_party_with_enough(payee: UUID) -> None:
    small, other = make_tenant("Small"), make_tenant("Other")
    earn(payee)
    earn(small, "1.00")
    earn(other, "30.00")
    for _ in range(2):
        with transaction(PLATFORM_ID):
            assert payouts.run("affiliate", "2026-11", minimum=usd("10.00"), method="manual") == 3
        run_all(reraise=True)
    with everyone("test") as here:
        assert sorted(row.amount for row in here.scalars(select(Payout))) == [2000, 3000]
    books_are_right()


def test_earnings_taken_as_credit_are_credit_at_once(payee: UUID) -> None:
    earn(payee)
    pay(payee, method="credit")
    with transaction(payee):
        assert ledger.balance("customer_credit", "USD") == usd("-20.00")
    assert owed(payee).paid == usd("20.00")
    books_are_right()


def test_a_gateway_that_loses_its_answer_pays_once(payee: UUID, bank: Bank) -> None:
    earn(payee)
    payout = pay(payee, method="")
    assert payout
    bank.broken = True
    with pytest.raises(Unavailable), transaction(payee):
        payouts.send(payout)
    assert owed(payee).on_its_way == usd("20.00")
    bank.broken = False
    with transaction(payee):
        assert payouts.resolve_pending() == 1
        assert payouts.resolve_pending() == 0
    assert list(bank.sent) == [f"payout/{payout}"]
    assert owed(payee).paid == usd("20.00")
    with transaction(payee), pytest.raises(Conflict):
        payouts.void(payout, "too late")
    books_are_right()


def test_a_gateway_that_refuses_gives_it_back_and_one_without_account_leaves_it_to_staff(
    payee: UUID, bank: Bank
) -> None:
    earn(payee)
    bank.status = PayoutStatus.FAILED
    payout = pay(payee, method="")
    assert payout
    with transaction(payee):
        assert payouts.send(payout).status == "voided"
    assert owed(payee).available == usd("20.00")
    bank.ready = False
    again = pay(payee, "run-2", method="")
    assert again
    with transaction(payee):
        assert payouts.send(again).method == "manual"
    with transaction(payee):
        assert payouts.mark_paid(again, "SEPA 1").status == "posted"
    books_are_right()


def test_what_was_paid_and_then_refunded_is_owed_back(payee: UUID) -> None:
    earn(payee)
    payout = pay(payee)
    assert payout
    with transaction(payee):
        payouts.mark_paid(payout, "SEPA 1")
        assert payouts.claw_back("sale:1", usd("50.00"), usd("100.00")) == usd("10.00")
        assert payouts.claw_back("sale:1", usd("50.00"), usd("100.00")) == usd("0")
    assert owed(payee).available == usd("-10.00")
    assert pay(payee, "run-2", "1.00") is None
    earn(payee, "12.00", "sale:2")
    assert owed(payee).available == usd("2.00")
    with transaction(payee):
        assert payouts.claw_back("sale:1", usd("0"), usd("100.00")) == usd("-10.00"), "the refund failed"
    books_are_right()


@given(
    earned=st.integers(1, 100_000),
    sale=st.integers(1, 1_000_000),
    steps=st.lists(st.integers(0, 1_000_000), min_size=1, max_size=6),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_clawback_follows_its_sale_whatever_the_order(
    payee: UUID, earned: int, sale: int, steps: list[int]
) -> None:
    key, total = f"sale:{uuid7()}", Money(sale, "USD")
    with transaction(payee) as here:
        payouts.earn(PARTY, "affiliate", Money(earned, "USD"), key, "s")
        for step in steps:
            payouts.claw_back(key, Money(min(step, sale), "USD"), total)
        payouts.claw_back(key, total, total)
        assert here.scalar(select(Earning.taken_back).where(Earning.key == key)) == earned
    books_are_right()


def test_the_check_names_a_payable_and_a_payout_that_the_ledger_does_not_know(payee: UUID) -> None:
    earn(payee)
    earn(payee, "5.00", "sale:2")
    pay(payee)
    with transaction(payee) as here:
        here.execute(text("update core.earning set taken_back = 1 where key = 'sale:1'"))
        here.execute(text("update core.payout set status = 'posted', settled_at = now()"))
    with everyone("test") as here:
        problems = " ".join(ledger.check(here))
    assert "affiliate aff of organisation" in problems
    assert "of payouts on their way by the ledger, 0 by its payouts" in problems
    assert "is posted, its entries are: begun" in problems


def test_chom_06(payee: UUID) -> None:
    """A sale of 19.99 at 17.5 % for the platform: 3.50 stay, 16.49 are the vendor's."""
    parts = splits.split(usd("19.99"), {"platform": Decimal("17.5")}, "vendor")
    with transaction(payee):
        payouts.earn("v", "vendor", parts["vendor"], "sale:1", "invoice:1")
        assert ledger.balance("vendor_payable", "USD", party="v") == usd("-16.49")
        assert ledger.balance("commission", "USD") == usd("16.49")
    assert parts["platform"] == usd("3.50")
    assert parts["platform"] + parts["vendor"] == usd("19.99")
    books_are_right()


def test_chom_07(payee: UUID) -> None:
    """Three ways: vendor 15.99, reseller 1.33, the platform keeps the remainder, 2.67."""
    parts = splits.split(usd("19.99"), {"vendor": Decimal(80), "reseller": Decimal("6.67")}, "platform")
    with transaction(payee):
        payouts.earn("v", "vendor", parts["vendor"], "sale:1", "invoice:1")
    with transaction(make_tenant("Brightside", kind="customer")):
        payouts.earn("r", "reseller", parts["reseller"], "sale:1", "invoice:1")
    with everyone("test") as here:
        rows = here.execute(select(Earning.kind, Earning.amount).order_by(Earning.kind)).all()
    assert [tuple(row) for row in rows] == [("reseller", 133), ("vendor", 1599)]
    assert parts["platform"] == usd("2.67")
    books_are_right()


def test_chom_08(payee: UUID) -> None:
    """Refunds of 999 and 1000 take back 824 and 825 of the vendor's 1649, and 175 twice of the platform's 350."""
    sale, vendor = Money(1999, "USD"), Money(1649, "USD")
    back, kept = [], []
    with transaction(payee):
        payouts.earn("v", "vendor", vendor, "sale:1", "invoice:1")
        for step, refunded in ((999, 999), (1000, 1999)):
            took = payouts.claw_back("sale:1", Money(refunded, "USD"), sale)
            back.append(took.amount)
            kept.append(step - took.amount)
        assert ledger.balance("vendor_payable", "USD", party="v") == usd("0")
    assert (back, kept) == ([824, 825], [175, 175])
    books_are_right()
