"""What vendors, affiliates and resellers earn: posted once, pending for a while, taken back as sales are refunded.

All of it stands in the payee's own organisation: call these in its unit of work. `party` names the payee on the
ledger, stable and unique in its organisation.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing import ledger
from chom_core.billing.models import Earning, Payout
from chom_core.billing.models.payouts import EARNERS
from chom_core.billing.rules.rounding import half_up
from chom_core.billing.service.credit import grants
from chom_core.billing.service.invoicing import sellers
from chom_core.database import afresh, clock, current, session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.ids import uuid7
from chom_core.values.money import Money
from chom_core.work import emit

EarnerKind = Literal["vendor", "affiliate", "reseller"]
LONGEST = timedelta(days=730)


class Payable(Struct, frozen=True):
    """What one party is owed in one currency. `available` may be negative: paid out before a sale was refunded.

    `pending` waits for its day, `on_its_way` is in a payout that is not settled yet, `paid` has arrived.
    `earned` is all of it less `taken_back`.
    """

    kind: str
    party: str
    currency: str
    pending: Money
    available: Money
    on_its_way: Money
    paid: Money
    earned: Money
    taken_back: Money


def earn(
    party: str,
    kind: EarnerKind,
    money: Money,
    key: str,
    source: str,
    available_at: datetime | None = None,
    *,
    seller_id: UUID | None = None,
    against: Literal["commission", "cash"] = "commission",
) -> UUID:
    """Debit commission, credit the party's payable, once per `key`; it may be paid out from `available_at` (now).

    `against` "cash": no cost of the seller's, but money that it holds for the party.
    The same key again is the same earning; with other facts Conflict. Raises Invalid for what is no amount, party,
    key, or a day further away than two years. Emits `earning.posted`.
    """
    sellers.lock_profile()
    grants.money_in(money)
    if kind not in EARNERS:
        raise Invalid(_("Who earns?"), fields={"kind": [", ".join(EARNERS)]})
    party, key = grants.words_in(party, "party", 80), grants.words_in(key, "key", 180)
    source, now = grants.words_in(source, "source", 120), clock.now()
    before = session().scalar(select(Earning).where(Earning.key == key))
    if before is not None:
        had = (before.party, before.kind, before.amount, before.currency, before.source)
        if had != (party, kind, money.amount, money.currency, source):
            raise Conflict(_("This key was used for another earning."), fix=_("Nothing was posted."))
        return before.id
    available_at = _day(available_at or now, now)
    made = Earning(
        id=uuid7(), tenant_id=current().tenant_id, seller_id=seller_id or sellers.seller().id, kind=kind,
        party=party, key=key, amount=money.amount, taken_back=0, currency=money.currency, source=source,
        available_at=available_at, against=against,
    )  # fmt: skip
    session().add(made)
    session().flush()
    words = "Earned by a sale" if against == "commission" else "Collected for its owner"
    _post(made, money, f"earning:{made.id}", "earning", words)
    _tell("earning.posted", made, money)
    return made.id


def claw_back(key: str, refunded: Money, total: Money) -> Money:
    """Make an earning follow its sale: `refunded`, all in all, of a sale of `total` has gone back.

    Takes back round(earned × refunded / total), less what was taken back before: so the last refund closes it to zero,
    and the same news twice changes nothing. Where less is refunded than was thought (a refund that failed) the
    difference is earned again. Returns what changed hands now: positive where it was taken back. NotFound, Invalid.
    """
    sellers.lock_profile()
    query = select(Earning).where(Earning.key == key, Earning.tenant_id == current().tenant_id)
    found = session().scalar(afresh(query))
    if found is None:
        raise NotFound(_("There is no such earning."))
    if {refunded.currency, total.currency} != {found.currency}:
        raise Invalid(
            _("The sale has another currency."),
            fields={"refunded": [_("In %(currency)s.", currency=found.currency)]},
        )
    if total.amount <= 0 or not 0 <= refunded.amount <= total.amount:
        raise Invalid(
            _("More than the sale cannot go back."), fields={"refunded": [_("From 0 to the sale.")]}
        )
    goal = half_up(_exactly(found.amount, refunded.amount, total.amount))
    delta = Money(goal - found.taken_back, found.currency)
    if delta:
        found.taken_back = goal
        turn = ledger.turn(f"earning:{found.id}:back")
        _post(found, -delta, turn, "clawback", "A sale was refunded" if delta.amount > 0 else "Earned again")
        _tell("earning.taken_back", found, delta)
        session().flush()
    return delta


def known(key: str) -> UUID | None:
    """The id of the current organisation's earning of this key, if it was posted."""
    return session().scalar(select(Earning.id).where(Earning.key == key))


def payable(party: str, kind: EarnerKind | None = None) -> list[Payable]:
    """What `party` of the current organisation is owed, by kind and currency: projections that the ledger proves."""
    now = clock.now()
    net = Earning.amount - Earning.taken_back
    earned = select(
        Earning.kind,
        Earning.currency,
        func.sum(net),
        func.coalesce(func.sum(net).filter(Earning.available_at > now), 0),
        func.sum(Earning.taken_back),
    ).where(Earning.party == party)
    paid = select(
        Payout.kind,
        Payout.currency,
        func.coalesce(func.sum(Payout.amount).filter(Payout.status == "pending"), 0),
        func.coalesce(func.sum(Payout.amount).filter(Payout.status == "posted"), 0),
    ).where(Payout.party == party)
    if kind is not None:
        earned, paid = earned.where(Earning.kind == kind), paid.where(Payout.kind == kind)
    gone = {
        (k, c): (int(p), int(d))
        for k, c, p, d in session().execute(paid.group_by(Payout.kind, Payout.currency))
    }
    found = []
    for k, c, all_, waits, back in session().execute(earned.group_by(Earning.kind, Earning.currency)):
        moving, done = gone.get((k, c), (0, 0))
        parts = (waits, all_ - waits - moving - done, moving, done, all_, back)
        found.append(Payable(k, party, c, *(Money(int(part), c) for part in parts)))
    return sorted(found, key=lambda one: (one.kind, one.currency))


def _exactly(amount: int, refunded: int, total: int) -> Fraction:
    return Fraction(amount * refunded, total)


def _day(at: datetime, now: datetime) -> datetime:
    if not isinstance(at, datetime) or at.tzinfo is None or at > now + LONGEST:
        raise Invalid(
            _("When is it available?"), fields={"available_at": [_("An instant within two years.")]}
        )
    return at


def _post(of: Earning, money: Money, key: str, kind: str, words: str) -> None:
    ledger.post(
        key,
        kind,
        [(of.against, money), (f"{of.kind}_payable", -money, of.party)],
        seller_id=of.seller_id,
        source=of.source,
        description=words,
    )


def _tell(event: str, of: Earning, money: Money) -> None:
    emit(
        event,
        subject=f"earning:{of.id}",
        payload={"earning_id": str(of.id), "party": of.party, "kind": of.kind, "key": of.key,
                 "amount": money.amount, "currency": money.currency, "source": of.source},
    )  # fmt: skip
