"""Fifty at once: one credit, one top-up, one refund, one credit note. Exactly one wins. And bad input, and races."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from chom_core.billing import ledger
from chom_core.billing.models import CreditGrant, CreditNote, CreditUse, LedgerTransaction, Payment, Refund
from chom_core.billing.service import (
    credit,
    credit_notes,
    gateways,
    invoices,
    methods,
    payments,
    refunds,
    sellers,
    voiding,
)
from chom_core.billing.service.gateways import Bound
from chom_core.database import Tenant, clock, transaction
from chom_core.values import Conflict, Invalid, Money, NotFound, uuid7
from chom_core.values.billing import PaymentResult, PaymentStatus
from chom_core.values.errors import ChomError
from chom_core.work import run_all
from tests.billing import till
from tests.billing.shop import books_are_right, events
from tests.billing.test_machine import STUB
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
    assert fifty(buyer, lambda _: credit.top_up(usd(5000), method, "press")) == {"done": 50}
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


#: Each is a verb that must be refused, and write nothing. `f` has the ids of a customer with an invoice that is paid.
BAD: dict[str, tuple[type[Exception], Callable[[dict[str, UUID]], Any]]] = {
    "negative top-up": (Invalid, lambda f: credit.top_up(usd(-1), f["card"], "k")),
    "top-up of nothing": (Invalid, lambda f: credit.top_up(usd(0), f["card"], "k")),
    "float": (Invalid, lambda f: credit.top_up(5.0, f["card"], "k")),  # type: ignore[arg-type]
    "NaN": (Invalid, lambda f: credit.credits(Decimal("NaN"), "USD")),
    "huge": (Invalid, lambda f: credit.top_up(usd(2**63), f["card"], "k")),
    "other currency": (Invalid, lambda f: credit.top_up(Money(500, "EUR"), f["card"], "k")),
    "no key": (Invalid, lambda f: credit.top_up(usd(5), f["card"], " ")),
    "long key": (Invalid, lambda f: credit.top_up(usd(5), f["card"], "k" * 300)),
    "a stranger's card": (NotFound, lambda f: credit.top_up(usd(5), f["their card"], "k")),
    "negative grant": (Invalid, lambda f: credit.grant_account_credit(usd(-5), "k", "x")),
    "grant without a reason": (Invalid, lambda f: credit.grant_account_credit(usd(5), "k", "")),
    "grant with a null byte": (Invalid, lambda f: credit.grant_account_credit(usd(5), "k", "a\x00b")),
    "long reason": (Invalid, lambda f: credit.grant_account_credit(usd(5), "k", "x" * 5000)),
    "year 9999": (Invalid, lambda f: promotional(datetime(9999, 1, 1, tzinfo=UTC))),
    "expired before": (Invalid, lambda f: promotional(datetime(2020, 1, 1, tzinfo=UTC))),
    "naive time": (Invalid, lambda f: promotional(datetime(2027, 1, 1))),  # noqa: DTZ001
    "note above the total": (Invalid, lambda f: note(f["invoice"], usd(1191))),
    "note above the line": (Invalid, lambda f: note(f["invoice"], {1: usd(1001)})),
    "note of no line": (Invalid, lambda f: note(f["invoice"], {2: usd(1)})),
    "note of a negative line": (Invalid, lambda f: note(f["invoice"], {1: usd(-1)})),
    "note in euro": (Invalid, lambda f: note(f["invoice"], Money(5, "EUR"))),
    "note on what is paid, against what is due": (Invalid, lambda f: note(f["invoice"], usd(5), "due")),
    "note settled by magic": (Invalid, lambda f: note(f["invoice"], usd(5), "magic")),
    "note on a stranger's invoice": (NotFound, lambda f: note(f["their invoice"], usd(5))),
    "note on nothing": (NotFound, lambda f: note(uuid7(), usd(5))),
    "note on a draft": (Conflict, lambda f: note(f["draft"], usd(5))),
    "refund above the payment": (Invalid, lambda f: refunds.refund(f["payment"], usd(1191), "x", "k")),
    "refund in euro": (Invalid, lambda f: refunds.refund(f["payment"], Money(5, "EUR"), "x", "k")),
    "refund of a stranger's payment": (NotFound, lambda f: refunds.refund(f["their payment"], usd(5), "x", "k")),
    "void of a stranger's invoice": (NotFound, lambda f: voiding.void(f["their invoice"])),
    "write-off of what is paid": (Conflict, lambda f: invoices.write_off(f["invoice"], "x")),
    "write-off without a reason": (Invalid, lambda f: invoices.write_off(f["invoice"], " ")),
    "revoking a stranger's credit": (NotFound, lambda f: credit.revoke(f["their grant"], "x")),
}  # fmt: skip


def promotional(expires_at: datetime) -> CreditGrant:
    return credit.grant_promotional_credit(usd(5), "k", "x", expires_at)


def note(invoice_id: UUID, what: Any, settle: Any = "credit") -> CreditNote:
    return credit_notes.issue(invoice_id, what, settle, reason="x", key="k")


def written(tenant: UUID) -> tuple[int, ...]:
    with transaction(tenant) as here:
        tables = (LedgerTransaction, CreditGrant, CreditUse, CreditNote, Refund, Payment)
        return tuple(here.scalar(select(func.count(table.id))) or 0 for table in tables)


def test_bad_input_is_refused_and_writes_nothing(buyer: UUID) -> None:
    """One database for all: what is refused leaves it as it was."""
    other = make_tenant("Other")
    with transaction(other):
        grant = credit.grant_promotional_credit(usd(5), "k", "x").id
    theirs = till.invoice(other, 1000)
    found = {"invoice": till.invoice(buyer, 1000, tax="19"), "their invoice": theirs, "their grant": grant}
    found |= {"payment": till.pay(buyer, found["invoice"]), "their payment": till.pay(other, theirs)}
    found |= {"card": till.card(buyer), "their card": till.card(other)}
    with transaction(buyer):
        found["draft"] = till.drafted(100).id
    before, charges = written(buyer), len(book.charges())
    for name, (kind, verb) in BAD.items():
        with pytest.raises(kind), transaction(buyer):
            verb(found)
        assert written(buyer) == before, name
    assert len(book.charges()) == charges
    books_are_right()


REPLAYS: dict[str, tuple[Callable[[dict[str, UUID]], Any], Callable[[dict[str, UUID]], Any]]] = {
    "top-up": (lambda f: credit.top_up(usd(5), f["card"], "t"), lambda f: credit.top_up(usd(6), f["card"], "t")),
    "grant": (
        lambda f: credit.grant_account_credit(usd(5), "g", "x"),
        lambda f: credit.grant_promotional_credit(usd(5), "g", "x"),
    ),
    "note": (lambda f: note(f["invoice"], usd(5)), lambda f: note(f["invoice"], usd(5), "refund")),
    "refund": (
        lambda f: refunds.refund(f["payment"], usd(5), "x", "r"),
        lambda f: refunds.refund(f["payment"], usd(4), "x", "r"),
    ),
}  # fmt: skip


def test_a_key_with_other_facts_is_a_conflict_and_with_the_same_nothing_new(buyer: UUID) -> None:
    invoice_id = till.invoice(buyer, 1000)
    found = {"invoice": invoice_id, "payment": till.pay(buyer, invoice_id), "card": till.card(buyer)}
    for name, (first, other) in REPLAYS.items():
        with transaction(buyer):
            made = first(found).id
        before = written(buyer)
        with transaction(buyer):
            assert first(found).id == made, name
        with pytest.raises(Conflict), transaction(buyer):
            other(found)
        assert written(buyer) == before, name
    books_are_right()


def test_promotional_credit_expires_once_and_is_never_cash(buyer: UUID) -> None:
    with transaction(buyer):
        credit.grant_promotional_credit(usd(900), "p", "welcome", clock.now() + timedelta(days=5))
    assert till.look(buyer, till.invoice(buyer, 100)).status == "paid"
    with transaction() as here:
        row = here.get_one(Tenant, buyer)
        row.clock_at, row.generation = datetime.now(UTC) + timedelta(days=6), row.generation + 1
    assert till.left(buyer, "promotional") == 0
    assert till.due(buyer, till.invoice(buyer, 100)) == 100
    with transaction(buyer):
        assert (credit.expire_due(), credit.expire_due()) == (1, 0)
    assert "credit.expired" in events(buyer)
    assert till.owes(buyer) == 100
    books_are_right()


def test_what_promotional_credit_paid_comes_back_as_promotional_credit(buyer: UUID) -> None:
    with transaction(buyer):
        credit.grant_promotional_credit(usd(300), "p", "welcome")
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
            invoices.write_off(owed, "gone")
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
        lambda: invoices.write_off(owed, "x"),
    ):
        with pytest.raises(Conflict), transaction(buyer):
            verb()
    with transaction(buyer) as here:
        here.execute(
            text("update core.invoice set amount_credited = 400")
        )  # as if credit had been used meanwhile
        grant = credit.grant_promotional_credit(usd(400), "p", "x")
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
            waiting.append(credit.top_up(usd(700), card, "k").id)
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
            assert credit.balance("account", "USD").amount == 0
    assert len(seen) == 1, seen
    books_are_right()


def _saved() -> Any:
    from chom_core.values.billing import SavedMethod

    return SavedMethod(f"card-{uuid7()}", "Visa", "4242", 1, 2099)


def _pay(invoice_id: UUID, card: UUID) -> UUID:
    sellers.lock_profile()
    begun = payments.begin(invoices.locked(invoice_id), methods.method(card), "1")
    return payments.send(begun.id).id


@pytest.mark.parametrize(
    "change",
    [
        "update core.credit_grant set amount = amount + 1", "update core.credit_grant set kind = 'account'",
        "update core.credit_grant set remaining = amount + 1",
        "update core.payment set amount = amount - 1 where status = 'succeeded'",
        "update core.payment set amount_refunded = amount + 1 where status = 'succeeded'",
        "update core.payment set status = 'declined' where status = 'succeeded'",
        "update core.refund set amount = amount + 1, reopened = reopened + 1",
        "update core.invoice set series = 'x'",
        "update core.credit_note set total = 1", "delete from core.credit_use", "delete from core.credit_note_line",
    ],
)  # fmt: skip
def test_the_database_itself_refuses_to_rewrite_money(buyer: UUID, change: str) -> None:
    with transaction(buyer):
        credit.grant_promotional_credit(usd(500), "p", "x")
    paid = till.pay(buyer, owed := till.invoice(buyer, 1000))
    with transaction(buyer):
        note(owed, usd(5))
        refunds.refund(paid, usd(5), "x", "r")
    with pytest.raises(DBAPIError), transaction(buyer) as here:
        here.execute(text(change))
    books_are_right()
