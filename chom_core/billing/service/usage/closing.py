"""Closing months: the lines that go on an invoice, and the note that they are on it.

Fills billing's seam (`seams.register_usage`): whoever drafts an invoice of a subscription asks for the lines and says
afterwards that they are billed. The note is written from the invoice's own lines, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import InvoiceLine, Plan, Subscription, UsageClosing
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import rating as usage_rating
from chom_core.billing.service.usage import seams, tariffs, words
from chom_core.billing.service.usage.rating import MONTH, Kept, UsageLine
from chom_core.database import clock, session
from chom_core.values.money import Money
from chom_core.values.period import Period


def usage_charges(of: Subscription, period: Period, *, interim: bool = False) -> list[Charge]:
    """The lines of use up to the end of `period` that are not billed yet; those that come to nothing are left out.

    `interim`: also the month that is not over, so far: an invoice at a threshold of spend.
    """
    return _charges(usage_rating.lines(of, period.end, interim=interim))


def estimate(of: Subscription, plan: Plan | None = None) -> list[UsageLine]:
    """What use would add to the next invoice if it were made now, the current month so far included.

    With `plan`: the current month alone, by that plan's prices of today, for advice.
    """
    now = clock.now()
    if plan is None:
        return usage_rating.lines(of, now, interim=True)
    quantity = of.items[0].quantity if of.items else 1
    return usage_rating.by_other_prices(of, now, tariffs.tariffs_of_plan(plan, of.currency, quantity))


def spent(of: Subscription) -> Money:
    """What use has cost and is not billed yet: what a projected balance takes off."""
    return sum((line.amount for line in estimate(of)), start=Money.zero(of.currency))


def close(
    of: Subscription, until: datetime, invoice_id: UUID | None, *, last: bool = False
) -> list[UsageClosing]:
    """Note that the months up to `until` are rated, and billed by this invoice where it carries their lines.

    Again for the same months: nothing is written and nothing billed.
    """
    last = _ends(of, until, last)
    on_invoice = _on(invoice_id, of)
    carried = {(found["meter"], found["start"]) for found in on_invoice}
    rest = [
        _unbilled(line)
        for line in usage_rating.lines(of, until, last=last)
        if line.fresh and (line.name, line.month.start.isoformat()) not in carried
    ]
    kept = Kept.read(of)
    months = [
        {"meter": MONTH, "start": month.start.isoformat(), "end": month.end.isoformat(), "amount": 0, "events": 0,
         "number": len(kept.rows.get((MONTH, month.start), [])) + 1, "quantity": "0", "terms": {}, "interim": False}
        for month, _over in usage_rating.open_months(of, kept, until, last=last)
    ]  # fmt: skip
    made = [_row(of, found, invoice_id) for found in [*on_invoice, *rest, *months]]
    session().flush()
    return made


def install() -> None:
    """Fill the seam; billing does so when it is imported."""

    def charges(of: Subscription, until: datetime, last: bool) -> Sequence[Charge]:
        return _charges(usage_rating.lines(of, until, last=_ends(of, until, last)))

    def billed(of: Subscription, until: datetime, invoice_id: UUID | None, last: bool) -> None:
        close(of, until, invoice_id, last=last)

    seams.register_usage(charges, billed)


def _charges(found: Iterable[UsageLine]) -> list[Charge]:
    return [words.charge(line) for line in found if line.amount]


def _on(invoice_id: UUID | None, of: Subscription) -> list[dict[str, Any]]:
    """The lines of use that the invoice carries and that were not noted yet."""
    if invoice_id is None:
        return []
    noted = select(UsageClosing.id).where(
        UsageClosing.invoice_id == invoice_id, UsageClosing.subscription_id == of.id
    )
    if session().scalar(noted.limit(1)) is not None:
        return []
    query = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice_id, InvoiceLine.kind == "usage")
    return [
        dict(line.details) | {"amount": line.amount}
        for line in session().scalars(query)
        if line.details.get("subscription") == str(of.id)
    ]


def _unbilled(line: UsageLine) -> dict[str, Any]:
    """What is not on the invoice comes to nothing; or it came after the draft, and is noted as not rated yet, so that
    the next invoice finds it."""
    found = words.details(line) | {"amount": 0}
    return found | {"quantity": "0", "events": 0} if line.amount else found


def _row(of: Subscription, found: dict[str, Any], invoice_id: UUID | None) -> UsageClosing:
    row = UsageClosing(
        tenant_id=of.tenant_id, subscription_id=of.id, meter=found["meter"],
        period_start=datetime.fromisoformat(found["start"]), period_end=datetime.fromisoformat(found["end"]),
        number=found["number"], quantity=Decimal(found["quantity"]), events=found["events"], amount=found["amount"],
        currency=of.currency, terms=found["terms"], interim=found["interim"], invoice_id=invoice_id,
    )  # fmt: skip
    session().add(row)
    return row


def _ends(of: Subscription, until: datetime, last: bool) -> bool:
    """Is this the end of the month of use? A change of plan is none, and its month goes on under the new plan, unless
    the plan that is left says "close": then what was used so far is billed at its prices."""
    over = of.status in ("cancelled", "paused") or of.ended_at is not None
    plan = session().get_one(Plan, subscriptions.main_item(of).plan_id)
    return last and (
        over or plan.usage_on_change == "close" or (of.cancel_at is not None and of.cancel_at <= until)
    )
