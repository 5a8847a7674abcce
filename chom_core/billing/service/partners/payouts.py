"""Payouts: what is available leaves, once. Pending, then posted or voided, each step with its entries.

A payout is saved and committed before a gateway is called, under a key that comes from its own id: asked again, the
gateway answers how that payout stands. Where no gateway can pay, staff pay by hand and say so with a reference.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing import ledger
from chom_core.billing.models import Earning, Payout
from chom_core.billing.service.credit import accounts, grants
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import payout_gateways
from chom_core.billing.service.partners.earnings import EarnerKind, claw_back, earn, payable
from chom_core.database import afresh, clock, current, everyone, session
from chom_core.values.billing import Payee, PayoutRequest, PayoutResult, PayoutStatus
from chom_core.values.errors import Conflict, Invalid, NotFound, Unavailable
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import emit, enqueue

__all__ = ["claw_back", "earn", "mark_paid", "pay_out", "payable", "resolve_pending", "run", "send", "void"]
log = structlog.get_logger("chom.billing")
SEND, RUN, RESOLVE = "billing.send_payout", "billing.pay_out", "billing.resolve_payouts"
MANUAL, CREDIT = "manual", "credit"


def run(
    kind: EarnerKind, key: str, *, minimum: Money, method: str = "", prefix: str = "", unlike: str = ""
) -> int:
    """Begin a payout run: a job for each party of `kind` with `minimum` or more available. Returns how many.

    `key` names the run («referrals-2026-11»): however often it is started, each party is paid once. `prefix`: only
    parties whose names begin so; `unlike`: none whose names begin so. Sees every organisation; audited.
    """
    grants.money_in(minimum)
    key = grants.words_in(key, "key", 60)
    query = select(Earning.tenant_id, Earning.party).where(
        Earning.kind == kind,
        Earning.currency == minimum.currency,
        Earning.party.startswith(prefix, autoescape=True),
    )
    if unlike:
        query = query.where(Earning.party.not_like(f"{unlike}%"))
    with everyone(f"payout run {key}") as here:
        parties = here.execute(query.distinct().order_by(Earning.tenant_id, Earning.party)).all()
        for tenant_id, party in parties:
            enqueue(
                RUN,
                {"kind": kind, "party": party, "key": key, "minimum": minimum.amount, "currency": minimum.currency,
                 "method": method},
                tenant_id=tenant_id,
                key=f"payout/{key}/{tenant_id}/{kind}/{party}/{minimum.currency}",
            )  # fmt: skip
    record("payout.run", Subject("payout", "", key), after={"kind": kind, "parties": len(parties)})
    return len(parties)


def pay_out(party: str, kind: EarnerKind, key: str, *, minimum: Money, method: str = "") -> Payout | None:
    """Pay out all that is available to `party`, where that is `minimum` or more; None where it is less.

    `method`: "credit" (account credit, at once), "manual", a gateway's name, or "" for the gateway that can, else by
    hand. The same key again is the same payout. Conflict while another payout to this party is on its way.
    """
    sellers.lock_profile()
    party, key = grants.words_in(party, "party", 80), grants.words_in(key, "key", 80)
    whole = f"{key}/{kind}/{party}/{minimum.currency}"[:180]
    before = session().scalar(select(Payout).where(Payout.key == whole))
    if before is not None:
        return before
    owed = next((one for one in payable(party, kind) if one.currency == minimum.currency), None)
    if owed is None or owed.available < max(minimum, Money(1, minimum.currency)):
        return None
    if owed.on_its_way:
        raise Conflict(
            _("A payout is on its way."), fix=_("Wait until it is settled; the rest stays available.")
        )
    made = Payout(
        id=uuid7(), tenant_id=current().tenant_id, seller_id=_seller(party, kind, minimum.currency), kind=kind,
        party=party, key=whole, amount=owed.available.amount, currency=minimum.currency,
        method=method or payout_gateways.able(minimum.currency) or MANUAL, status="pending", reference="", message="",
    )  # fmt: skip
    session().add(made)
    session().flush()
    _post(made, "begun", [(f"{kind}_payable", _money(made), party), ("payout_clearing", -_money(made))])
    record("payout.begun", _subject(made), after={"party": party, "method": made.method})
    _tell("payout.begun", made)
    if made.method == CREDIT:
        _as_credit(made)
    elif made.method != MANUAL:
        enqueue(SEND, {"payout_id": str(made.id)}, key=f"{SEND}:{made.id}")
    return made


def send(payout_id: UUID) -> Payout:
    """Ask its gateway for the money, or how it stands; by hand where the payee has no account there. Commits."""
    of = locked(payout_id)
    if of.status != "pending" or of.method in (MANUAL, CREDIT):
        return of
    bound = payout_gateways.gateway(of.currency, of.method)
    payee = Payee(of.party, of.tenant_id)
    account = bound.call(lambda gateway: gateway.account(payee))
    if account is None or not account.ready:
        return _by_hand(payout_id)
    request = PayoutRequest(f"payout/{of.id}", payee, _money(of), f"{of.kind} {of.key}"[:120])
    return settle(payout_id, bound.call(lambda gateway: gateway.pay_out(request)))


def settle(payout_id: UUID, result: PayoutResult) -> Payout:
    """Write down what the gateway answered, once: a payout that is settled stays as it is."""
    of = locked(payout_id)
    if of.status != "pending":
        return of
    of.reference, of.message = result.reference or of.reference, result.message[:300]
    if result.status is PayoutStatus.POSTED:
        _posted(of)
    elif result.status is PayoutStatus.FAILED:
        _voided(of)
    session().flush()
    return of


def mark_paid(payout_id: UUID, reference: str) -> Payout:
    """Staff have paid it by hand: `reference` is the bank's. Audited. Conflict where it is not pending by hand."""
    of = locked(payout_id)
    reference = grants.words_in(reference, "reference", 120)
    if of.status == "posted" and of.reference == reference:
        return of
    _must_wait(of)
    of.reference = reference
    _posted(of)
    record("payout.paid", _subject(of), after={"reference": reference})
    session().flush()
    return of


