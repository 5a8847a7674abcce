"""What usage fills in: the lines of use that an invoice of a subscription carries, and the note that they were billed.

`use_of(of, until, last)` only reads: it rates what was used up to `until` and is not billed yet, for preview and
invoice alike. `last`: nothing of this item's time follows at these prices (a renewal of the month, a change of plan,
the end). Whoever drafts and closes in one transaction rates once: `found = use_of(…)`, `found.charges`,
`found.billed(invoice_id)`. Where the draft waits for a payment, `usage_charges` comes first and `usage_billed` later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from chom_core.billing.models import Subscription
    from chom_core.billing.service.invoicing.rating import Charge


class Use(Protocol):
    """What was used up to an instant, rated once."""

    @property
    def charges(self) -> Sequence[Charge]:
        """The lines that are not billed yet."""

    def billed(self, invoice_id: UUID | None) -> Sequence[object]:
        """They are on this invoice now; None: there were none, and these months are closed. Answers the notes."""


class _Nothing:
    charges: Sequence[Charge] = ()

    def billed(self, invoice_id: UUID | None) -> Sequence[object]:
        return ()


Rate = Callable[["Subscription", datetime, bool, bool], Use]


def _nothing(of: Subscription, until: datetime, last: bool, alone: bool) -> Use:
    return _Nothing()


_rate: Rate = _nothing


def register_usage(rate: Rate) -> None:
    """Fill the seam; usage does so when it is imported."""
    global _rate
    _rate = rate


def use_of(of: Subscription, until: datetime, *, last: bool = False, alone: bool = False) -> Use:
    """What was used up to `until`, rated now. `alone`: the organisation never had another subscription."""
    return _rate(of, until, last, alone)


def usage_charges(of: Subscription, until: datetime, *, last: bool = False) -> Sequence[Charge]:
    """The lines of use up to `until` that are not billed yet."""
    return use_of(of, until, last=last).charges


def usage_billed(of: Subscription, until: datetime, invoice_id: UUID | None, *, last: bool = False) -> None:
    """They are on this invoice now, by what is known by now; None: there were none, and these months are closed."""
    use_of(of, until, last=last).billed(invoice_id)
