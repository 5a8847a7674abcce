"""Which sales of a reseller's customers may have changed since they were last looked at: those of which the ledger
holds a transaction since. Every payment, use of credit, credit note, refund and void posts one.

Ids are made in the order of time (UUIDv7), so that one stretch of the ledger's key answers for all customers, however
long the last look is ago. What was on its way while it ran is committed after it with an older id: so each look begins
an hour before the last one, and passes over what that had seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from chom_core.billing.models import Settlement
from chom_core.database import clock, current, transaction

#: Longer than any unit of work may take.
_ON_ITS_WAY = timedelta(hours=1)
_POSTED = text("""
select l.id, i.id as invoice_id, i.tenant_id
from core.ledger_transaction l
join core.tenant t on t.id = l.tenant_id and t.parent_id = :reseller and t.kind = 'customer'
left join core.credit_note n on n.id = case when l.source like 'credit_note:%' then substr(l.source, 13)::uuid end
left join core.refund r on r.id = case when l.source like 'refund:%' then substr(l.source, 8)::uuid end
left join core.payment p on p.id = r.payment_id
left join core.invoice i on i.number is not null and i.subtotal > 0 and i.id = coalesce(
  case when l.source like 'invoice:%' then substr(l.source, 9)::uuid end, n.invoice_id, p.invoice_id)
where l.id >= :after
""")
_ALL = text("""
select i.tenant_id, i.id as invoice_id from core.invoice i
join core.tenant t on t.id = i.tenant_id and t.parent_id = :reseller and t.kind = 'customer'
where i.number is not null and i.subtotal > 0
""")


class Look(Struct, frozen=True):
    """The sales to look at, as (customer, invoice) in a stable order; and what `Settlement.looked` is to say then."""

    sales: list[tuple[UUID, UUID]]
    looked: dict[str, Any]


def sales(of: Settlement) -> Look:
    """What may have changed since `of.looked`; where that says nothing every sale, also of customers that left."""
    following = _first_id(clock.machine() - _ON_ITS_WAY)
    after = UUID(of.looked["after"]) if of.looked else following
    known = {UUID(one) for one in of.looked.get("seen", ())}
    # As staff: a reseller does not see its customers' books. Before the sales are read, so that nothing falls between.
    with transaction(of.tenant_id, current().principal, _everyone=True) as there:
        posted = there.execute(_POSTED, {"reseller": of.tenant_id, "after": after}).all()
        if of.looked:
            fresh = [row for row in posted if row.id not in known and row.invoice_id is not None]
        else:
            fresh = list(there.execute(_ALL, {"reseller": of.tenant_id}).all())
    seen = sorted(str(row.id) for row in posted if row.id >= following)
    found = sorted({(row.tenant_id, row.invoice_id) for row in fresh})
    return Look(found, {"after": str(following), "seen": seen})


def _first_id(at: datetime) -> UUID:
    """No id that was made at `at` or later is less."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
