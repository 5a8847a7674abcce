"""Cases BAL-*, CRN-03/04, REF-01/02, WAL-*, CHOM-12 as rules: the order of use, and what is due after it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from chom_core.billing.rules.credits import (
    Credit,
    CreditKind,
    Owed,
    account_balance,
    amount_due,
    excess,
    in_order,
    projected,
    refundable,
    top_up,
    use,
)
from chom_core.billing.rules.rounding import rounded
from chom_core.billing.rules.taxes import Taxable, note, taxes
from chom_core.values.money import Money
from tests.billing.cases.facts import eur, usd, utc


def test_bal_01() -> None:
    first = use(usd("249.95"), [Credit("c", usd("300.00"))])
    left = usd("300.00") - first.of("c")
    assert first.due == usd("0.00")
    assert account_balance([first.due], [left], "USD") == usd("-50.05")
    second = use(usd("249.95"), [Credit("c", left)])
    assert second.due == usd("199.90")
    assert account_balance([], [left - second.of("c")], "USD") == usd("0.00")


def test_bal_03() -> None:
    credits = [usd("2.00"), usd("5.00"), usd("7.00")]
    assert [amount_due(usd("5.00"), noted=one) for one in credits] == [usd("3.00"), usd("0.00"), usd("0.00")]
    assert [excess(usd("5.00"), one) for one in credits] == [usd("0.00"), usd("0.00"), usd("2.00")]


def test_crn_03() -> None:
    old, new = utc("2024-01-01"), utc("2024-02-01")
    credits = [
        Credit("new", eur(50), granted_at=new),
        Credit("usd", Money(30, "USD"), granted_at=old - timedelta(days=9)),
        Credit("old", eur(20), granted_at=old),
    ]
    found = use(eur(100), credits)
    assert [(one.key, one.amount) for one in found.used] == [("old", eur(20)), ("new", eur(50))]
    assert found.due == eur(30)


def test_crn_04() -> None:
    credits = [Credit("a", eur(20)), Credit("b", eur(50))]
    found = use(eur(10), credits)
    assert [one.amount for one in found.used] == [eur(10)]
    assert [one.left - found.of(one.key) for one in credits] == [eur(10), eur(50)]


def test_crn_06() -> None:
    """A note for all of a paid invoice gives back all of it, tax included, as a refund and not as credit."""
    net, tax = eur(10_033), eur(1_906)
    found = note(net, tax, eur(0), net)
    assert found.total == net + tax == refundable(net + tax, eur(0))
    assert excess(found.total, found.total) == eur(0)


def test_ref_01() -> None:
    total = usd("233.82")
    assert amount_due(total, paid=total, reopened=total) == total, "a bare refund opens the debt again"
    assert amount_due(total, paid=total, reopened=total, noted=total) == usd("0.00")


def test_ref_02() -> None:
    credit = excess(amount_due(usd("20.00"), paid=usd("20.00")), usd("20.00"))
    assert credit == usd("20.00")
    left = refundable(credit, usd("0")) - usd("7.00")
    assert account_balance([], [left], "USD") == usd("-13.00")
    assert refundable(usd("20.00"), usd("7.00"), spent=usd("15.00")) == usd("0"), "spent credit is not cash"


def test_wal_01() -> None:
    settled, usage, draft = eur(1000), eur(500), eur(600)
    found = [
        projected(settled, [], usage),
        projected(settled, [draft], eur(0)),
        projected(settled, [draft], eur(300)),
        projected(settled - use(draft, [Credit("w", settled)]).of("w"), [], eur(300)),
    ]
    assert [one.amount for one in found] == [500, 400, 100, 100]


def test_wal_02() -> None:
    lines = [rounded(D("0.004"), "EUR")] * 6 + [rounded(D("0.010"), "EUR")] * 2
    fees = sum(line.amount for line in lines)
    tax = taxes("EUR", [Taxable(line.amount, D(40)) for line in lines]).tax
    assert (fees, tax.amount) == (2, 1)
    found = use(eur(fees) + tax, [Credit("wallet", eur(10000))])
    assert (found.of("wallet").amount, found.due.amount) == (3, 0)
    assert eur(10000) - found.of("wallet") == eur(9997)


def test_wal_04_and_chom_12() -> None:
    after = eur(10) - use(eur(6), [Credit("w", eur(10))]).of("w")
    charge = top_up(after, eur(5), eur(10))
    assert after == eur(4) and charge == eur(10) and after + charge == eur(14)
    assert top_up(after, eur(5), eur(10), pending=True) is None, "the second run of the job charges nothing"
    balance = usd("12.00") - usd("5.00")
    first = top_up(balance, usd("10.00"), usd("50.00"))
    assert first == usd("50.00") and balance + first == usd("57.00")
    assert top_up(balance + first, usd("10.00"), usd("50.00")) is None


def test_wal_06() -> None:
    wallets = [
        Credit("priority", eur(1000), priority=1),
        Credit("usage", eur(1000), priority=1, only=frozenset({"usage"})),
        Credit("normal", eur(1000), priority=50),
    ]
    found = use([Owed(eur(500), "usage"), Owed(eur(1000), "plan")], wallets)
    assert [found.of(one.key).amount for one in wallets] == [1000, 500, 0]
    assert [found.of(one.key).amount for one in wallets] == [
        use([Owed(eur(1500), "usage")], wallets).of(one.key).amount for one in wallets
    ]


def test_promotional_before_account_and_the_sooner_to_expire_first() -> None:
    now = utc("2026-01-01")
    pots = [
        Credit("paid in", eur(100), priority=1),
        Credit("gift", eur(100), CreditKind.PROMOTIONAL),
        Credit("gift soon gone", eur(100), CreditKind.PROMOTIONAL, expires_at=now + timedelta(days=1)),
        Credit("gone", eur(100), CreditKind.PROMOTIONAL, expires_at=now),
    ]
    assert [pot.key for pot in in_order(pots)] == ["gone", "gift soon gone", "gift", "paid in"]
    assert [one.key for one in use(eur(250), pots, now).used] == ["gift soon gone", "gift", "paid in"]
