"""What a month billed too much, since events were corrected after their bill: a credit note gives it back.

The next bill takes it off where it charges as much for use; nobody waits for that, or loses what no bill can bear.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import Invoice, Subscription, UsageClosing
from chom_core.billing.rules.rounding import scaled
from chom_core.billing.service.invoicing import credit_notes, invoices, sellers
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import closing
from chom_core.billing.service.usage import rating as usage_rating
from chom_core.billing.service.usage.rating import TAIL, UsageLine
from chom_core.database import clock, restart, session
from chom_core.values.errors import Conflict
from chom_core.values.money import Money

_MONTH = timedelta(days=31)


def give_back() -> int:
    """Credit what closed months billed too much in the current organisation; returns for how many lines of use.

    Again: nothing happens. An invoice whose payment is on its way waits for the next run.
    """
    made = 0
    for subscription_id in _billed_lately():
        sellers.lock_profile()
        of = subscriptions.subscription(subscription_id, lock=True)
        for line in usage_rating.lines(of, clock.now()):
            if line.late and line.rated.amount.amount < 0:
                made += _back(of, line)
        restart()
    return made


def _billed_lately() -> list[UUID]:
    query = select(UsageClosing.subscription_id).where(
        UsageClosing.amount > 0, UsageClosing.period_end > clock.now() - TAIL - _MONTH
    )
    return list(session().scalars(query.distinct()))


def _back(of: Subscription, line: UsageLine) -> bool:
    """Newest bill first. What staff gave back of a line already is not given twice."""
    wanted = given = -line.rated.amount
    try:
        with session().begin_nested():
            for invoice_id in _invoices(of, line):
                wanted = wanted - _note(invoice_id, line, wanted)
    except Conflict:
        return False
    closing.returned(line, given - wanted)
    return given != wanted


def _invoices(of: Subscription, line: UsageLine) -> list[UUID]:
    query = (
        select(Invoice.id)
        .join(UsageClosing, UsageClosing.invoice_id == Invoice.id)
        .where(
            UsageClosing.subscription_id == of.id, UsageClosing.meter == line.name, UsageClosing.amount > 0,
            UsageClosing.period_start == line.month.start, Invoice.status.not_in(("draft", "void")),
        )
    )  # fmt: skip
    return list(session().scalars(query.distinct().order_by(Invoice.id.desc())))


def _note(invoice_id: UUID, line: UsageLine, wanted: Money) -> Money:
    """Take back up to `wanted` of the line as it was priced; a coupon's share of it was never paid."""
    invoice, start = invoices.locked(invoice_id), line.month.start.isoformat()
    for one in invoice.lines:
        if one.source != f"usage:{line.name}" or one.details.get("start") != start or one.amount <= 0:
            continue
        part = min(wanted, Money(one.amount, one.currency))
        left = {free.line.id: free.net for free in credit_notes.creditable(invoice)}
        net = scaled(part, Fraction(one.amount - one.discount, one.amount))
        back = min(net, left.get(one.id, Money.zero(one.currency)))
        if back:
            credit_notes.issue(
                invoice_id, {one.position: back}, "credit", reason="Use was corrected after it was billed",
                key=f"usage:{line.of.id}:{line.name}:{start}:{line.number}:{invoice_id}",
            )  # fmt: skip
        return part
    return Money.zero(wanted.currency)
