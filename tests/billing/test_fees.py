"""What gateways keep: an expense of whoever it is taken from, posted once, and never in a payment's way."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing import ledger, reads
from chom_core.billing.models import LedgerAccount, LedgerEntry, LedgerTransaction, Seller
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import terms
from chom_core.billing.service.paying import disputes, fees, methods, owners, payments
from chom_core.database import PLATFORM_ID, Tenant, clock, everyone, transaction
from chom_core.values import Conflict, Invalid, Money, NotFound, uuid7
from chom_core.values.billing import GatewayFee, PaymentResult, PaymentStatus
from tests.billing import till
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant

FEE = Money(103, "USD")


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def charged(of: UUID) -> list[tuple[UUID | None, str, int]]:
    """Entries of fees in an organisation: whose seller (its organisation), account, amount."""
    with everyone("test") as here:
        rows = here.execute(
            select(Seller.reseller_id, LedgerAccount.code, LedgerEntry.amount)
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
            .join(Seller, Seller.id == LedgerAccount.seller_id)
            .where(
                LedgerTransaction.kind.in_((fees.KIND, fees.OF_DISPUTE)), LedgerTransaction.tenant_id == of
            )
            .order_by(LedgerAccount.code.desc())
        )
        return [(row[0], row[1], row[2]) for row in rows]


def settled(tenant: UUID, fee: GatewayFee | None, *, direct: bool = False) -> UUID:
    """A top-up of 25 dollars, answered like this."""
    card = till.card(tenant)
    with transaction(tenant):
        sellers.lock_profile()
        begun = payments.begin_top_up(usd(2500), methods.method(card), uuid7().hex)
        answer = PaymentResult(PaymentStatus.SUCCEEDED, "ref", direct=direct, fee=fee)
        return payments.settle(begun.id, answer).id


@pytest.fixture
def reseller(shop: Database) -> UUID:
    made = make_tenant("Brightside", kind="reseller")
    with transaction(made):
        sellers.ensure_seller("Brightside Ltd")
    return made


def test_a_fee_is_posted_once_and_changes_no_customers_account(buyer: UUID) -> None:
    paid = till.topped_up(buyer, 2500)
    for _ in range(2):
        with transaction(buyer):
            assert fees.charged_fee(paid, "txn_1", FEE) == fees.charged_fee(paid, "txn_1", FEE)
    assert charged(buyer) == [(PLATFORM_ID, "fees", 103), (PLATFORM_ID, "cash", -103)]
    with transaction(buyer):
        assert reads.statement().agrees
        assert ledger.balance("cash", "USD") == usd(2397)
        found = reads.gateway_payments(
            "sandbox_gateway", clock.now().replace(year=2000), clock.now().replace(year=2100)
        )
        assert [one.fees for one in found if one.id == paid] == [(FEE,)]
    books_are_right()


def test_what_is_no_fee_is_refused_in_words(buyer: UUID) -> None:
    paid = till.topped_up(buyer, 2500)
    with transaction(buyer):
        with pytest.raises(Invalid, match="never negative"):
            fees.charged_fee(paid, "txn_1", usd(-1))
        with pytest.raises(Invalid, match="called"):
            fees.charged_fee(paid, " ", FEE)
        assert fees.charged_fee(paid, "txn_0", usd(0)) is None
        fees.charged_fee(paid, "txn_1", FEE)
        with pytest.raises(Conflict):
            fees.charged_fee(paid, "txn_1", usd(104))
    with transaction(make_tenant("Pinecrest")), pytest.raises(NotFound):
        fees.charged_fee(paid, "txn_2", FEE)
    assert [amount for _whose, _code, amount in charged(buyer)] == [103, -103]


@pytest.mark.parametrize("odd", [GatewayFee("txn_1", Money(-5, "USD")), GatewayFee(" ", FEE)], ids=str)
def test_an_odd_fee_does_not_keep_a_payment_from_being_settled(buyer: UUID, odd: GatewayFee) -> None:
    paid = settled(buyer, odd)
    assert till.payment(buyer, paid).status == "succeeded"
    assert charged(buyer) == []
    books_are_right()


def test_a_fee_in_another_currency_stands_in_its_own(buyer: UUID) -> None:
    """The account settles in euros: the payment's dollars stay whole, and each currency sums to zero."""
    paid = settled(buyer, GatewayFee("txn_1", Money(95, "EUR")))
    with transaction(buyer):
        assert [ledger.balance(code, "EUR").amount for code in ("fees", "cash")] == [95, -95]
        assert ledger.balance("cash", "USD") == usd(2500)
        found = reads.gateway_payments(
            "sandbox_gateway", clock.now().replace(year=2000), clock.now().replace(year=2100)
        )
        assert [one.fees for one in found if one.id == paid] == [(Money(95, "EUR"),)]
        assert reads.statement().agrees
    books_are_right()


