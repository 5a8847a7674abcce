"""What came of it: the ledger as one hash, and counts."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import text

from chom_core.database import everyone
from chom_core.simulation.cast import DOMAIN

_MINE = """
with mine as (select m.tenant_id, p.email from core.membership m join core.person p on p.id = m.person_id
              where p.email like :like)
"""
# Ids are drawn anew in each run, so an entry is told by whose it is, when, what for, and how much.
_ENTRIES = text(f"""{_MINE}
select line from (select concat_ws('|', mine.email, t.kind, extract(epoch from t.effective_at), a.code, e.currency,
                                   e.amount) as line
from core.ledger_entry e join core.ledger_transaction t on t.id = e.transaction_id
join core.ledger_account a on a.id = e.account_id join mine on mine.tenant_id = e.tenant_id) told
order by line collate "C"
""")  # noqa: S608 (constants of this file)
_COUNTS = text(f"""{_MINE}
select (select count(distinct tenant_id) from mine) as tenants,
       (select count(*) from core.invoice join mine using (tenant_id) where number is not null) as invoices,
       (select count(*) from core.payment join mine using (tenant_id) where status = 'succeeded') as payments,
       (select count(*) from core.payment join mine using (tenant_id) where status = 'declined') as declined,
       (select count(*) from core.refund join mine using (tenant_id) where status = 'succeeded') as refunds,
       (select count(*) from core.credit_note join mine using (tenant_id)) as credit_notes,
       (select count(*) from core.dunning join mine using (tenant_id)) as dunning,
       (select count(*) from core.invoice join mine using (tenant_id) where status = 'uncollectible') as uncollectible,
       (select count(*) from core.usage_event join mine using (tenant_id)) as usage_events,
       (select count(*) from mine m where exists (
          select from core.subscription s where s.tenant_id = m.tenant_id and s.ended_at is not null)
        and not exists (select from core.subscription s where s.tenant_id = m.tenant_id
          and s.status in ('trialing', 'active', 'past_due', 'paused'))) as churned,
       (select count(*) from core.job join mine using (tenant_id)
        where state in ('failed', 'dead') or (state = 'ready' and attempts > 0)) as jobs_failed
""")  # noqa: S608


def ledger_hash(seed: int) -> str:
    """SHA-256 over the sorted entries of the seed's organisations: the same where the same happened."""
    made = hashlib.sha256()
    with everyone("simulation: the ledger's hash") as here:
        for (line,) in here.execute(_ENTRIES, {"like": f"%@s{seed}.{DOMAIN}"}):
            made.update(f"{line}\n".encode())
    return made.hexdigest()


def counts(seed: int) -> dict[str, Any]:
    """How many of everything the seed's organisations have."""
    with everyone("simulation: what came of it") as here:
        return dict(here.execute(_COUNTS, {"like": f"%@s{seed}.{DOMAIN}"}).mappings().one())
