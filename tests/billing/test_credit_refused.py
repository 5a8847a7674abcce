"""What money refuses: bad input, keys with other facts, and rewriting what happened. Nothing is written then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from chom_sandbox_gateway import book
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from chom_core.billing.models import CreditGrant, CreditNote, CreditUse, LedgerTransaction, Payment, Refund
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.invoicing import credit_notes, voiding, writing_off
from chom_core.billing.service.paying import refunds
from chom_core.database import transaction
from chom_core.values import Conflict, Invalid, Money, NotFound, uuid7
from tests.billing import till
from tests.billing.shop import books_are_right
from tests.conftest import make_tenant


def usd(cents: int) -> Money:
    return Money(cents, "USD")


#: Each is a verb that must be refused, and write nothing. `f` has the ids of a customer with an invoice that is paid.
BAD: dict[str, tuple[type[Exception], Callable[[dict[str, UUID]], Any]]] = {
    "negative top-up": (Invalid, lambda f: accounts.top_up(usd(-1), f["card"], "k")),
    "top-up of nothing": (Invalid, lambda f: accounts.top_up(usd(0), f["card"], "k")),
    "float": (Invalid, lambda f: accounts.top_up(5.0, f["card"], "k")),  # type: ignore[arg-type]
    "NaN": (Invalid, lambda f: accounts.credits(Decimal("NaN"), "USD")),
    "huge": (Invalid, lambda f: accounts.top_up(usd(2**63), f["card"], "k")),
    "other currency": (Invalid, lambda f: accounts.top_up(Money(500, "EUR"), f["card"], "k")),
    "no key": (Invalid, lambda f: accounts.top_up(usd(5), f["card"], " ")),
    "long key": (Invalid, lambda f: accounts.top_up(usd(5), f["card"], "k" * 300)),
    "a stranger's card": (NotFound, lambda f: accounts.top_up(usd(5), f["their card"], "k")),
    "negative grant": (Invalid, lambda f: accounts.grant_account_credit(usd(-5), "k", "x")),
    "grant without a reason": (Invalid, lambda f: accounts.grant_account_credit(usd(5), "k", "")),
    "grant with a null byte": (Invalid, lambda f: accounts.grant_account_credit(usd(5), "k", "a\x00b")),
    "long reason": (Invalid, lambda f: accounts.grant_account_credit(usd(5), "k", "x" * 5000)),
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
    "write-off of what is paid": (Conflict, lambda f: writing_off.write_off(f["invoice"], "x")),
    "write-off without a reason": (Invalid, lambda f: writing_off.write_off(f["invoice"], " ")),
    "revoking a stranger's credit": (NotFound, lambda f: accounts.revoke(f["their grant"], "x")),
}  # fmt: skip


def promotional(expires_at: datetime) -> CreditGrant:
    return accounts.grant_promotional_credit(usd(5), "k", "x", expires_at)


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
        grant = accounts.grant_promotional_credit(usd(5), "k", "x").id
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
    "top-up": (lambda f: accounts.top_up(usd(5), f["card"], "t"), lambda f: accounts.top_up(usd(6), f["card"], "t")),
    "grant": (
        lambda f: accounts.grant_account_credit(usd(5), "g", "x"),
        lambda f: accounts.grant_promotional_credit(usd(5), "g", "x"),
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
        accounts.grant_promotional_credit(usd(500), "p", "x")
    paid = till.pay(buyer, owed := till.invoice(buyer, 1000))
    with transaction(buyer):
        note(owed, usd(5))
        refunds.refund(paid, usd(5), "x", "r")
    with pytest.raises(DBAPIError), transaction(buyer) as here:
        here.execute(text(change))
    books_are_right()
