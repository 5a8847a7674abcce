"""Money: a newcomer's paid invoices earn, refunds take back, payouts go out; all of it through the core's ledger.

The referrer's own unit of work earns. What the newcomer's invoice brought in is asked afresh each time, so that news
of it may come late, twice or in any order.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from chom_sdk import Money, billing, clock, organisation_id, session, settings, uuid7
from chom_sdk.billing import Sale
from chom_sdk.notifications import Amount, Day, notify, phrase
from chom_sdk.work import enqueue

from .models import Commission, Referral
from .terms import Terms, tier

CREDIT = "credit:"


def party(organisation: UUID, as_credit: bool) -> str:
    """The payee's name on the ledger. What is paid as credit is kept apart from what is paid as money."""
    return f"{CREDIT}{organisation}" if as_credit else str(organisation)


def of_newcomer(newcomer: UUID) -> Referral | None:
    """The referral that counts for this organisation."""
    return session().scalar(
        select(Referral).where(Referral.referred_id == newcomer, Referral.status != "refused")
    )


def follow(newcomer: UUID, invoice_id: UUID, event_id: str) -> None:
    """Something happened to a newcomer's invoice: their discount begins with the first that costs anything, and the
    referrer's organisation settles it."""
    referral = of_newcomer(newcomer)
    if referral is None:
        return
    if referral.discount_from is None:
        sale = billing.sale(newcomer, invoice_id)
        if sale.net:
            referral.discount_from = sale.begins or clock.now()
    enqueue(
        "referrals.settle",
        {"referral_id": str(referral.id), "invoice_id": str(invoice_id)},
        tenant_id=referral.referrer_id,
        key=f"referrals/settle/{event_id}",
    )


def settle(referral_id: UUID, invoice_id: UUID) -> None:
    """Make the current organisation's commission for this invoice what the invoice, as it stands now, makes it."""
    referral = session().scalar(
        select(Referral)
        .where(Referral.id == referral_id, Referral.referrer_id == organisation_id())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if referral is None or referral.status == "refused":
        return
    sale = billing.sale(referral.referred_id, invoice_id)
    known = session().scalar(select(Commission).where(Commission.invoice_id == invoice_id))
    if known is None:
        known = _earn(referral, sale)
    if known is not None and known.amount:
        _follow(known, sale)


def _earn(referral: Referral, sale: Sale) -> Commission | None:
    if not sale.paid or not sale.collected:
        return None
    themselves = billing.relation(referral.referrer_id, referral.referred_id).themselves
    if themselves and referral.status == "pending":  # only now is a card known; later sharing is not a fraud
        referral.status, referral.why = "refused", themselves
        return None
    terms, now = Terms.of_json(referral.terms), clock.now()
    had = session().execute(
        select(
            func.count(Commission.id), func.coalesce(func.sum(Commission.amount - Commission.taken_back), 0)
        ).where(Commission.referral_id == referral.id)
    )
    paid_before, earned = had.one()
    bonus = tier(settings.read("referrals"), conversions(referral.referrer_id)).bonus
    amount = terms.commission(
        paid_before + 1, sale.collected, Money(int(earned), sale.collected.currency), bonus
    )
    available_at, key = now + timedelta(days=terms.pending_days), f"referrals/{sale.invoice_id}"
    made = Commission(
        id=uuid7(), referral_id=referral.id, referrer_id=referral.referrer_id, invoice_id=sale.invoice_id, key=key,
        nth=paid_before + 1, base=sale.collected.amount, amount=amount.amount, taken_back=0,
        base_currency=sale.collected.currency, currency=amount.currency, earned_at=now, available_at=available_at,
    )  # fmt: skip
    session().add(made)
    if referral.status == "pending":
        referral.status, referral.converted_at = "converted", now
    session().flush()
    if amount:
        owner = party(referral.referrer_id, terms.as_credit)
        billing.earn(owner, "affiliate", amount, key, f"invoice:{sale.invoice_id}", available_at)
        notify(
            "referrals.earned",
            title=phrase("You earned %(amount)s", amount=Amount(amount)),
            body=phrase("Somebody you sent has paid an invoice. You can have it paid out from %(day)s.",
                   day=Day(available_at)),
            link="/referrals/",
            key=f"earned:{made.id}",
        )  # fmt: skip
    return made


def _follow(of: Commission, sale: Sale) -> None:
    """Refunds since it was earned take back their share; a refund that failed gives it again."""
    lost = max(0, of.base - sale.collected.amount)
    delta = billing.claw_back(of.key, Money(lost, of.currency), Money(of.base, of.currency))
    if not delta:
        return
    of.taken_back += delta.amount
    session().flush()
    if delta.amount > 0:
        notify(
            "referrals.taken_back",
            title=phrase("%(amount)s of your earnings was taken back", amount=Amount(delta)),
            body=phrase("An invoice of somebody you sent was refunded."),
            link="/referrals/",
            key=f"back:{of.id}:{of.taken_back}",
        )


def conversions(referrer: UUID) -> int:
    """How many newcomers of this organisation have paid."""
    query = select(func.count(Referral.id)).where(
        Referral.referrer_id == referrer, Referral.status == "converted"
    )
    return session().scalar(query) or 0


def pay_all(values: dict[str, Any], run: str) -> int:
    """The payout run of a month: rewards become credit, earnings leave as money. Once for each name of a run."""
    code = values["currency"]
    one, least = Money(1, code), max(Money.of(values["minimum"], code), Money(1, code))
    rewarded = billing.run_payouts(
        "affiliate", f"referrals-credit-{run}", minimum=one, method="credit", prefix=CREDIT
    )
    return rewarded + billing.run_payouts("affiliate", f"referrals-{run}", minimum=least, unlike=CREDIT)


def pay_me() -> int:
    """Pay out what is available to the current organisation, as credit and as money; how many payouts began."""
    values = settings.read("referrals")
    code, here = values["currency"], organisation_id()
    made, stamp = 0, f"referrals-asked-{clock.now():%Y%m%d%H%M}"
    for as_credit, least in ((True, Money(1, code)), (False, Money.of(values["minimum"], code))):
        found = billing.pay_out(
            party(here, as_credit), "affiliate", stamp, minimum=least, method="credit" if as_credit else ""
        )
        made += found is not None
    return made