def void(payout_id: UUID, reason: str) -> Payout:
    """Nothing was paid: what it held is available again. Audited. Conflict where a gateway has it, or it is settled."""
    of = locked(payout_id)
    reason = grants.words_in(reason, "reason", 300)
    if of.status == "voided":
        return of
    _must_wait(of)
    of.message = reason
    _voided(of)
    record("payout.voided", _subject(of), reason=reason)
    session().flush()
    return of


def resolve_pending() -> int:
    """Ask again about every payout of the current organisation that a gateway has not settled. Returns how many."""
    query = select(Payout.id).where(Payout.status == "pending", Payout.method.not_in((MANUAL, CREDIT)))
    waiting = session().scalars(query.order_by(Payout.id)).all()
    for payout_id in waiting:
        try:
            send(payout_id)
        except Unavailable as error:
            log.warning("payout not settled", payout=str(payout_id), why=error.detail)
    return len(waiting)


def locked(payout_id: UUID) -> Payout:
    """The payout with its row locked, behind the profile's; NotFound where it is not this organisation's."""
    sellers.lock_profile()
    query = select(Payout).where(Payout.id == payout_id, Payout.tenant_id == current().tenant_id)
    found = session().scalar(afresh(query))
    if found is None:
        raise NotFound(_("There is no such payout."))
    return found


def _must_wait(of: Payout) -> None:
    if of.status != "pending":
        raise Conflict(_("This payout is %(status)s already.", status=of.status))
    if of.method != MANUAL:
        raise Conflict(_("%(method)s has this payout.", method=of.method), fix=_("Wait for its answer."))


def _by_hand(payout_id: UUID) -> Payout:
    of = locked(payout_id)
    if of.status == "pending":
        of.method, of.message = MANUAL, "The payee has no account at the gateway that can be paid."
        _tell("payout.by_hand", of)
        session().flush()
    return of


def _as_credit(of: Payout) -> None:
    """Earnings taken as account credit: the clearing account pays it in, and it pays what is open."""
    accounts.grant_account_credit(
        _money(of), f"payout/{of.id}", "Earnings taken as credit", against="payout_clearing"
    )
    _settled(of, "posted")


def _posted(of: Payout) -> None:
    _post(of, "posted", [("payout_clearing", _money(of)), ("cash", -_money(of))])
    _settled(of, "posted")


def _voided(of: Payout) -> None:
    money = _money(of)
    _post(of, "voided", [("payout_clearing", money), (f"{of.kind}_payable", -money, of.party)])
    _settled(of, "voided")


def _settled(of: Payout, status: str) -> None:
    of.status, of.settled_at = status, clock.now()
    _tell(f"payout.{status}", of)


def _post(of: Payout, step: str, postings: list[Any]) -> None:
    ledger.post(
        f"payout:{of.id}:{step}", "payout", postings, seller_id=of.seller_id, source=f"payout:{of.id}",
        description=f"Payout {step}",
    )  # fmt: skip


def _seller(party: str, kind: str, currency: str) -> UUID:
    """Whose books owe it: one seller's, or else it would not be known who pays."""
    query = select(Earning.seller_id).where(
        Earning.party == party, Earning.kind == kind, Earning.currency == currency
    )
    found = set(session().scalars(query.distinct()))
    if len(found) != 1:
        raise Invalid(
            _("These earnings are with several sellers."),
            fix=_("Name the party differently for each seller."),
        )
    return found.pop()


def _money(of: Payout) -> Money:
    return Money(of.amount, of.currency)


def _subject(of: Payout) -> Subject:
    return Subject("payout", of.id, f"{_money(of).format()} to {of.party}")


def _tell(event: str, of: Payout) -> None:
    emit(
        event,
        subject=f"payout:{of.id}",
        payload={"payout_id": str(of.id), "party": of.party, "kind": of.kind, "amount": of.amount,
                 "currency": of.currency, "method": of.method},
    )  # fmt: skip
