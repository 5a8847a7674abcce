"""What the tables cannot say by themselves: balanced books, frozen invoices. In SQL, so that no code path escapes.

`create_all` runs these through the listeners below; a migration runs them after it has made the tables:
`for statement in ddl.STATEMENTS: op.execute(statement)`. Running them again changes nothing.
"""

from __future__ import annotations

from sqlalchemy import DDL, event

from chom_core.billing.models.invoices import Invoice, InvoiceLine
from chom_core.billing.models.ledger import LedgerEntry

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
         old.due_at, old.snapshot, old.tenant_id)
     is distinct from
        (new.number, new.seller_id, new.subscription_id, new.currency, new.subtotal, new.tax, new.total,
         new.tax_title, new.tax_rate, new.tax_note, new.period_start, new.period_end, new.finalised_at,
         new.due_at, new.snapshot, new.tenant_id)) then
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
STATEMENTS = BALANCED + FROZEN_INVOICE + FROZEN_LINES


def _after_create(model: type, statements: tuple[str, ...]) -> None:
    for statement in statements:
        # DDL formats with %: the functions' own % must come through
        event.listen(model.__table__, "after_create", DDL(statement.replace("%", "%%")))  # type: ignore[attr-defined]


_after_create(LedgerEntry, BALANCED)
_after_create(Invoice, FROZEN_INVOICE)
_after_create(InvoiceLine, FROZEN_LINES)
