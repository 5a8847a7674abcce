"""What usage fills in: the lines of use that an invoice of a subscription carries, and the note that they were billed.

`charges(of, until, last)` only reads: it rates what was used up to `until` and is not billed yet, for preview and
invoice alike. `last`: nothing of this item's time follows at these prices (a renewal of the month, a change of plan,
the end). `billed(of, until, invoice_id, last)` notes in the invoice's transaction that the same was billed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from chom_core.billing.models import Subscription
    from chom_core.billing.service.invoicing.rating import Charge

UsageCharges = Callable[["Subscription", datetime, bool], Sequence["Charge"]]
UsageBilled = Callable[["Subscription", datetime, UUID | None, bool], None]


def _none(of: Subscription, until: datetime, last: bool) -> Sequence[Charge]:
    return ()


def _nothing(of: Subscription, until: datetime, invoice_id: UUID | None, last: bool) -> None:
    return None


_charges: UsageCharges = _none
_billed: UsageBilled = _nothing


def register_usage(charges: UsageCharges, billed: UsageBilled) -> None:
    """Fill the seam; usage does so when it is imported."""
    global _charges, _billed
    _charges, _billed = charges, billed


def usage_charges(of: Subscription, until: datetime, *, last: bool = False) -> Sequence[Charge]:
    """The lines of use up to `until` that are not billed yet."""
    return _charges(of, until, last)


def usage_billed(of: Subscription, until: datetime, invoice_id: UUID | None, *, last: bool = False) -> None:
    """They are on this invoice now; None: there were none, and these months are closed."""
    _billed(of, until, invoice_id, last)
