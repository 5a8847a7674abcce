"""Credit: granted, topped up by card, revoked, expired. It pays open invoices at once, and the next ones by itself.

Account credit is paid in and refundable. Promotional credit is granted, may expire, and is never cash. A top-up is a
payment without an invoice: money paid in is owed back until a finalised invoice uses it, and that invoice is taxed; a
taxed "top-up invoice" would be a second document for one sale.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing import ledger
from chom_core.billing.models import CreditGrant, Invoice, Payment, Subscription
from chom_core.billing.rules import credits as rules
from chom_core.billing.rules.rounding import rounded
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.paying import methods, payments, settlement
from chom_core.database import clock, locked, session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.money import Money
from chom_core.work import emit

EXPIRE = "billing.expire_credit"


def grant_account_credit(
    money: Money, key: str, reason: str, *, against: str | tuple[str, str] = "promotional_expense"
) -> CreditGrant:
    """Account credit that nobody paid in by card: goodwill, earnings taken as credit. Pays open invoices at once.

    `against`: the ledger account that bears it, or (account, party): ("affiliate_payable", "…"). The same key again is
    the same grant; with other facts Conflict. Raises Invalid for an amount, currency, key or reason that is none.
    """
    return _grant("account", money, key, reason, against=against)


def grant_promotional_credit(
    money: Money,
    key: str,
    reason: str,
    expires_at: datetime | None = None,
    *,
    priority: int = 50,
    usage_only: bool = False,
) -> CreditGrant:
    """Promotional credit: never cash. `usage_only`: pays for usage lines and nothing else. Lower `priority` first."""
    if expires_at is not None:
        _expiry(expires_at)
    if not 0 <= priority <= 1000:
        raise Invalid(_("Which priority?"), fields={"priority": [_("Between 0 and 1000.")]})
    return _grant(
        "promotional", money, key, reason, against="promotional_expense", expires_at=expires_at,
        priority=priority, usage_only=usage_only,
    )  # fmt: skip


def _grant(
    kind: str,
    money: Money,
    key: str,
    reason: str,
    *,
    against: str | tuple[str, str],
    expires_at: datetime | None = None,
    priority: int = 50,
    usage_only: bool = False,
) -> CreditGrant:
    sellers.lock_profile()
    used_here(grants.money_in(money))
    reason, key = grants.words_in(reason, "reason", 300), grants.words_in(key, "key", 180)
    known = session().scalar(select(CreditGrant.id).where(CreditGrant.key == f"grant/{key}"))
    made = grants.add(
        kind, money, f"grant/{key}", seller_id=sellers.seller().id, against=against, reason=reason,
        priority=priority, usage_only=usage_only, expires_at=expires_at,
    )  # fmt: skip
    if known is None:
        record(
            "credit.granted", Subject("credit", made.id, money.format()), reason=reason, after={"kind": kind}
        )
        emit(
            "credit.granted",
            subject=f"credit:{made.id}",
            payload={
                "grant_id": str(made.id),
                "kind": kind,
                "amount": money.amount,
                "currency": money.currency,
            },
        )
        settlement.pay_open_by_credit()
    return made


def top_up(
    money: Money, method_id: UUID, key: str, *, return_url: str = "", off_session: bool = False
) -> Payment:
    """Charge a card and keep the money as account credit. However often the same key is pressed, it is one charge.

    Commits on the way. Raises Invalid, NotFound (the card), Conflict (the key was for another sum), Unavailable. The
    payment's status says how it went; with `requires_action` the person goes to its `url`.
    """
    sellers.lock_profile()
    used_here(grants.money_in(money))
    key = grants.words_in(key, "key", 120)
    payment = payments.begin_top_up(
        money, methods.method(method_id), key, return_url=return_url, off_session=off_session
    )
    return payments.send(payment.id)


def credits(text: str | Decimal, currency: str) -> Money:
    """An amount as people type it, rounded half up to what the currency can hold: 4.39999 yen are ¥4.

    Raises Invalid where it is no number above zero.
    """
    try:
        number = Decimal(text)
        money = rounded(number, currency) if abs(number) < 10**12 else None
    except (ArithmeticError, ValueError):
        money = None
    if money is None:
        raise Invalid(_("This is no amount."), fields={"amount": [_("A number, for example 50.00.")]})
    return grants.money_in(money)


def used_here(money: Money) -> None:
    """Credit is of use only in the customer's currency, or one in which it has subscriptions or invoices."""
    known = {sellers.profile().currency}
    if money.currency in known:
        return
    known |= set(session().scalars(select(Subscription.currency).distinct()))
    known |= set(session().scalars(select(Invoice.currency).distinct()))
    if money.currency not in known:
        raise Invalid(
            _("Nothing here is billed in %(currency)s.", currency=money.currency),
            fields={"currency": [", ".join(sorted(known))]},
        )


