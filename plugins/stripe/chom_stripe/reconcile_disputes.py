"""Our disputes against Stripe's: one that is unknown here, stands otherwise, or whose fee nobody posted is heard again.

Hearing a dispute again is safe: each of its steps and fees is posted once, by its name at Stripe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chom_sdk import Money
from chom_sdk.billing import GatewayDispute
from chom_stripe.differences import Ask, Found
from chom_stripe.keys import Keys, api
from chom_stripe.outcomes import fees_of_dispute, money, plain, spoken, standing
from chom_stripe.webhooks import named

#: How far back a run looks: banks take up to three months to decide.
BACK = timedelta(days=120)
HEAR_AGAIN = "stripe.recheck_dispute"


@dataclass(frozen=True, slots=True)
class TheirDispute:
    """A dispute at Stripe as far as it is compared."""

    reference: str
    tenant_id: UUID
    status: str
    amount: Money
    fees: Mapping[str, Money]


def ask(keys: Keys, since: datetime, until: datetime) -> list[TheirDispute]:
    """Those of the window that took money and are of CHOM's payments."""
    created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
    asked: Any = {"created": created, "limit": 100, "expand": ["data.payment_intent"]}
    with spoken():
        every = api(keys).disputes.list(asked).auto_paging_iter()
        return [found for one in every if (found := _theirs(one)) is not None]


def _theirs(dispute: Any) -> TheirDispute | None:
    tenant = named(plain(getattr(dispute.payment_intent, "metadata", None)).get("chom_tenant"))
    if tenant is None or dispute.status.startswith("warning_"):
        return None
    fees = {fee.reference: fee.amount for fee in fees_of_dispute(dispute)}
    amount = money(dispute.amount, dispute.currency)
    return TheirDispute(dispute.id, tenant, standing(dispute.status), amount, fees)


def compare(ours: Iterable[GatewayDispute], theirs: Sequence[TheirDispute]) -> Iterator[Found]:
    """Every difference between two lists of disputes. Pure."""
    mine = {(one.tenant_id, one.reference): one for one in ours}
    for one in theirs:
        subject = f"{one.tenant_id}/{one.reference}"
        again = Ask(HEAR_AGAIN, {"reference": one.reference}, one.tenant_id)
        known = mine.get((one.tenant_id, one.reference))
        if known is None:
            words = f"{one.status} {one.amount.format()}"
            yield Found("dispute", subject, "nothing", words, "asked Stripe again", again)
            continue
        if known.status != one.status:
            yield Found("dispute", subject, known.status, one.status, "asked Stripe again", again)
        if known.fees != one.fees:
            # what was posted with another amount stays, and is for a person
            lacks = one.fees.keys() - known.fees.keys()
            repair = ("posted now", again) if lacks else ("", None)
            yield Found("dispute_fee", subject, _words(known.fees), _words(one.fees), *repair)


def _words(fees: Mapping[str, Money]) -> str:
    return ", ".join(fee.format() for _name, fee in sorted(fees.items())) or "nothing"
