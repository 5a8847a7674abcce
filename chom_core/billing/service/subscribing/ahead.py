"""When each of billing's hourly jobs next has something to do for the current organisation.

A test clock asks (work.schedules.looks_ahead), and skips the hours in between: months pass in seconds. Each answer may
be too early, never too late; None means that nothing is in sight until something else happens first.
"""

from __future__ import annotations

from datetime import datetime

from chom_core.billing.models import Subscription
from chom_core.billing.service.usage import tariffs
from chom_core.billing.service.usage.ingest import BACK
from chom_core.database import clock, current, session

# `least` passes over what is null. A paused subscription waits for its change; one that stands still for an unpaid
# invoice waits for the payment.
_RENEWAL = """
select least(
  (select min(effective_at) from core.subscription_change where tenant_id = %(tenant)s and status = 'scheduled'),
  (select min(cancel_at) from core.subscription
   where tenant_id = %(tenant)s and status in ('trialing', 'active', 'past_due', 'paused')),
  (select min(current_period_end) from core.subscription s
   where tenant_id = %(tenant)s and (status in ('trialing', 'active') or status = 'past_due' and not exists (
     select from core.dunning d join core.invoice i on i.id = d.invoice_id
     where d.tenant_id = %(tenant)s and i.subscription_id = s.id and d.suspended_at is not null))),
  (select %(now)s::timestamptz from core.invoice i
   where i.tenant_id = %(tenant)s and i.status = 'open' and i.subscription_id is not null
     and not exists (select from core.payment p where p.invoice_id = i.id)
     and not exists (select from core.dunning d where d.invoice_id = i.id) limit 1))
"""
_DUNNING = """
select least(
  (select min(next_at) from core.dunning where tenant_id = %(tenant)s and status = 'open'),
  (select %(now)s::timestamptz from core.dunning_hold
   where tenant_id = %(tenant)s and released_at is null limit 1),
  (select %(now)s::timestamptz from core.invoice i
   where i.tenant_id = %(tenant)s and i.status = 'open' and i.amount_refunded = 0
     and not exists (select from core.dunning d where d.invoice_id = i.id) limit 1))
"""
_CREDIT = """
select min(expires_at) from core.credit_grant
where tenant_id = %(tenant)s and remaining > 0 and expires_at is not null
"""
# One that is paid by hand waits for a person, not for a gateway.
_PAYOUTS = """
select %(now)s::timestamptz from core.payout
where tenant_id = %(tenant)s and status = 'pending' and method not in ('manual', 'credit') limit 1
"""
# Without services the levels are nought, and nought needs no reading.
_GATHERING = """
select %(now)s::timestamptz where exists (select from core.service where tenant_id = %(tenant)s)
  or exists (select from core.usage_event where tenant_id = %(tenant)s and reason not in ('', 'withdrawn')
             and at > %(now)s::timestamptz - %(back)s::interval)
"""
_LIMITS = """
select %(now)s::timestamptz where exists (
  select from core.subscription s
  join core.subscription_item i on i.subscription_id = s.id and i.ended_at is null
  join core.plan p on p.id = i.plan_id and p.usage_limits <> '{}'
  where s.tenant_id = %(tenant)s and s.status in ('trialing', 'active', 'past_due'))
"""
# Corrections may make a month cheaper that is billed.
_CORRECTED = """
select %(now)s::timestamptz where exists (
  select from core.usage_event where tenant_id = %(tenant)s and corrects is not null
    and created_at > %(now)s::timestamptz - %(back)s::interval)
"""
# When no event is taken any more for the last month of what has ended or is paused for good (`usage.invoices`).
_SETTLING = """
select min(ends) from (
  select max(c.period_end) filter (where i.id is null or i.status <> 'void') + %(back)s::interval as ends,
         max(c.created_at) as looked
  from core.usage_closing c join core.subscription s on s.id = c.subscription_id
  left join core.invoice i on i.id = c.invoice_id
  where c.tenant_id = %(tenant)s and c.meter = '' and s.status in ('cancelled', 'paused')
  group by c.subscription_id) late
where looked < ends
"""
# Where use was billed up to, of subscriptions whose period holds more than its own month of use.
_LONG = """
select id, start from (
  select s.id, s.current_period_start as begun, s.current_period_end as ended, coalesce(
    (select max(c.period_end) from core.usage_closing c left join core.invoice i on i.id = c.invoice_id
     where c.tenant_id = %(tenant)s and c.subscription_id = s.id and c.meter = ''
       and (i.id is null or i.status <> 'void')),
    s.started_at, s.created_at) as start
  from core.subscription s where s.tenant_id = %(tenant)s and s.status in ('trialing', 'active', 'past_due')) live
where ended > start and (start < begun or ended - begun > interval '32 days')
"""


def renewal() -> datetime | None:
    """Periods that end, cancellations and changes that take effect, invoices that a crash left uncharged."""
    return _first(_RENEWAL)


def dunning() -> datetime | None:
    """Ladders that go on, invoices that are not on theirs yet, services that stand still."""
    return _first(_DUNNING)


def expiring_credit() -> datetime | None:
    """Promotional credit that ends."""
    return _first(_CREDIT)


def payouts() -> datetime | None:
    """Payouts that a gateway has, and has not settled."""
    return _first(_PAYOUTS)


def gathering() -> datetime | None:
    """Levels to read, and use that may match by now."""
    return _first(_GATHERING, back=BACK)


def usage_limits() -> datetime | None:
    """Plans that bill use before the month is over."""
    return _first(_LIMITS)


def months_of_use() -> datetime | None:
    """Months of use that end before the period they lie in, as those of a plan paid yearly; corrections; and what came
    late for subscriptions that have no next bill."""
    found = (_first(_CORRECTED, back=BACK), _first(_SETTLING, back=BACK))
    ends = [one for one in found if one is not None]
    for subscription_id, start in (
        session().connection().exec_driver_sql(_LONG, {"tenant": current().tenant_id})
    ):
        of = session().get_one(Subscription, subscription_id)
        end = tariffs.month(of, start).end
        ends += [end] if end < of.current_period_end else []
    return min(ends, default=None)


def _first(sql: str, **values: object) -> datetime | None:
    given = {"tenant": current().tenant_id, "now": clock.now(), **values}
    found: datetime | None = session().connection().exec_driver_sql(sql, given).scalar()
    return found
