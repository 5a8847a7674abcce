"""What becomes of credit and payments: expiry, refunds that fail or get lost, write-offs, money that comes late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import text

from chom_core.billing import ledger
from chom_core.billing.models import CreditNote, CreditUse
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, invoices, sellers, voiding, writing_off
from chom_core.billing.service.paying import methods, payments, refunds
from chom_core.database import Tenant, clock, transaction
from chom_core.values import Conflict, Invalid, Money
from chom_core.values.errors import ChomError
from chom_core.work import run_all
from tests.billing import till
from tests.billing.shop import books_are_right, events


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def note(invoice_id: UUID, what: Any, settle: Any = "credit") -> CreditNote:
    return credit_notes.issue(invoice_id, what, settle, reason="x", key="k")


def test_promotional_credit_expires_once_and_is_never_cash(buyer: UUID) -> None:
    with transaction(buyer):
        accounts.grant_promotional_credit(usd(900), "p", "welcome", clock.now() + timedelta(days=5))
    assert till.look(buyer, till.invoice(buyer, 100)).status == "paid"
    with transaction() as here:
        row = here.get_one(Tenant, buyer)
        row.clock_at, row.generation = datetime.now(UTC) + timedelta(days=6), row.generation + 1
    assert till.left(buyer, "promotional") == 0
    assert till.due(buyer, till.invoice(buyer, 100)) == 100
    with transaction(buyer):
        assert (accounts.expire_due(), accounts.expire_due()) == (1, 0)
    assert "credit.expired" in events(buyer)
    assert till.owes(buyer) == 100
    books_are_right()


def test_what_promotional_credit_paid_comes_back_as_promotional_credit(buyer: UUID) -> None:
    with transaction(buyer):
        accounts.grant_promotional_credit(usd(300), "p", "welcome")
    till.topped_up(buyer, 300)
    owed = till.invoice(buyer, 1000)
    till.pay(buyer, owed)
    for cents, left in ((400, (0, 0)), (300, (300, 0)), (300, (300, 300))):
        with transaction(buyer):
            credit_notes.issue(owed, usd(cents), "refund", reason="x", key=f"{left}")
        assert (till.left(buyer), till.left(buyer, "promotional")) == left
    run_all(buyer)
    assert [charge.refunded for charge in book.charges()] == [400, 0]
    books_are_right()


def test_a_top_up_is_refunded_as_far_as_it_is_not_spent(buyer: UUID) -> None:
    paid = till.topped_up(buyer, 1000)
    till.invoice(buyer, 400)
    with pytest.raises(Invalid, match=r"At most \$6\.00"), transaction(buyer):
        refunds.refund(paid, usd(601), "x", "r1")
    with transaction(buyer):
        refunds.refund(paid, usd(600), "x", "r2")
    assert till.left(buyer) == 0, "reserved before it is sent"
    run_all(buyer)
    assert (till.owes(buyer), book.charges()[0].refunded) == (0, 600)
    books_are_right()


def test_a_refund_that_the_gateway_refuses_leaves_the_credit(
    buyer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = till.topped_up(buyer, 1000)
    with transaction(buyer):
        made = refunds.refund(paid, usd(600), "x", "r").id

    def refuse(*_: object) -> object:
        raise Conflict("The card is closed.")

    monkeypatch.setattr(book, "follow", refuse)
    run_all(buyer)
    with transaction(buyer):
        assert refunds.locked(made).status == "failed"
    assert till.left(buyer) == 1000
    assert till.payment(buyer, paid).amount_refunded == 0
    assert "refund.failed" in events(buyer)
    books_are_right()


def test_a_lost_answer_to_a_refund_is_asked_for_again(buyer: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = till.topped_up(buyer, 1000)
    with transaction(buyer):
        made = refunds.refund(paid, usd(600), "x", "r").id
    real = book.follow

    def lost(*args: Any) -> object:
        real(*args)
        raise ConnectionResetError

    monkeypatch.setattr(book, "follow", lost)
    with pytest.raises(ChomError), transaction(buyer):
        refunds.send(made)
    books_are_right()
    monkeypatch.setattr(book, "follow", real)
    with transaction(buyer):
        assert refunds.send(made).status == "succeeded"
    assert book.charges()[0].refunded == 600
    books_are_right()


def test_an_uncollectible_invoice_is_paid_later(buyer: UUID) -> None:
    owed = till.invoice(buyer, 1000)
    for _ in range(2):
        with transaction(buyer):
            writing_off.write_off(owed, "gone")
    with transaction(buyer):
        assert ledger.balance("write_off", "USD") == usd(1000)
    assert till.owes(buyer) == 0
    till.pay(buyer, owed)
    assert till.look(buyer, owed).status == "paid"
    with transaction(buyer):
        assert ledger.balance("write_off", "USD") == usd(0)
    books_are_right()


def test_money_for_what_was_settled_meanwhile_is_kept_as_credit(buyer: UUID) -> None:
    """A void or a note while the bank is thinking is refused; but a purchase that was dropped may still be paid."""
    owed = till.invoice(buyer, 1000)
    method_id = till.card(buyer)
    with transaction(buyer):
        sellers.lock_profile()
        begun = payments.begin(invoices.locked(owed), methods.method(method_id), "1").id
    for verb in (
        lambda: voiding.void(owed),
        lambda: note(owed, usd(5)),
        lambda: writing_off.write_off(owed, "x"),
    ):
        with pytest.raises(Conflict), transaction(buyer):
            verb()
    with transaction(buyer) as here:
        here.execute(
            text("update core.invoice set amount_credited = 400")
        )  # as if credit had been used meanwhile
        grant = accounts.grant_promotional_credit(usd(400), "p", "x")
        here.add(
            CreditUse(
                tenant_id=buyer, grant_id=grant.id, kind="applied", amount=400, currency="USD",
                effective_at=clock.now(), invoice_id=owed,
            )
        )  # fmt: skip
        grant.remaining = 0
        ledger.post(
            "by hand", "credit used", [("promotional_credit", usd(400)), ("receivable", usd(-400))],
            seller_id=sellers.seller().id, source="test", description="test",
        )  # fmt: skip
    with transaction(buyer):
        payments.send(begun)
    assert (till.look(buyer, owed).status, till.left(buyer)) == ("paid", 400)
    books_are_right()