@pytest.mark.parametrize("order", sorted(set(permutations(["kept", "kept", "back", "back"]))))
def test_fees_of_a_dispute_are_posted_once_in_any_order(street: Database, order: tuple[str, ...]) -> None:
    """A fee that is kept, and given back when the dispute is won; the payment's own fee is another."""
    buyer = make_tenant("Disputed")
    paid = settled(buyer, GatewayFee("txn_1", FEE))
    for what in order:
        with transaction(buyer):
            fees.dispute_fee(paid, "du_1", what, usd(1500 if what == "kept" else -1500), of_platform=True)
    with transaction(buyer):
        assert fees.dispute_fee(paid, "du_1", "none", usd(0)) is None
        assert ledger.balance("fees", "USD") == FEE
        assert ledger.balance("cash", "USD") == usd(2500 - 103)
        with pytest.raises(Conflict):
            fees.dispute_fee(paid, "du_1", "kept", usd(1501))
        with pytest.raises(Invalid):
            fees.dispute_fee(paid, "d" * 101, "kept", usd(1500))
        assert reads.statement().agrees
    with transaction(make_tenant("Pinecrest")), pytest.raises(NotFound):
        fees.dispute_fee(paid, "du_1", "other", usd(1500))
    books_are_right()


def test_what_was_posted_of_a_dispute_is_read_by_its_name(buyer: UUID) -> None:
    paid = settled(buyer, None)
    with transaction(buyer):
        disputes.disputed(paid, "du_1", usd(2500), "open")
        fees.dispute_fee(paid, "du_1", "a", usd(1500))
        fees.dispute_fee(paid, "du_1", "b", Money(-1400, "EUR"))
        fees.dispute_fee(paid, "du_2", "c", usd(1))
    found = reads.gateway_disputes("sandbox_gateway", ["du_1", "du_3"])
    posted = {"a": usd(1500), "b": Money(-1400, "EUR")}
    assert [(one.reference, one.status, one.fees) for one in found] == [("du_1", "open", posted)]
    assert reads.gateway_disputes("other", ["du_1"]) == ()


@pytest.mark.parametrize("of_platform", [True, False])
def test_the_fee_of_a_resellers_dispute_costs_who_has_the_account(reseller: UUID, of_platform: bool) -> None:
    customer = make_tenant("Bakery", parent=reseller)
    paid = settled(customer, None, direct=True)
    with transaction(customer):
        fees.dispute_fee(paid, "du_1", "kept", usd(1500), of_platform=of_platform)
    whose = PLATFORM_ID if of_platform else reseller
    assert charged(customer) == [(whose, "fees", 1500), (whose, "cash", -1500)]
    books_are_right()


def test_an_answer_with_its_fee(buyer: UUID) -> None:
    paid = settled(buyer, GatewayFee("txn_1", FEE))
    with transaction(buyer):
        fees.charged_fee(paid, "txn_1", FEE)
    assert charged(buyer) == [(PLATFORM_ID, "fees", 103), (PLATFORM_ID, "cash", -103)]


@pytest.mark.parametrize("of_platform", [True, False])
def test_a_resellers_payment_costs_who_has_the_account(reseller: UUID, of_platform: bool) -> None:
    customer = make_tenant("Bakery", parent=reseller)
    settled(customer, GatewayFee("txn_1", FEE, of_platform), direct=True)
    whose = PLATFORM_ID if of_platform else reseller
    assert charged(customer) == [(whose, "fees", 103), (whose, "cash", -103)]
    with transaction(customer):
        assert reads.statement().agrees
    books_are_right()


def test_whose_money_a_payment_is(reseller: UUID, buyer: UUID) -> None:
    customer, former = make_tenant("Bakery", parent=reseller), make_tenant("Mover", parent=reseller)
    owed = till.invoice(former, 2500)
    other = make_tenant("Other", kind="reseller")
    with transaction() as here:  # it has another reseller by now
        here.get_one(Tenant, former).parent_id = other
    with transaction(other):
        sellers.ensure_seller("Other Ltd")

    def whose(tenant: UUID, payment: UUID) -> UUID | None:
        with transaction(tenant):
            return owners.reseller_of(payments.locked(payment))

    assert whose(buyer, till.topped_up(buyer, 100)) is None
    assert whose(customer, till.topped_up(customer, 100)) == reseller
    assert whose(customer, till.pay(customer, till.invoice(customer, 900))) == reseller
    assert whose(reseller, till.topped_up(reseller, 100)) is None
    assert whose(former, till.pay(former, owed)) is None
    with transaction(reseller):
        terms.choose("share")
    assert whose(customer, till.topped_up(customer, 100)) is None
