# ruff: noqa: S608 (statements are put together from constants)
"""Which sales and payments of a reseller's customers may have changed since they were last looked at: those of which
the ledger holds a transaction since. Every payment, use of credit, credit note, refund, dispute and void posts one.

Ids are made in the order of time (UUIDv7), so that one stretch of the ledger's key answers for all customers, however
long the last look is ago. What was on its way while it ran is committed after it with an older id: so each look begins
an hour before the last one, and passes over what that had seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select, text

from chom_core.billing.models import Looked
from chom_core.database import afresh, clock, current, here, session, transaction
from chom_core.values.ids import uuid7

Purpose = Literal["share", "collected"]
#: Longer than any unit of work may take.
_ON_ITS_WAY = timedelta(hours=1)
_CUSTOMERS = "join core.tenant t on t.id = {of}.tenant_id and t.parent_id = :reseller and t.kind = 'customer'"
_REFUND = (
    "left join core.refund r on r.id = case when l.source like 'refund:%' then substr(l.source, 8)::uuid end"
)
_POSTED = {
    "share": text(f"""
select l.id as posted, i.id, i.tenant_id
from core.ledger_transaction l
{_CUSTOMERS.format(of="l")}
left join core.credit_note n on n.id = case when l.source like 'credit_note:%' then substr(l.source, 13)::uuid end
{_REFUND}
left join core.payment p on p.id = r.payment_id
left join core.invoice i on i.number is not null and i.subtotal > 0 and i.id = coalesce(
  case when l.source like 'invoice:%' then substr(l.source, 9)::uuid end, n.invoice_id, p.invoice_id)
where l.id >= :after
"""),
    "collected": text(f"""
select l.id as posted, p.id, p.tenant_id
from core.ledger_transaction l
{_CUSTOMERS.format(of="l")}
left join core.credit_grant g on g.id = case when l.source like 'credit:%' then substr(l.source, 8)::uuid end
{_REFUND}
left join lateral (
  select id, tenant_id from core.payment where id = coalesce(
    case when l.source like 'payment:%' then substr(l.source, 9)::uuid end, g.payment_id, r.payment_id)
  union all
  select id, tenant_id from core.payment
  where invoice_id = case when l.source like 'invoice:%' then substr(l.source, 9)::uuid end) p on true
where l.id >= :after
"""),
}
_ALL = {
    "share": text(f"""
select i.tenant_id, i.id from core.invoice i {_CUSTOMERS.format(of="i")}
where i.number is not null and i.subtotal > 0
"""),
    "collected": text(f"select p.tenant_id, p.id from core.payment p {_CUSTOMERS.format(of='p')}"),
}


@contextmanager
def since_last(purpose: Purpose) -> Iterator[list[tuple[UUID, UUID]]]:
    """What may have changed since the current reseller last looked, as (customer, id) in a stable order: invoices for
    its `share`, payments for what was `collected`. The first time everything, also of customers that left. That it
    was looked at is noted when the block has ended well.
    """
    last = session().scalar(afresh(select(Looked).where(Looked.purpose == purpose)))
    following = _first_id(clock.machine() - _ON_ITS_WAY)
    # As staff: a reseller does not see its customers' books. Before they are read, so that nothing falls between.
    with transaction(here(), current().principal, _everyone=True) as there:
        given = {"reseller": here(), "after": last.after if last else following}
        posted = there.execute(_POSTED[purpose], given).all()
        if last:
            seen = set(last.seen)
            fresh = [row for row in posted if row.id is not None and str(row.posted) not in seen]
        else:
            fresh = list(there.execute(_ALL[purpose], {"reseller": here()}).all())
    yield sorted({(row.tenant_id, row.id) for row in fresh})
    if last is None:
        last = Looked(id=uuid7(), tenant_id=here(), purpose=purpose)
        session().add(last)
    last.after = following
    last.seen = sorted({str(row.posted) for row in posted if row.posted >= following})
    session().flush()


def forget(purpose: Purpose) -> None:
    """Let the current reseller's next look be its first."""
    session().execute(delete(Looked).where(Looked.purpose == purpose))


def _first_id(at: datetime) -> UUID:
    """No id that was made at `at` or later is less."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
