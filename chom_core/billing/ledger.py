"""The ledger: `post` writes a balanced transaction once for ever, `check` proves the books.

Debits are positive, credits negative. The chart (per seller, customer and currency):

    receivable        asset      what the customer owes on finalised invoices
    cash              asset      money the gateway has taken for the seller
    revenue           income     what was sold, net of tax (deferral over the period is a report, not an entry)
    tax_payable       liability  tax charged on invoices
    customer_credit   liability  account credit: paid in, refundable
    promotional_credit liability granted, never cash
    promotional_expense expense  credit that nobody paid in: what granting it costs
    refund_clearing   liability  refunds on their way to the card, as far as they were taken from credit
    write_off         expense    invoices given up as uncollectible, disputes that were lost
    disputes          asset      money that a bank holds while it decides a dispute
    dispute_hold      liability  account credit that is held meanwhile
    fees              expense    what the gateway keeps
    commission        expense    what vendors, affiliates and resellers earn by sales
    vendor_payable, affiliate_payable, reseller_payable   liability, with a party
    payout_clearing   liability  payouts on their way

An invoice debits receivable and credits revenue and tax_payable; a payment debits cash and credits receivable; a
refund and a void are the same entries with the signs turned. Nothing is ever changed or deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chom_core.billing import checks
from chom_core.billing.models import LedgerAccount, LedgerTransaction
from chom_core.database import clock, here, session
from chom_core.values.errors import Conflict
from chom_core.values.ids import uuid7
from chom_core.values.money import Money

CHART: dict[str, str] = {
    "receivable": "asset",
    "cash": "asset",
    "revenue": "income",
    "tax_payable": "liability",
    "customer_credit": "liability",
    "promotional_credit": "liability",
    "promotional_expense": "expense",
    "refund_clearing": "liability",
    "write_off": "expense",
    "disputes": "asset",
    "dispute_hold": "liability",
    "fees": "expense",
    "commission": "expense",
    "vendor_payable": "liability",
    "affiliate_payable": "liability",
    "reseller_payable": "liability",
    "payout_clearing": "liability",
}
#: One line of a transaction: account code, signed amount (debit positive), and a party for payables.
Posting = tuple[str, Money] | tuple[str, Money, str]
Line = tuple[str, Money, str]
# A transaction, its entries, and their sums on the stored balances, which everybody touches in one order, so that two
# never wait for each other. No entry is written where the key was used before, or an account is missing yet.
_POST = """
with made as ({made}),
line as (
  select l.id, l.amount, l.currency, a.id as account
  from unnest(%(ids)s::uuid[], %(codes)s::text[], %(parties)s::text[], %(currencies)s::text[], %(amounts)s::bigint[])
    as l(id, code, party, currency, amount)
  join core.ledger_account a on (a.tenant_id, a.seller_id) = (%(tenant)s, %(seller)s)
    and (a.code, a.party, a.currency) = (l.code, l.party, l.currency)),
whole as (select id as transaction from made where (select count(*) from line) = cardinality(%(ids)s::uuid[])),
entry as (
  insert into core.ledger_entry (id, created_at, tenant_id, transaction_id, account_id, amount, currency)
  select id, %(at)s, %(tenant)s, transaction, account, amount, currency from line, whole),
stored as (
  insert into core.ledger_balance as b (id, created_at, tenant_id, account_id, balance)
  select (%(balances)s::uuid[])[row_number() over (order by account)], %(at)s, %(tenant)s, account, sum(amount)
  from line, whole group by account order by account
  on conflict (tenant_id, account_id) do update set balance = b.balance + excluded.balance)
