"""Credit: in which order it pays, how much of it, and what is due then. Applied to rounded totals, after tax.

Order: promotional before account credit (what expires and is never cash goes first), then priority, the sooner to
expire, the older. Credit never makes a total negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from chom_core.values.money import Money

_NEVER = datetime.max.replace(tzinfo=UTC)
_ALWAYS = datetime.min.replace(tzinfo=UTC)


class CreditKind(StrEnum):
    """Promotional: granted, expires, never cash. Account: paid in or given back, refundable."""

    PROMOTIONAL = "promotional"
    ACCOUNT = "account"


class Credit(Struct, frozen=True):
    """A pot of credit: `left` (≥ 0) is in it. `only`: kinds of lines it may pay; empty: all. Lower `priority` first."""

    key: str
    left: Money
    kind: CreditKind = CreditKind.ACCOUNT
    priority: int = 50
    granted_at: datetime | None = None
    expires_at: datetime | None = None
    only: frozenset[str] = frozenset()


class Owed(Struct, frozen=True):
    """A part of an invoice's total, with its tax, and the kind of its lines."""

    amount: Money
    kind: str = ""


class Used(Struct, frozen=True):
    """What one pot pays, above zero."""

    key: str
    amount: Money


class Use(Struct, frozen=True):
    """What the pots pay, in order, and what is still due."""

    used: tuple[Used, ...]
    due: Money

    def of(self, key: str) -> Money:
        """What the pot `key` pays; zero where nothing."""
        zero = Money.zero(self.due.currency)
        return sum((one.amount for one in self.used if one.key == key), start=zero)


def in_order(credits: Sequence[Credit]) -> list[Credit]:
    """Pots in the order in which they pay; equals as they were given."""
    return sorted(
        credits,
        key=lambda one: (
            one.kind is not CreditKind.PROMOTIONAL,
            one.priority,
            one.expires_at or _NEVER,
            one.granted_at or _ALWAYS,
        ),
    )


def use(owed: Money | Sequence[Owed], credits: Sequence[Credit], at: datetime | None = None) -> Use:
    """Pay what is `owed` (a rounded total, or its parts by kind; at least one) from credit, as far as it goes.

    Pots of another currency, empty ones and, with `at`, expired ones pay nothing. A pot for everything pays first what
    no narrower pot after it can.
    """
    parts = [Owed(owed)] if isinstance(owed, Money) else list(owed)
    currency = parts[0].amount.currency
    left = [max(part.amount, Money.zero(currency)) for part in parts]
    due = max(sum((part.amount for part in parts), start=Money.zero(currency)), Money.zero(currency))
    pots = [pot for pot in in_order(credits) if _pays(pot, currency, at)]
    used: list[Used] = []
    for place, pot in enumerate(pots):
        wanted = [n for n, part in enumerate(parts) if not pot.only or part.kind in pot.only]
        wanted.sort(key=lambda n: sum(parts[n].kind in later.only for later in pots[place + 1 :]))
        paid = Money.zero(currency)
        for n in wanted:
            some = min(left[n], pot.left - paid, due - paid)
            left[n], paid = left[n] - some, paid + some
        due = due - paid
        if paid:
            used.append(Used(pot.key, paid))
    return Use(tuple(used), due)


def _pays(pot: Credit, currency: str, at: datetime | None) -> bool:
    fresh = at is None or pot.expires_at is None or at < pot.expires_at
    return pot.left.currency == currency and pot.left.amount > 0 and fresh


def projected(settled: Money, drafts: Sequence[Money], usage: Money) -> Money:
    """What credit will be left when drafts are final and the usage so far is billed; may fall below zero.

    Drafts and usage move no money: `settled` is what is there.
    """
    return settled - sum(drafts, start=Money.zero(settled.currency)) - usage


def top_up(
    balance: Money,
    threshold: Money,
    amount: Money,
    *,
    pending: bool = False,
    least: Money | None = None,
    most: Money | None = None,
) -> Money | None:
    """What an automatic top-up charges now, None for nothing: where the balance is at or below the threshold.

    None as well while one is `pending`, so that a job which runs twice charges once. `least`, `most` bound the sum.
    """
    if pending or balance > threshold or amount.amount <= 0:
        return None
    if least is not None and amount < least:
        return least
    return most if most is not None and amount > most else amount
