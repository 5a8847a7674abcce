"""Grants of credit: made, used for an invoice, taken for a refund, given back. Each step with its ledger entries.

The lower half of `credit`: invoices, payments, refunds and credit notes all call it. A grant's `remaining` is the
projection of its uses. Whoever calls holds the profile's lock, so that two never take the same cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Select, String, cast, func, select

from chom_core.billing import ledger
from chom_core.billing.models import CreditGrant, CreditNote, CreditUse, Invoice
from chom_core.billing.rules import credits as rules
from chom_core.database import afresh, clock, here, session
from chom_core.values.billing import Bill
from chom_core.values.errors import Conflict, Invalid
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import emit

#: The account on the ledger that a kind of credit stands on.
ACCOUNT = {"account": "customer_credit", "promotional": "promotional_credit"}
#: No single amount is bigger, in minor units: what is beyond is a slip of the hand, and sums stay far from bigint.
MOST = 10**12
#: Credit that expires later than this was meant never to.
LONGEST = timedelta(days=3660)


def money_in(money: Money) -> Money:
    """An amount that a person or a program gave: above zero and believable, else Invalid with the field `amount`."""
    if not isinstance(money, Money) or not 0 < money.amount <= MOST:
        raise Invalid(
            _("This is no amount."),
            fields={"amount": [_("Between 1 and %(most)s of the smallest unit, no sign.", most=MOST)]},
        )
    return money


def words_in(text: str, name: str, longest: int) -> str:
    """A text that must be there: trimmed, not too long, else Invalid with the field `name`."""
    clean = text.strip() if isinstance(text, str) else ""
    if not clean or len(clean) > longest or "\x00" in clean:
        raise Invalid(
            _("Something is missing."),
            fields={name: [_("Between 1 and %(longest)s characters.", longest=longest)]},
        )
    return clean


def add(
    kind: str,
    money: Money,
    key: str,
    *,
    seller_id: UUID,
    against: str | tuple[str, str] | None,
    reason: str = "",
    priority: int = 50,
    usage_only: bool = False,
    expires_at: datetime | None = None,
    payment_id: UUID | None = None,
    credit_note_id: UUID | None = None,
) -> CreditGrant:
    """A grant and its entries: debit `against`, credit the kind's account. The same key again is the same grant.

    `against`: an account, or account and party; None: the caller posts. Conflict where the key had other facts.
    """
    facts = {
        "kind": kind, "amount": money.amount, "currency": money.currency, "seller_id": seller_id,
        "priority": priority, "usage_only": usage_only, "expires_at": expires_at, "payment_id": payment_id,
        "credit_note_id": credit_note_id, "reason": reason,
    }  # fmt: skip
    before = session().scalar(select(CreditGrant).where(CreditGrant.key == key))
    if before is not None:
        if any(getattr(before, name) != value for name, value in facts.items()):
            raise Conflict(
                _("This key was used for another grant."),
                fix=_("Nothing was granted. Use a new key for a new grant."),
            )
        return before
    grant = CreditGrant(id=uuid7(), tenant_id=here(), key=key, remaining=money.amount, **facts)
    session().add(grant)
    session().flush()
    if against is not None:
        code, party = (against, "") if isinstance(against, str) else against
        ledger.post(
            f"credit:{grant.id}:granted",
            "credit",
            [(code, money, party), (ACCOUNT[kind], -money)],
            seller_id=seller_id,
            source=f"credit:{grant.id}",
            description=reason or "Credit granted",
        )
    return grant


def usable(seller_id: UUID, currency: str, *, kind: str = "") -> list[CreditGrant]:
    """Grants that can pay now, in no order, their rows locked and read afresh."""
    return list(session().scalars(afresh(_usable(seller_id, currency, kind))))


def _usable(seller_id: UUID, currency: str, kind: str = "") -> Select[CreditGrant]:
    now = clock.now()
    query = select(CreditGrant).where(
        CreditGrant.seller_id == seller_id,
        CreditGrant.currency == currency,
        CreditGrant.remaining > 0,
        (CreditGrant.expires_at.is_(None)) | (CreditGrant.expires_at > now),
    )
    if kind:
        query = query.where(CreditGrant.kind == kind)
    return query.order_by(CreditGrant.id)


def plan(invoice: Invoice, found: Sequence[CreditGrant], owed: Money) -> rules.Use:
    """What credit would pay of what is `owed` of the invoice, by the rules' order. Changes nothing."""
    lines = [(line.kind, line.amount, line.amount - line.discount + line.tax) for line in invoice.lines]
    return rules.use(_parts(lines, owed), _pots(found), clock.now())


def would_pay(bill: Bill, seller_id: UUID) -> Money:
    """What of a previewed bill the organisation's credit would pay, as `apply` does it. Locks nothing."""
    found = session().scalars(_usable(seller_id, bill.currency)).all()
    none = Money.zero(bill.currency)
    lines = [
        (line.kind, line.amount.amount, (line.amount - (line.discount or none) + (line.tax or none)).amount)
        for line in bill.lines
    ]
    return bill.total - rules.use(_parts(lines, bill.total), _pots(found), clock.now()).due


def _pots(found: Sequence[CreditGrant]) -> list[rules.Credit]:
    return [
        rules.Credit(
            key=str(grant.id),
            left=Money(grant.remaining, grant.currency),
            kind=rules.CreditKind(grant.kind),
            priority=grant.priority,
            granted_at=grant.created_at,
            expires_at=grant.expires_at,
            only=frozenset({"usage"}) if grant.usage_only else frozenset(),
        )
        for grant in found
    ]