select exists (select from made), exists (select from whole)
"""
_NEW = _POST.format(
    made="""
  insert into core.ledger_transaction (id, created_at, tenant_id, key, kind, description, source, effective_at)
  values (%(transaction)s, %(at)s, %(tenant)s, %(key)s, %(kind)s, %(description)s, %(source)s, %(at)s)
  on conflict (tenant_id, key) do nothing returning id"""
)
_ENTRIES = _POST.format(made="select %(transaction)s::uuid as id")


def post(
    key: str,
    kind: str,
    postings: Sequence[Posting],
    *,
    seller_id: UUID,
    source: str,
    description: str,
) -> UUID:
    """Write a transaction of the current organisation and return its id. The same key again returns the first one.

    Lines of zero are left out. Raises ValueError where the sum is not zero, Conflict where the key was used for
    other entries. The database checks the sum again at commit.
    """
    lines = [_split(posting) for posting in postings if posting[1].amount != 0]
    _must_balance(lines)
    made = uuid7()
    values = {
        "tenant": here(), "seller": seller_id, "transaction": made, "at": clock.now(),
        "ids": [uuid7() for _ in lines], "balances": [uuid7() for _ in lines],
        "codes": [code for code, _money, _party in lines], "parties": [party for _code, _money, party in lines],
        "currencies": [money.currency for _code, money, _party in lines],
        "amounts": [money.amount for _code, money, _party in lines],
    }  # fmt: skip
    facts = {"key": key, "kind": kind, "description": description[:300], "source": source}
    session().flush()
    connection = session().connection()
    fresh, whole = connection.exec_driver_sql(_NEW, values | facts).one()
    if not fresh:
        return _same_as_before(key, lines)
    if not whole:
        _open_accounts(seller_id, lines)
        if not connection.exec_driver_sql(_ENTRIES, values).one()[1]:
            raise RuntimeError("accounts of the ledger could not be opened")
    return made


def turn(prefix: str) -> str:
    """The key of the next transaction of a kind that may happen again to one thing: `prefix:1`, `prefix:2`, …

    The caller holds the lock of that thing.
    """
    query = select(func.count(LedgerTransaction.id)).where(
        LedgerTransaction.key.startswith(f"{prefix}:", autoescape=True)
    )
    return f"{prefix}:{(session().scalar(query) or 0) + 1}"


def balance(code: str, currency: str, *, party: str = "") -> Money:
    """The balance of an account of the current organisation, over all sellers; zero where there is none."""
    total = session().scalar(
        text(
            "select coalesce(sum(b.balance), 0) from core.ledger_balance b join core.ledger_account a"
            " on a.id = b.account_id where a.code = :code and a.currency = :currency and a.party = :party"
            " and a.tenant_id = :tenant"
        ),
        {"code": code, "currency": currency, "party": party, "tenant": here()},
    )
    return Money(int(total or 0), currency)


def check(session: Session) -> list[str]:
    """What is wrong with the books that `session` sees (everyone's, in an `everyone` unit); empty where all is well.

    Transactions sum to zero; stored balances equal their entries; what customers owe equals their open invoices;
    payments, refunds, credit and credit notes equal what invoices count; credit equals its grants and their uses;
    no more is noted than was invoiced; numbers have no gap.
    """
    return [row.problem for sql in checks.ALL for row in session.execute(text(sql))]


def _split(posting: Posting) -> tuple[str, Money, str]:
    code, money = posting[0], posting[1]
    if code not in CHART:
        raise ValueError(f"{code} is not in the chart of accounts")
    return code, money, posting[2] if len(posting) == 3 else ""


def _must_balance(lines: Sequence[tuple[str, Money, str]]) -> None:
    sums: dict[str, int] = {}
    for _code, money, _party in lines:
        sums[money.currency] = sums.get(money.currency, 0) + money.amount
    if not lines or any(sums.values()):
        raise ValueError(f"a ledger transaction must sum to zero, not {sums}")


def _same_as_before(key: str, lines: Sequence[tuple[str, Money, str]]) -> UUID:
    before = session().scalars(select(LedgerTransaction).where(LedgerTransaction.key == key)).one()
    had = sorted((e.account.code, e.amount, e.currency, e.account.party) for e in before.entries)
    if had != sorted((code, money.amount, money.currency, party) for code, money, party in lines):
        raise Conflict(
            _("The ledger has other entries under %(key)s.", key=key),
            fix=_("Nothing was posted. Look at the ledger page."),
        )
    return before.id


def _open_accounts(seller_id: UUID, lines: Sequence[Line]) -> None:
    """Make those accounts that are not there."""
    fixed = {"tenant_id": here(), "seller_id": seller_id}
    wanted = sorted({(code, party, money.currency) for code, money, party in lines})
    rows = [fixed | {"code": code, "party": party, "currency": currency} for code, party, currency in wanted]
    session().execute(insert(LedgerAccount).on_conflict_do_nothing(), rows)
