"""Fifty at once: one credit, one top-up, one refund, one credit note: exactly one wins. Answers in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import func, select

from chom_core.billing import ledger
from chom_core.billing.models import CreditGrant, CreditNote, CreditUse
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, invoices, sellers
from chom_core.billing.service.paying import gateways, methods, payments, refunds
from chom_core.billing.service.paying.gateways import Bound
from chom_core.database import transaction
from chom_core.values import Money, uuid7
from chom_core.values.billing import PaymentResult, PaymentStatus
from chom_core.values.errors import ChomError
from chom_core.work import run_all
from tests.billing import till
from tests.billing.shop import books_are_right
from tests.billing.stub import STUB
from tests.conftest import make_tenant


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def fifty(tenant: UUID, verb: Callable[[int], Any]) -> Counter[str]:
    """Fifty presses at once, each in a unit of its own; how they ended."""

    def press(place: int) -> str:
        try:
            with transaction(tenant):
                verb(place)
        except ChomError as no:
            return type(no).__name__
        return "done"

    with ThreadPoolExecutor(50) as pool:
        return Counter(pool.map(press, range(50)))


def test_one_top_up_pressed_fifty_times_is_one_charge(buyer: UUID) -> None:
    method = till.card(buyer)
    assert fifty(buyer, lambda _: accounts.top_up(usd(5000), method, "press")) == {"done": 50}
    assert (len(book.charges()), till.left(buyer)) == (1, 5000)
    books_are_right()


def test_one_credit_and_fifty_invoices_is_used_once(buyer: UUID) -> None:
    till.topped_up(buyer, 500)

    def sell(_: int) -> None:
        sellers.lock_profile()
        till.finalised(till.drafted(500))

    assert fifty(buyer, sell) == {"done": 50}
    with transaction(buyer) as here:
        assert here.scalar(select(func.count(CreditUse.id))) == 1
        assert here.scalar(select(func.sum(CreditGrant.remaining))) == 0
    assert till.owes(buyer) == 49 * 500
    books_are_right()


def test_one_payment_is_refunded_once_by_fifty(buyer: UUID) -> None:
    paid = till.pay(buyer, till.invoice(buyer, 7900))
    ended = fifty(buyer, lambda place: refunds.refund(paid, usd(7900), "asked for", f"r{place}"))
    assert ended == {"done": 1, "Invalid": 49}
    run_all(buyer)
    assert book.charges()[0].refunded == 7900
    books_are_right()


def test_one_refund_sent_fifty_times_moves_once(buyer: UUID) -> None:
    paid = till.pay(buyer, till.invoice(buyer, 7900))
    with transaction(buyer):
        made = refunds.refund(paid, usd(900), "asked for", "r").id
    assert fifty(buyer, lambda _: refunds.send(made)) == {"done": 50}
    assert book.charges()[0].refunded == 900
    books_are_right()


def test_one_line_is_noted_once_by_fifty(buyer: UUID) -> None:
    owed = till.invoice(buyer, 7900, tax="19")
    ended = fifty(
        buyer, lambda place: credit_notes.issue(owed, {1: usd(7900)}, "credit", reason="x", key=f"n{place}")
    )
    assert ended == {"done": 1, "Invalid": 49}
    with transaction(buyer) as here:
        assert here.scalars(select(CreditNote.number)).all() == ["CN-000001"]
    books_are_right()


def test_notes_of_fifty_customers_have_no_gap(shop: object) -> None:
    buyers = [make_tenant(f"B{place}") for place in range(12)]
    owed = [till.invoice(tenant, 1000) for tenant in buyers]

    def work(place: int) -> None:
        for turn in range(3):
            try:
                with transaction(buyers[place]):
                    credit_notes.issue(owed[place], usd(100), "due", reason="x", key=f"n{turn}")
                    if (place + turn) % 3 == 0:
                        raise KeyError("rolled back after the number was taken")
            except KeyError:
                continue

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(12)))
    books_are_right()  # counts each series


def test_any_order_and_number_of_answers_give_the_same_ledger(
    shop: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two payments, a top-up and a refund wait for their answers: whatever comes first, the balances are the same."""
    monkeypatch.setattr(gateways, "gateway", lambda currency, name="": Bound("sandbox_gateway", STUB))  # type: ignore[arg-type]
    seen = set()
    for turn, order in enumerate(permutations(range(4))):
        tenant = make_tenant(f"T{turn}")
        STUB.next = "succeeded"
        with transaction(tenant):
            card = methods.keep("sandbox_gateway", _saved()).id
        early = till.invoice(tenant, 500)
        with transaction(tenant):
            paid = _pay(early, card)
            refund = refunds.refund(paid, usd(200), "x", "r").id
        STUB.next = "pending"
        waiting = []
        for cents in (900, 300):
            owed = till.invoice(tenant, cents)
            with transaction(tenant):
                waiting.append(_pay(owed, card))
        with transaction(tenant):
            waiting.append(accounts.top_up(usd(700), card, "k").id)
        ok, no = PaymentResult(PaymentStatus.SUCCEEDED), PaymentResult(PaymentStatus.DECLINED)
        answers: list[Callable[[], Any]] = [
            lambda ids=waiting, said=no: payments.settle(ids[0], said),
            lambda ids=waiting, said=ok: payments.settle(ids[1], said),
            lambda ids=waiting, said=ok: payments.settle(ids[2], said),
            lambda made=refund, said=ok: refunds.settle(made, said),
        ]
        for place in (*order, *reversed(order)):
            for _ in range(1 + turn % 2):
                with transaction(tenant):
                    answers[place]()
        with transaction(tenant):
            seen.add(tuple(ledger.balance(code, "USD").amount for code in ledger.CHART))
            assert accounts.balance("account", "USD").amount == 0
    assert len(seen) == 1, seen
    books_are_right()


def _saved() -> Any:
    from chom_core.values.billing import SavedMethod

    return SavedMethod(f"card-{uuid7()}", "Visa", "4242", 1, 2099)


def _pay(invoice_id: UUID, card: UUID) -> UUID:
    sellers.lock_profile()
    begun = payments.begin(invoices.locked(invoice_id), methods.method(card), "1")
    return payments.send(begun.id).id