def _parts(lines: Sequence[tuple[str, int, int]], owed: Money) -> list[rules.Owed]:
    """What is owed, by kind of line, in proportion to the lines' totals with tax: credit may be for usage only."""
    weights: dict[str, int] = {}
    for kind, net, total in lines:
        if net > 0:
            weights[kind] = weights.get(kind, 0) + max(total, 0)
    if not sum(weights.values()):
        return [rules.Owed(owed)]
    shares = owed.allocate(list(weights.values()))
    return [rules.Owed(share, kind) for kind, share in zip(weights, shares, strict=True)]


def apply(invoice: Invoice, most: Money | None = None) -> Money:
    """Use credit for what is due of a finalised invoice, at most `most`; returns how much was used.

    Entries for each grant that pays; `amount_credited` grows.
    """
    owed = invoice.due if most is None else min(most, invoice.due)
    used = Money.zero(invoice.currency)
    if owed.amount <= 0:
        return used
    found = {str(grant.id): grant for grant in usable(invoice.seller_id, invoice.currency)}
    if not found:
        return used
    for one in plan(invoice, list(found.values()), owed).used:
        _apply(found[one.key], invoice, one.amount)
        used = used + one.amount
    invoice.amount_credited += used.amount
    session().flush()
    return used


def _apply(grant: CreditGrant, invoice: Invoice, amount: Money) -> None:
    use = take(grant, amount, "applied", invoice_id=invoice.id)
    ledger.post(
        f"credit_use:{use.id}",
        "credit used",
        [(ACCOUNT[grant.kind], amount), ("receivable", -amount)],
        seller_id=invoice.seller_id,
        source=f"invoice:{invoice.id}",
        description=f"{grant.kind.capitalize()} credit used",
    )


def take(
    grant: CreditGrant,
    amount: Money,
    kind: str,
    *,
    invoice_id: UUID | None = None,
    refund_id: UUID | None = None,
    credit_note_id: UUID | None = None,
    dispute: str | None = None,
) -> CreditUse:
    """Write down that `amount` was taken (below zero: given back). The caller posts the entries."""
    use = CreditUse(
        id=uuid7(), tenant_id=grant.tenant_id, grant_id=grant.id, kind=kind, amount=amount.amount,
        currency=amount.currency, effective_at=clock.now(), invoice_id=invoice_id, refund_id=refund_id,
        credit_note_id=credit_note_id, dispute=dispute,
    )  # fmt: skip
    grant.remaining -= amount.amount
    session().add(use)
    session().flush()
    if amount.amount > 0 and grant.kind == "account" and dispute is None:
        emit(
            "credit.used",
            subject=f"credit:{grant.id}",
            payload={
                "grant_id": str(grant.id), "kind": kind, "amount": amount.amount, "currency": amount.currency,
            },
        )  # fmt: skip
    return use


def take_up_to(
    found: Iterable[CreditGrant],
    wanted: Money,
    kind: str,
    *,
    refund_id: UUID | None = None,
    dispute: str | None = None,
) -> Money:
    """`take` from one after the other until as much is taken as is `wanted`; how much that was."""
    taken = Money.zero(wanted.currency)
    for grant in found:
        some = min(Money(grant.remaining, grant.currency), wanted - taken)
        if some:
            take(grant, some, kind, refund_id=refund_id, dispute=dispute)
            taken = taken + some
    return taken


def used_for(invoice_id: UUID) -> list[tuple[CreditGrant, Money]]:
    """The grants that an invoice still uses, newest use first, with how much: uses less what went back."""
    query = (
        select(CreditGrant, func.sum(CreditUse.amount), func.max(cast(CreditUse.id, String)))
        .join(CreditUse, CreditUse.grant_id == CreditGrant.id)
        .where(CreditUse.invoice_id == invoice_id, CreditUse.kind.in_(("applied", "unapplied", "returned")))
        .group_by(CreditGrant.id)
    )
    found = session().execute(query, execution_options={"populate_existing": True}).all()
    rows = sorted(found, key=lambda row: row[2], reverse=True)
    return [(grant, Money(int(amount), grant.currency)) for grant, amount, _last in rows if amount]


def give_back(
    invoice: Invoice, kind: str, wanted: Money, use: str, *, credit_note_id: UUID | None = None
) -> Money:
    """Give credit of `kind` that the invoice used back to the grants it came from, up to `wanted`; posts nothing."""
    given = Money.zero(invoice.currency)
    for grant, amount in used_for(invoice.id):
        back = min(amount, wanted - given)
        if grant.kind == kind and back.amount > 0:
            take(grant, -back, use, invoice_id=invoice.id, credit_note_id=credit_note_id)
            given = given + back
    return given


def standing_for(payment_id: UUID, invoice_id: UUID | None) -> list[CreditGrant]:
    """Account credit that stands for a payment's money: paid in by it, or given by a credit note on its invoice."""
    notes = select(CreditNote.id).where(CreditNote.invoice_id == invoice_id)
    query = select(CreditGrant).where(
        CreditGrant.kind == "account",
        CreditGrant.remaining > 0,
        (CreditGrant.payment_id == payment_id) | CreditGrant.credit_note_id.in_(notes),
    )
    query = query.order_by(CreditGrant.id.desc())
    return list(session().scalars(afresh(query)))
