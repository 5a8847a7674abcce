"""What must hold between the ledger and everything that counts money beside it, as SQL.

Each query gives one row for each thing that is wrong, in words (`problem`). `ledger.check` runs them all; they read
what their session may see: one organisation's books, or everyone's.
"""

from __future__ import annotations

ALL: tuple[str, ...] = (
    """
    select format('transaction %s is off by %s %s', transaction_id, sum(amount), currency) as problem
    from core.ledger_entry group by transaction_id, currency having sum(amount) <> 0
    """,
    """
    select format('transaction %s (%s) has no entries', t.id, t.key) as problem from core.ledger_transaction t
    where not exists (select from core.ledger_entry e where e.transaction_id = t.id)
    """,
    """
    select format('account %s (%s %s) has the balance %s, its entries sum to %s',
                  a.id, a.code, a.currency, coalesce(b.balance, 0), coalesce(e.total, 0)) as problem
    from core.ledger_account a left join core.ledger_balance b on b.account_id = a.id
    left join (select account_id, sum(amount) as total from core.ledger_entry group by 1) e on e.account_id = a.id
    where coalesce(b.balance, 0) <> coalesce(e.total, 0)
    """,
    """
    select format('organisation %s owes %s %s by the ledger, %s by its invoices',
                  tenant_id, l, currency, i) as problem
    from (select tenant_id, currency, sum(l) as l, sum(i) as i from (
            select a.tenant_id, a.currency, e.amount as l, 0 as i
            from core.ledger_entry e join core.ledger_account a on a.id = e.account_id where a.code = 'receivable'
            union all
            select tenant_id, currency, 0, total - amount_paid - amount_credited - amount_noted - amount_written_off
            from core.invoice where status in ('open', 'paid', 'uncollectible')
          ) both_sides group by 1, 2) owed where l <> i
    """,
    """
    select format('invoice %s counts %s %s as paid, its payments sum to %s',
                  i.number, i.amount_paid, i.currency, coalesce(p.paid, 0) - coalesce(r.reopened, 0)) as problem
    from core.invoice i
    left join (select invoice_id, sum(amount_applied) as paid from core.payment
               where status = 'succeeded' group by 1) p on p.invoice_id = i.id
    left join (select y.invoice_id, sum(x.reopened) as reopened from core.refund x
               join core.payment y on y.id = x.payment_id where x.status = 'succeeded' group by 1) r
      on r.invoice_id = i.id
    where i.amount_paid <> coalesce(p.paid, 0) - coalesce(r.reopened, 0)
    """,
    """
    select format('payment %s of %s %s: %s counted, %s became credit', p.id, p.amount, p.currency, p.amount_applied,
                  coalesce(g.amount, 0)) as problem
    from core.payment p
    left join (select payment_id, sum(amount) as amount from core.credit_grant group by 1) g on g.payment_id = p.id
    where p.status = 'succeeded' and p.amount <> p.amount_applied + coalesce(g.amount, 0)
    """,
    """
    select format('payment %s counts %s %s as given back, its refunds sum to %s',
                  p.id, p.amount_refunded, p.currency, coalesce(r.amount, 0)) as problem
    from core.payment p left join (select payment_id, sum(amount) as amount from core.refund
                                   where status <> 'failed' group by 1) r on r.payment_id = p.id
    where p.amount_refunded <> coalesce(r.amount, 0)
    """,
    """
    select format('invoice %s counts %s %s of credit, the grants say %s',
                  i.number, i.amount_credited, i.currency, coalesce(u.amount, 0)) as problem
    from core.invoice i left join (select invoice_id, sum(amount) as amount from core.credit_use
                                   where kind in ('applied', 'unapplied') group by 1) u on u.invoice_id = i.id
    where i.amount_credited <> coalesce(u.amount, 0)
    """,
    """
    select format('invoice %s counts %s %s of credit notes, they say %s; together they are %s of %s',
                  i.number, i.amount_noted, i.currency, coalesce(n.due, 0), coalesce(n.total, 0), i.total) as problem
    from core.invoice i left join (select invoice_id, sum(to_due) as due, sum(total) as total
                                   from core.credit_note group by 1) n on n.invoice_id = i.id
    where i.amount_noted <> coalesce(n.due, 0) or coalesce(n.total, 0) > i.total
    """,
    """
    select format('credit %s has %s %s left, its uses say %s', g.id, g.remaining, g.currency,
                  g.amount - coalesce(u.amount, 0)) as problem
    from core.credit_grant g left join (select grant_id, sum(amount) as amount from core.credit_use group by 1) u
      on u.grant_id = g.id
    where g.remaining <> g.amount - coalesce(u.amount, 0)
    """,
    """
    select format('organisation %s has %s %s on %s by the ledger, %s by its grants', tenant_id, l, currency, code, g)
           as problem
    from (select tenant_id, code, currency, sum(l) as l, sum(g) as g from (
            select a.tenant_id, a.code, a.currency, -e.amount as l, 0 as g
            from core.ledger_entry e join core.ledger_account a on a.id = e.account_id
            where a.code in ('customer_credit', 'promotional_credit')
            union all
            select tenant_id, case kind when 'account' then 'customer_credit' else 'promotional_credit' end, currency,
                   0, remaining from core.credit_grant
          ) both_sides group by 1, 2, 3) had where l <> g
    """,
    """
    select format('organisation %s has %s %s on its way to the card by the ledger, %s by its refunds',
                  tenant_id, l, currency, r) as problem
    from (select tenant_id, currency, sum(l) as l, sum(r) as r from (
            select a.tenant_id, a.currency, -e.amount as l, 0 as r
            from core.ledger_entry e join core.ledger_account a on a.id = e.account_id
            where a.code = 'refund_clearing'
            union all
            select tenant_id, currency, 0, from_credit from core.refund where status in ('created', 'pending')
          ) both_sides group by 1, 2) moving where l <> r
    """,
    """
    select format('organisation %s has %s %s with banks by the ledger, %s by its disputes', tenant_id, l, currency, d)
           as problem
    from (select tenant_id, currency, sum(l) as l, sum(d) as d from (
            select a.tenant_id, a.currency, e.amount as l, 0 as d
            from core.ledger_entry e join core.ledger_account a on a.id = e.account_id where a.code = 'disputes'
            union all
            select tenant_id, currency, 0, amount from core.dispute where status = 'open'
          ) both_sides group by 1, 2) away where l <> d
    """,
    """
    select format('organisation %s has %s %s held by the ledger, %s by the uses of its credit', tenant_id, l, currency,
                  u) as problem
    from (select tenant_id, currency, sum(l) as l, sum(u) as u from (
            select a.tenant_id, a.currency, -e.amount as l, 0 as u
            from core.ledger_entry e join core.ledger_account a on a.id = e.account_id
            where a.code = 'dispute_hold'
            union all
            select tenant_id, currency, 0, amount from core.credit_use where kind in ('held', 'released')
          ) both_sides group by 1, 2) held where l <> u
    """,
    """
    select format('%s %s of organisation %s is owed %s %s by the ledger, %s by earnings and payouts',
                  left(code, -8), party, tenant_id, l, currency, e) as problem
    from (select tenant_id, code, party, currency, sum(l) as l, sum(e) as e from (
            select a.tenant_id, a.code, a.party, a.currency, -e.amount as l, 0 as e
            from core.ledger_entry e join core.ledger_account a on a.id = e.account_id
            where a.code in ('vendor_payable', 'affiliate_payable', 'reseller_payable')
            union all
            select tenant_id, kind || '_payable', party, currency, 0, amount - taken_back from core.earning
            union all
            select tenant_id, kind || '_payable', party, currency, 0, -amount from core.payout
            where status in ('pending', 'posted')
          ) both_sides group by 1, 2, 3, 4) owed where l <> e
    """,
    """
    select format('organisation %s has %s %s of payouts on their way by the ledger, %s by its payouts',
                  tenant_id, l, currency, p) as problem
    from (select tenant_id, currency, sum(l) as l, sum(p) as p from (
            select a.tenant_id, a.currency, -e.amount as l, 0 as p
            from core.ledger_entry e join core.ledger_account a on a.id = e.account_id
            where a.code = 'payout_clearing'
            union all
            select tenant_id, currency, 0, amount from core.payout where status = 'pending'
          ) both_sides group by 1, 2) moving where l <> p
    """,
    """
    select format('payout %s is %s, its entries are: %s', p.id, p.status,
                  coalesce(string_agg(right(t.key, -44), ', ' order by t.key), 'none')) as problem
    from core.payout p left join core.ledger_transaction t
      on t.tenant_id = p.tenant_id and t.source = 'payout:' || p.id and t.key like 'payout:' || p.id || ':%'
    group by p.id, p.status, p.method
    having coalesce(string_agg(right(t.key, -44), ', ' order by t.key), 'none') <> case
      when p.status = 'pending' or p.method = 'credit' then 'begun'
      when p.status = 'posted' then 'begun, posted' else 'begun, voided' end
    """,
    """
    select format('series %s of seller %s gave out %s numbers, %s documents carry one',
                  s.series, s.seller_id, s.last, count(d.id)) as problem
    from core.number_series s left join (
      select id, seller_id, series from core.invoice where number is not null
      union all select id, seller_id, 'credit_note' from core.credit_note
    ) d on d.seller_id = s.seller_id and d.series = s.series
    where pg_has_role(current_user, 'chom_staff', 'usage') and s.series <> 'customer'
    group by s.id, s.series, s.seller_id, s.last having s.last <> count(d.id)
    """,
)
