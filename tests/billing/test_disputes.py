"""Disputes: a bank takes a payment back, and the credit that stands for its money is held until it has decided."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from chom_core.billing import ledger
from chom_core.billing.reads.statement import statement
from chom_core.billing.service.invoicing import credit_notes
from chom_core.billing.service.paying import disputes, refunds
from chom_core.database import transaction
from chom_core.values import Money
from chom_core.values.errors import Conflict, Invalid
from tests.billing import till
from tests.billing.shop import POOR
from tests.conftest import make_tenant


@pytest.fixture
def tenant(shop: object) -> UUID:
    return make_tenant("Disputed")


def hear(tenant: UUID, payment: UUID, state: Any, cents: int = 5000, reference: str = "dp_1") -> None:
    with transaction(tenant):
        disputes.disputed(payment, reference, Money(cents, "USD"), state)


def books(tenant: UUID, *codes: str) -> list[int]:
    """The balances, and that ledger, grants and the statement of account agree."""
    with transaction(tenant) as here:
        assert ledger.check(here) == []
        assert statement().agrees
        return [ledger.balance(code, "USD").amount for code in codes]


def test_what_is_left_of_a_disputed_top_up_is_held(tenant: UUID) -> None:
    paid = till.topped_up(tenant, 5000)
    hear(tenant, paid, "open")
    assert till.left(tenant) == 0
    assert books(tenant, "customer_credit", "dispute_hold", "disputes", "cash") == [0, -5000, 5000, 0]
    till.invoice(tenant, 3000)
    assert till.owes(tenant) == 3000 - 5000  # held credit paid nothing


def test_won_it_is_the_customers_again_and_pays_what_is_open(tenant: UUID) -> None:
    paid = till.topped_up(tenant, 5000)
    hear(tenant, paid, "open")
    invoice = till.invoice(tenant, 3000)
    assert till.look(tenant, invoice).status == "open"
    hear(tenant, paid, "won")
    assert till.look(tenant, invoice).status == "paid"
    assert till.left(tenant) == 2000
    assert books(tenant, "dispute_hold", "disputes", "cash", "write_off") == [0, 0, 5000, 0]


def test_lost_it_is_gone_and_only_what_was_spent_is_a_loss(tenant: UUID) -> None:
    paid = till.topped_up(tenant, 5000)
    till.invoice(tenant, 1200)
    hear(tenant, paid, "open")
    hear(tenant, paid, "lost")
    assert till.left(tenant) == 0
    assert books(tenant, "customer_credit", "dispute_hold", "cash", "write_off") == [0, 0, 0, 1200]


@pytest.mark.parametrize("end", ["won", "lost"])
def test_any_order_any_number_of_times_is_one_ledger(shop: object, end: str) -> None:
    seen = set()
    for order in permutations(["open", end, end, "open"]):
        tenant = make_tenant("Weather")
        paid = till.topped_up(tenant, 5000)
        for state in order:
            hear(tenant, paid, state)
        seen.add(
            (
                *books(tenant, "customer_credit", "dispute_hold", "disputes", "cash", "write_off"),
                till.left(tenant),
            )
        )
    assert len(seen) == 1


def test_what_a_bank_took_cannot_be_refunded_as_well(tenant: UUID) -> None:
    paid = till.topped_up(tenant, 5000)
    hear(tenant, paid, "open", 4000)
    with transaction(tenant), pytest.raises(Invalid) as refused:
        refunds.refund(paid, Money(1001, "USD"), "test", "too much")
    assert "At most" in refused.value.detail
    with transaction(tenant):
        refunds.refund(paid, Money(1000, "USD"), "test", "the rest")
    assert till.left(tenant) == 0
    books(tenant)


def test_a_part_is_held_and_the_rest_stays_usable(tenant: UUID) -> None:
    paid = till.topped_up(tenant, 5000)
    hear(tenant, paid, "open", 2000)
    assert till.left(tenant) == 3000
    hear(tenant, paid, "lost", 2000)
    assert till.left(tenant) == 3000
    assert books(tenant, "write_off") == [0]


def test_a_payment_that_is_not_settled_is_looked_at_first(tenant: UUID) -> None:
    paid = till.topped_up(tenant, 5000, POOR)
    with pytest.raises(Conflict):
        hear(tenant, paid, "open")
    assert books(tenant, "cash", "disputes") == [0, 0]


def test_credit_that_comes_back_to_disputed_money_is_held_too(tenant: UUID) -> None:
    """Spent on an invoice, then noted: the note gives back what a bank has by now."""
    paid = till.topped_up(tenant, 5000)
    invoice = till.invoice(tenant, 3000)
    hear(tenant, paid, "open")
    with transaction(tenant):
        credit_notes.issue(invoice, Money(1000, "USD"), "credit", reason="test", key="back")
    assert till.left(tenant) == 0
    assert books(tenant, "customer_credit", "dispute_hold") == [0, -3000]
    hear(tenant, paid, "lost")
    with transaction(tenant):
        credit_notes.issue(invoice, Money(500, "USD"), "credit", reason="test", key="more")
    assert till.left(tenant) == 0
    assert books(tenant, "customer_credit", "dispute_hold", "write_off") == [0, 0, 1500]


@pytest.mark.parametrize("settle", ["refund", "credit"])
def test_a_noted_invoice_gives_nothing_that_a_bank_has(tenant: UUID, settle: Any) -> None:
    invoice = till.invoice(tenant, 5000)
    paid = till.pay(tenant, invoice)
    hear(tenant, paid, "open")
    with transaction(tenant):
        credit_notes.issue(invoice, None, settle, reason="test", key="all")
    assert till.left(tenant) == 0
    assert books(tenant, "dispute_hold", "disputes", "cash", "refund_clearing") == [-5000, 5000, 0, 0]
    hear(tenant, paid, "won")
    assert till.left(tenant) == 5000
    books(tenant)
