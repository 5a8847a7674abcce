"""What must be true after the storm: one ledger whatever the weather, nothing forged believed, nothing unheard."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from chom_core.billing import ledger
from chom_core.database import everyone

#: Everything of the ledger but ids and times of posting; and what payments, refunds, invoices and cards came to.
_LEDGER = """
select t.tenant_id, t.key, t.kind, a.code, a.party, e.amount, e.currency
from core.ledger_transaction t join core.ledger_entry e on e.transaction_id = t.id
join core.ledger_account a on a.id = e.account_id order by 1, 2, 4, 5, 6"""
_REST = (
    "select id, status, amount, amount_applied, amount_refunded from core.payment order by 1",
    "select id, status, amount from core.refund order by 1",
    "select id, status, total, amount_paid, amount_refunded from core.invoice order by 1",
    "select tenant_id, kind, amount, remaining from core.credit_grant order by 1, 2, 3, 4",
    "select tenant_id, count(*) from core.payment_method group by 1 order by 1",
    "select reference, status, amount from plugin_stripe.dispute order by 1",
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_UNHEARD = """
select count(*) from plugin_stripe.sandbox_object o where o.kind = 'event' and not exists (
  select from plugin_stripe.webhook_event w where w.event_id = o.reference and w.status in ('done', 'ignored'))"""
_UNKNOWN = """
select count(*) from plugin_stripe.webhook_event w where not exists (
  select from plugin_stripe.sandbox_object o where o.kind = 'event' and o.reference = w.event_id)"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`ledger` and `rest` are hashes; the others should be zero."""

    ledger: str
    rest: str
    unheard: int
    unknown: int
    problems: int
    dead: int
    entries: int


def judge(root: psycopg.Connection[Any], told_at: datetime) -> Verdict:
    """Look at the database that the process is bound to (`root` is a superuser's connection to it).

    Keys of the ledger hold ids; those of things that were made in the storm itself (after `told_at`) differ by nature.
    """
    entries = sorted(
        (*row[:1], _without_new(row[1], told_at), *row[2:]) for row in root.execute(_LEDGER).fetchall()
    )
    rest = [row for sql in _REST for row in root.execute(sql.encode()).fetchall()]
    with everyone("storm: check the ledger") as here:
        problems = ledger.check(here)
    return Verdict(
        ledger=_hash(entries),
        rest=_hash(rest),
        unheard=_number(root, _UNHEARD),
        unknown=_number(root, _UNKNOWN),
        problems=len(problems),
        dead=_number(root, "select count(*) from core.job where state in ('dead', 'failed')"),
        entries=len(entries),
    )


def _without_new(key: str, told_at: datetime) -> str:
    """The key, with «new» for every UUIDv7 made since."""
    newest = int(told_at.timestamp() * 1000)
    return _ID.sub(lambda found: "new" if int(found[0].replace("-", "")[:12], 16) > newest else found[0], key)


def _hash(rows: list[Any]) -> str:
    return hashlib.sha256("\n".join(map(str, rows)).encode()).hexdigest()[:16]


def _number(root: psycopg.Connection[Any], sql: str) -> int:
    row = root.execute(sql.encode()).fetchone()
    return int(row[0]) if row else -1
