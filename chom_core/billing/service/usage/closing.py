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

from msgspec import Struct
from msgspec.structs import replace

from chom_core.billing.models import Invoice, Plan, Subscription, UsageClosing
from chom_core.billing.service.invoicing.rating import Charge
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import rating as usage_rating
from chom_core.billing.service.usage import seams, tariffs, words
from chom_core.billing.service.usage.rating import MONTH, Rating, UsageLine
from chom_core.database import clock, session
from chom_core.values.money import Money
from chom_core.values.period import Period


def usage_charges(of: Subscription, period: Period, *, interim: bool = False) -> list[Charge]:
    """The lines of use up to the end of `period` that are not billed yet; those that come to nothing are left out.

    `interim`: also the month that is not over, so far: an invoice at a threshold of spend.
    """
    return _charges(usage_rating.lines(of, period.end, interim=interim))


def estimate(of: Subscription, plan: Plan | None = None) -> Sequence[UsageLine]:
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


class Rated(Struct, frozen=True):
    """A rating that an invoice is made of: its charges, and the note that they are billed."""

    of: Subscription
    rating: Rating

    @property
    def charges(self) -> list[Charge]:
        return _charges(self.rating.lines)

    def billed(self, invoice_id: UUID | None) -> list[UsageClosing]:
        """Note that these months are rated, and billed by this invoice where it carries their lines."""
        on_invoice = self._on(invoice_id)
        carried = {(found["meter"], found["start"]) for found in on_invoice}
        rest = [
            _unbilled(line)
            for line in self.rating.lines
            if line.fresh and (line.name, line.month.start.isoformat()) not in carried
        ]
        rows = self.rating.kept.rows
        months = [
            {"meter": MONTH, "start": month.start.isoformat(), "end": month.end.isoformat(), "amount": 0,
             "events": 0, "number": len(rows.get((MONTH, month.start), [])) + 1, "quantity": "0", "terms": {},
             "interim": False}
            for month, _over in self.rating.months
        ]  # fmt: skip
        made = [_row(self.of, found, invoice_id) for found in [*on_invoice, *rest, *months]]
        session().flush()
        return made

    def _on(self, invoice_id: UUID | None) -> list[dict[str, Any]]:
        """The lines of use that the invoice carries and that were not noted yet."""
        known = (row.invoice_id for rows in self.rating.kept.rows.values() for row in rows)
        if invoice_id is None or invoice_id in known:
            return []
        return [
            dict(line.details) | {"amount": line.amount}
            for line in session().get_one(Invoice, invoice_id).lines
            if line.kind == "usage" and line.details.get("subscription") == str(self.of.id)
        ]


def close(
    of: Subscription, until: datetime, invoice_id: UUID | None, *, last: bool = False
) -> list[UsageClosing]:
    """Note that the months up to `until` are rated, and billed by this invoice where it carries their lines.

    Again for the same months: nothing is written and nothing billed.
    """
    return _rate(of, until, last, False).billed(invoice_id)


def settled(of: Subscription, until: datetime) -> Rated:
    """What came late for the closed months of a subscription that has no next bill; the last of them ends at `until`.

    `billed` closes that month once more, and for good: no event is taken for it any longer.
    """
    found = usage_rating.rate(of, until)
    last = next(month for month in found.kept.months.values() if month.end == until)
    return Rated(of, replace(found, months=[(last, True)]))


def returned(line: UsageLine, amount: Money) -> UsageClosing:
    """Note that a credit note gave `amount` (≥ 0) of a closed month back: it is billed for as much less."""
    made = _row(line.of, words.details(line) | {"amount": -amount.amount}, None)
    session().flush()
    return made


def install() -> None:
    """Fill the seam; billing does so when it is imported."""
    seams.register_usage(_rate)


def _rate(of: Subscription, until: datetime, last: bool, alone: bool) -> Rated:
    return Rated(of, usage_rating.rate(of, until, last=_ends(of, until, last), alone=alone))


def _charges(found: Iterable[UsageLine]) -> list[Charge]:
    return [words.charge(line) for line in found if line.amount]


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
    return last and (
        over
        or catalogue.plan_of(subscriptions.main_item(of)).usage_on_change == "close"
        or (of.cancel_at is not None and of.cancel_at <= until)
    )
