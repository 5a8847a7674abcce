"""What the tables cannot say by themselves: balanced books, frozen invoices. In SQL, so that no code path escapes.

`create_all` runs these through the listeners below; a migration runs them after it has made the tables:
`for statement in ddl.STATEMENTS: op.execute(statement)`. Running them again changes nothing.
"""

from __future__ import annotations

from sqlalchemy import DDL, event

from chom_core.billing.models.credit import CreditGrant, Refund
from chom_core.billing.models.invoices import Invoice, InvoiceLine
from chom_core.billing.models.ledger import LedgerEntry
from chom_core.billing.models.payments import Payment
from chom_core.billing.models.subscriptions import BilledPeriod
from chom_core.billing.models.usage import UsageEvent

# Deferred: entries come one by one and balance at commit. As the definer, so that no row policy hides an entry.
BALANCED = (
    """
create or replace function core.ledger_transaction_balances() returns trigger
language plpgsql security definer set search_path = core, pg_temp as $body$
declare wrong record;
begin
  select currency, sum(amount) as off into wrong from core.ledger_entry
  where transaction_id = new.transaction_id group by currency having sum(amount) <> 0 limit 1;
  if found then
    raise exception using errcode = 'check_violation', constraint = 'ledger_transaction_balances',
      message = 'the ledger transaction ' || new.transaction_id || ' is off by ' || wrong.off || ' ' || wrong.currency;
  end if;
  perform 1 from core.ledger_entry e join core.ledger_account a on a.id = e.account_id
  join core.ledger_transaction t on t.id = e.transaction_id
  where e.id = new.id and (a.currency <> e.currency or a.tenant_id <> e.tenant_id or t.tenant_id <> e.tenant_id);
  if found then
    raise exception using errcode = 'check_violation', constraint = 'ledger_entry_account',
      message = 'the ledger entry and its account differ in currency or organisation';
  end if;
  return null;
end $body$
""",
    "drop trigger if exists ledger_transaction_balances on core.ledger_entry",
    """
create constraint trigger ledger_transaction_balances after insert on core.ledger_entry
deferrable initially deferred for each row execute function core.ledger_transaction_balances()
""",
)
FROZEN_INVOICE = (
    """
create or replace function core.invoice_is_frozen() returns trigger
language plpgsql set search_path = core, pg_temp as $body$
begin
  if tg_op = 'DELETE' then
    if old.number is not null then
      raise exception using errcode = 'check_violation', constraint = 'invoice_is_frozen',
        message = 'invoice ' || old.number || ' is finalised and stays';
    end if;
    return old;
  end if;
  if old.status <> 'draft' and (new.status = 'draft'
     or (old.number, old.seller_id, old.subscription_id, old.currency, old.subtotal, old.tax, old.total,
         old.tax_title, old.tax_rate, old.tax_note, old.period_start, old.period_end, old.finalised_at,
         old.due_at, old.snapshot, old.tenant_id, old.series)
     is distinct from
        (new.number, new.seller_id, new.subscription_id, new.currency, new.subtotal, new.tax, new.total,
         new.tax_title, new.tax_rate, new.tax_note, new.period_start, new.period_end, new.finalised_at,
         new.due_at, new.snapshot, new.tenant_id, new.series)) then
    raise exception using errcode = 'check_violation', constraint = 'invoice_is_frozen',
      message = 'invoice ' || coalesce(old.number, old.id::text) || ' is finalised and cannot change';
  end if;
  return new;
end $body$
""",
    "drop trigger if exists invoice_is_frozen on core.invoice",
    """
create trigger invoice_is_frozen before update or delete on core.invoice
for each row execute function core.invoice_is_frozen()
""",
)
FROZEN_LINES = (
    """
create or replace function core.invoice_line_is_frozen() returns trigger
language plpgsql security definer set search_path = core, pg_temp as $body$
declare owner uuid := coalesce(case when tg_op = 'INSERT' then new.invoice_id end, old.invoice_id);
begin
  perform 1 from core.invoice where id = owner and status <> 'draft';
  if found then
    raise exception using errcode = 'check_violation', constraint = 'invoice_line_is_frozen',
      message = 'the lines of a finalised invoice cannot change';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $body$
""",
    "drop trigger if exists invoice_line_is_frozen on core.invoice_line",
    """
create trigger invoice_line_is_frozen before insert or update or delete on core.invoice_line
for each row execute function core.invoice_line_is_frozen()
""",
)
# What was received stays as it was received; `rematch` and `correct` may say whether it counts.
KEPT_EVENT = (
    """
create or replace function core.usage_event_is_kept() returns trigger
language plpgsql set search_path = core, pg_temp as $body$
begin
  if tg_op = 'DELETE' or old.replaced_by is not null
     or (old.reason <> new.reason and (old.reason in ('', 'withdrawn') or new.reason <> ''))
     or (old.event_id, old.tenant_id, old.meter, old.subject, old.at, old.value, old.key, old.properties, old.corrects,
         old.created_at)
     is distinct from
        (new.event_id, new.tenant_id, new.meter, new.subject, new.at, new.value, new.key, new.properties, new.corrects,
         new.created_at) then
    raise exception using errcode = 'check_violation', constraint = 'usage_event_is_kept',
      message = 'the usage event ' || old.event_id || ' was received and stays as it is';
  end if;
  return new;
end $body$
""",
    "drop trigger if exists usage_event_is_kept on core.usage_event",
    """
create trigger usage_event_is_kept before update or delete on core.usage_event
for each row execute function core.usage_event_is_kept()
""",
)
# No instant of an item's time is billed twice, whichever job runs twice: not even two rows of one transaction may meet.
BILLED_ONCE = (
    """
create or replace function core.billed_period_is_billed_once() returns trigger
language plpgsql security definer set search_path = core, pg_temp as $body$
begin
  perform 1 from core.billed_period b where b.item_id = new.item_id and b.id <> new.id
    and b.period_start < new.until and new.period_start < b.until;
  if found then
    raise exception using errcode = 'exclusion_violation', constraint = 'billed_period_is_billed_once',
      message = 'a part of this period is billed already';
  end if;
  return new;
end $body$
""",
    "drop trigger if exists billed_period_is_billed_once on core.billed_period",
    """
create trigger billed_period_is_billed_once before insert or update on core.billed_period
for each row execute function core.billed_period_is_billed_once()
""",
)
# What a grant, a payment that came in, or a refund says stays said; the trigger's arguments name what may change.
KEPT_MONEY = (
    """
create or replace function core.money_is_kept() returns trigger
language plpgsql set search_path = core, pg_temp as $body$
begin
  if to_jsonb(old) - tg_argv::text[] is distinct from to_jsonb(new) - tg_argv::text[] then
    raise exception using errcode = 'check_violation', constraint = 'money_is_kept',
      message = 'the ' || tg_table_name || ' ' || old.id || ' happened and cannot change';
  end if;
  return new;
end $body$
""",
)
KEPT_GRANT = (
    "drop trigger if exists credit_grant_is_kept on core.credit_grant",
    """
create trigger credit_grant_is_kept before update on core.credit_grant
for each row execute function core.money_is_kept('remaining')
""",
)
KEPT_PAYMENT = (
    "drop trigger if exists payment_is_kept on core.payment",
    """
create trigger payment_is_kept before update on core.payment for each row when (old.status = 'succeeded')
execute function core.money_is_kept('amount_applied', 'amount_refunded', 'reference', 'url', 'code', 'message', 'fix',
  'settled_at')
""",
)
KEPT_REFUND = (
    "drop trigger if exists refund_is_kept on core.refund",
    """
create trigger refund_is_kept before update on core.refund for each row
execute function core.money_is_kept('status', 'reference', 'code', 'message', 'settled_at')
""",
    "drop trigger if exists refund_is_settled on core.refund",
    """
create trigger refund_is_settled before update on core.refund for each row
when (old.status in ('succeeded', 'failed')) execute function core.money_is_kept('reference', 'code', 'message')
""",
)
STATEMENTS = (
    BILLED_ONCE + BALANCED + FROZEN_INVOICE + FROZEN_LINES + KEPT_EVENT
    + KEPT_MONEY + KEPT_GRANT + KEPT_PAYMENT + KEPT_REFUND
)  # fmt: skip


def _after_create(model: type, statements: tuple[str, ...]) -> None:
    for statement in statements:
        # DDL formats with %: the functions' own % must come through
        event.listen(model.__table__, "after_create", DDL(statement.replace("%", "%%")))  # type: ignore[attr-defined]


_after_create(LedgerEntry, BALANCED)
_after_create(Invoice, FROZEN_INVOICE)
_after_create(InvoiceLine, FROZEN_LINES)
_after_create(UsageEvent, KEPT_EVENT)
_after_create(BilledPeriod, BILLED_ONCE)
_after_create(CreditGrant, KEPT_MONEY + KEPT_GRANT)
_after_create(Payment, KEPT_MONEY + KEPT_PAYMENT)
_after_create(Refund, KEPT_MONEY + KEPT_REFUND)
