"""The ledger, gapless numbers, frozen invoices, and rating: what must hold whatever happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from chom_core.billing import ledger
from chom_core.billing.models import Invoice, InvoiceLine, LedgerTransaction, Seller
from chom_core.billing.service.invoicing import invoices, rating, sellers, voiding
from chom_core.billing.service.invoicing.rating import Charge, Proposed
from chom_core.billing.service.offers import catalogue
from chom_core.database import everyone, session, transaction
from chom_core.values import BillingPeriod, Conflict, Money, uuid7
from chom_core.values.billing import LineProposal, TaxAnswer
from tests.billing.shop import books_are_right, buy
from tests.conftest import make_tenant

USD = "USD"


def money(cents: int) -> Money:
    return Money(cents, USD)


def post(key: str, *postings: tuple[str, Money]) -> UUID:
    return ledger.post(
        key, "test", postings, seller_id=sellers.seller().id, source="test", description="test"
    )


def test_one_key_posts_once_for_ever(buyer: UUID) -> None:
    with transaction(buyer):
        first = post("k", ("cash", money(5)), ("revenue", money(-5)))
    with transaction(buyer) as here:
        assert post("k", ("cash", money(5)), ("revenue", money(-5))) == first
        with pytest.raises(Conflict):
            post("k", ("cash", money(6)), ("revenue", money(-6)))
        assert len(here.scalars(select(LedgerTransaction)).all()) == 1
        assert ledger.balance("cash", USD) == money(5)
    books_are_right()


def test_what_does_not_sum_to_zero_is_refused(buyer: UUID) -> None:
    with transaction(buyer), pytest.raises(ValueError, match="sum to zero"):
        post("k", ("cash", money(100)), ("revenue", money(-50)), ("tax_payable", money(-49)))


def test_the_database_itself_refuses_unbalanced_entries_and_changes(buyer: UUID) -> None:
    with transaction(buyer) as here:
        made = post("k", ("cash", money(5)), ("revenue", money(-5)))
        account = here.get_one(LedgerTransaction, made).entries[0].account_id
    one_more = text(
        "insert into core.ledger_entry (id, created_at, tenant_id, transaction_id, account_id, amount, currency)"
        " values (:id, now(), :tenant, :transaction, :account, 1, 'USD')"
    )
    with pytest.raises(DBAPIError, match="off by 1 USD"), transaction(buyer) as here:
        here.execute(one_more, {"id": uuid7(), "tenant": buyer, "transaction": made, "account": account})
    for statement in ("update core.ledger_entry set amount = 7", "delete from core.ledger_transaction"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction(buyer) as here:
            here.execute(text(statement))
    books_are_right()


def test_check_names_a_wrong_balance_and_a_missing_posting(buyer: UUID) -> None:
    buy(buyer)
    with transaction(buyer) as here:
        here.execute(text("update core.ledger_balance set balance = balance + 1"))
        here.execute(text("update core.invoice set amount_paid = 0, status = 'open'"))
    with everyone("test") as here:
        problems = " ".join(ledger.check(here))
    assert "has the balance" in problems
    assert "owes 0 USD by the ledger, 7900 by its invoices" in problems
    assert "counts 0 USD as paid, its payments sum to 7900" in problems


def test_a_finalised_invoice_cannot_change(buyer: UUID) -> None:
    bought = buy(buyer)
    for change in ("total = 1, subtotal = 1", "number = 'X'", "snapshot = '{}'", "status = 'draft'"):
        with pytest.raises(DBAPIError, match="cannot change"), transaction(buyer) as here:
            here.execute(text(f"update core.invoice set {change}"))
    with pytest.raises(DBAPIError, match="cannot change"), transaction(buyer) as here:
        here.execute(text("update core.invoice_line set amount = 1"))
    one_more = insert(InvoiceLine).values(
        tenant_id=buyer,
        invoice_id=bought.invoice_id,
        position=9,
        kind="x",
        description="x",
        amount=1,
        currency=USD,
    )
    with pytest.raises(DBAPIError, match="cannot change"), transaction(buyer) as here:
        here.execute(one_more)


def draft(cents: int) -> Invoice:
    bill = rating.bill(USD, rating.lines_of([Charge("x", "charge", "x", money(cents))]), [], None)
    return invoices.draft(bill, seller=sellers.seller(), subscription_id=None, period=None)


def test_numbers_have_no_gap_under_twenty_threads_with_failures(shop: object) -> None:
    buyers = [make_tenant(f"B{i}") for i in range(20)]

    def work(index: int) -> None:
        for turn in range(5):
            try:
                with transaction(buyers[index]):
                    made = draft(100 + turn)
                    invoices.finalise(made)
                    invoices.number(made)
                    if (index + turn) % 3 == 0:
                        raise KeyError("rolled back after the number was taken")
            except KeyError:
                continue

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))
    with everyone("test") as here:
        numbers = sorted(here.scalars(select(Invoice.number)))
        failed = sum((index + turn) % 3 == 0 for index in range(20) for turn in range(5))
        assert numbers == [f"INV-{n:06d}" for n in range(1, 100 - failed + 1)]
    books_are_right()


def test_a_void_turns_its_entries_round(buyer: UUID) -> None:
    with transaction(buyer):
        made = draft(500)
        invoices.finalise(made)
        invoices.number(made)
        assert ledger.balance("receivable", USD) == money(500)
    with transaction(buyer):
        assert voiding.void(made.id).status == "void"
        assert ledger.balance("receivable", USD) == money(0)
        assert ledger.balance("revenue", USD) == money(0)
    books_are_right()


cents = st.integers(-10_000, 10_000).filter(bool)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(cents, min_size=1, max_size=6), min_size=1, max_size=5))
def test_any_sequence_of_balanced_postings_leaves_the_books_right(
    buyer: UUID, groups: list[list[int]]
) -> None:
    codes = (
        "cash",
        "revenue",
        "tax_payable",
        "write_off",
        "promotional_expense",
    )  # nothing else counts these
    with transaction(buyer):
        for amounts in groups:
            lines = [(codes[i % 5], money(amount)) for i, amount in enumerate(amounts)]
            lines.append(("fees", money(-sum(amounts))))
            post(uuid7().hex, *lines)
    with transaction(buyer) as here:
        assert ledger.check(here) == []
        everything = here.execute(text("select coalesce(sum(balance), 0) from core.ledger_balance")).scalar()
        assert everything == 0
        assert session() is here


unit_prices = st.integers(0, 1_000_000)


@given(st.lists(st.tuples(unit_prices, st.integers(1, 50)), min_size=1, max_size=5),
       st.lists(st.integers(-2_000_000, 50_000), max_size=4), st.decimals(0, 30, places=2))  # fmt: skip
def test_a_bill_adds_up_and_never_falls_below_zero(
    bought: list[tuple[int, int]], proposals: list[int], rate: Decimal
) -> None:
    lines = rating.lines_of([Charge("p", "plan", "p", money(price), count) for price, count in bought])
    proposed = [Proposed("x", LineProposal("x", money(amount))) for amount in proposals]
    bill = rating.bill(USD, lines, proposed, TaxAnswer("VAT", rate))
    assert sum(line.amount.amount for line in bill.lines) == bill.subtotal.amount >= 0
    assert bill.total == bill.subtotal + bill.tax
    assert bill.tax == bill.subtotal.times(rate / 100)


def test_the_seeds_overage_case() -> None:
    usage = [(5, "7", "5.00"), (10, "12.5", "0.10"), (100, "140", "0.05")]  # CHOM-02
    lines = [rating.overage(included, Decimal(used), Decimal(unit), USD) for included, used, unit in usage]
    assert [str(line.major) for line in lines] == ["10.00", "0.25", "2.00"]


def test_the_catalogue_has_the_seeds_prices_and_is_seeded_once(buyer: UUID) -> None:
    with transaction(buyer) as here:
        pro = catalogue.plan("pro")
        prices = {period: catalogue.price(pro, USD, period) for period in BillingPeriod}
        assert [p.amount for p in prices.values()] == [7900, 22515, 80580, 151680]
        assert catalogue.savings(pro, USD, BillingPeriod.ANNUAL) == money(14220)
        assert [plan.code for plan in catalogue.plans()][:3] == ["starter", "pro", "enterprise"]
        assert len(here.scalars(select(Seller)).all()) == 1