def revoke(grant_id: UUID, reason: str) -> CreditGrant:
    """Take back what is left of promotional credit. Account credit is the customer's: refund it instead. Audited."""
    sellers.lock_profile()
    reason = grants.words_in(reason, "reason", 300)
    grant = _locked(grant_id)
    if grant.kind != "promotional":
        raise Conflict(
            _("Account credit is the customer's money."), fix=_("Refund the payment it came from.")
        )
    if grant.remaining:
        _end(grant, "revoked", reason)
        record("credit.revoked", Subject("credit", grant.id, grant.reason), reason=reason)
    return grant


def expire_due() -> int:
    """End promotional credit whose time has come; returns how many grants ended. Again: nothing."""
    sellers.lock_profile()
    query = select(CreditGrant.id).where(CreditGrant.remaining > 0, CreditGrant.expires_at <= clock.now())
    found = session().scalars(query.order_by(CreditGrant.expires_at)).all()
    for grant_id in found:
        grant = _locked(grant_id)
        left = Money(grant.remaining, grant.currency)
        _end(grant, "expired", "Expired")
        emit(
            "credit.expired",
            subject=f"credit:{grant.id}",
            payload={"grant_id": str(grant.id), "amount": left.amount, "currency": left.currency},
        )
    return len(found)


def _end(grant: CreditGrant, kind: str, words: str) -> None:
    left = Money(grant.remaining, grant.currency)
    use = grants.take(grant, left, kind)
    ledger.post(
        f"credit_use:{use.id}",
        f"credit {kind}",
        [("promotional_credit", left), ("promotional_expense", -left)],
        seller_id=grant.seller_id,
        source=f"credit:{grant.id}",
        description=words,
    )


def _locked(grant_id: UUID) -> CreditGrant:
    return locked(CreditGrant, grant_id, NotFound(_("There is no such credit.")))


def _expiry(expires_at: datetime) -> None:
    if expires_at.tzinfo is None or not clock.now() < expires_at < clock.now() + grants.LONGEST:
        raise Invalid(
            _("When does it expire?"), fields={"expires_at": [_("In the future, within ten years.")]}
        )


def balance(kind: str, currency: str) -> Money:
    """What is left of a kind of credit in a currency: usable now, expired grants not counted."""
    query = select(CreditGrant.remaining).where(
        CreditGrant.kind == kind,
        CreditGrant.currency == currency,
        (CreditGrant.expires_at.is_(None)) | (CreditGrant.expires_at > clock.now()),
    )
    return Money(sum(session().scalars(query)), currency)


def projected(currency: str, unbilled: Money) -> Money:
    """The account credit that drafts and the usage so far (`unbilled`) leave; below zero a card has to pay. A look
    ahead: drafts and usage move no money."""
    drafts = select(Invoice.total).where(Invoice.status == "draft", Invoice.currency == currency)
    totals = [Money(total, currency) for total in session().scalars(drafts)]
    return rules.projected(balance("account", currency), totals, unbilled)
