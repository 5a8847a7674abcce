"""Our payments and disputes against Stripe's, with every difference listed. Repaired is only what moves no money.

Safe: an attempt that is open here and final there is asked about; an event that never reached us is heard now; a fee
that nobody heard of is posted, of a payment or a dispute. Money that only one side knows, other amounts, and money of a
reseller that is not with it are for a person: the list on the page says what both sides have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from chom_sdk import Money, clock, session
from chom_sdk.billing import GatewayFee, GatewayPayment, gateway_disputes, gateway_payments
from chom_sdk.work import outside
from chom_stripe import differences, reconcile_disputes, webhooks
from chom_stripe.differences import Ask, Found
from chom_stripe.keys import NAME, Keys, api, read
from chom_stripe.models import Attempt, Dispute, WebhookEvent
from chom_stripe.outcomes import CHARGE, destination, fee_of, identity, money, plain, spoken

if TYPE_CHECKING:
    from stripe import PaymentIntent

#: How far back a run looks, and how young an attempt may be to be left alone: it is still on its way.
BACK, YOUNG = timedelta(days=14), timedelta(minutes=10)
#: In the sandbox organisations' test clocks run ahead of ours.
_AHEAD = timedelta(days=365 * 50)
_FINAL = {"succeeded": "succeeded", "canceled": "cancelled", "requires_capture": "authorised"}
_OPEN = ("created", "requires_action", "pending")


@dataclass(frozen=True, slots=True)
class Theirs:
    """A payment intent as far as it is compared. `destination`: the account that its money was to go to.

    `got`: the account that its transfer went to, and `kept` what is there after reversals; `disputed`: what of it came
    back for banks, in minor units.
    """

    reference: str
    key: str
    tenant_id: UUID | None
    status: str
    amount: Money
    refunded: Money
    taken: Money
    fee: GatewayFee | None
    destination: str
    got: str
    kept: Money | None
    disputed: int = 0


def run() -> list[Found]:
    """Compare, write down, repair. What is no longer different is marked as resolved."""
    keys, now = read(), clock.now()
    ahead = _AHEAD if keys.mode == "sandbox" else timedelta(0)
    since, until = now - BACK, now - YOUNG + ahead
    theirs, missed = outside(_ask, keys, since, until)
    disputes = outside(reconcile_disputes.ask, keys, now - reconcile_disputes.BACK, until)
    theirs = _less_disputed(keys, theirs)
    ours = gateway_payments(NAME, since - YOUNG, now + ahead)
    mine, wanted = _of_this_account(ours, keys)
    disputes = [one for one in disputes if webhooks.is_here(one.tenant_id)]
    known = gateway_disputes(NAME, [one.reference for one in disputes])
    found = [
        *compare(mine, theirs, until, wanted),
        *reconcile_disputes.compare(known, disputes),
        *_hear(keys, missed),
    ]
    for one in found:
        differences.note(keys.mode, one, now)
    differences.resolve(keys.mode, now)
    return found


def compare(
    ours: Iterable[GatewayPayment], theirs: Sequence[Theirs], until: datetime, wanted: Mapping[str, str]
) -> Iterator[Found]:
    """Every difference between two lists of payments. `wanted`: the account each was to go to, by its name. Pure."""
    mine = {(one.tenant_id, one.key): one for one in ours}
    known = {(one.tenant_id, one.key): one for one in theirs}
    for one in theirs:
        if (one.tenant_id, one.key) not in mine and one.status in ("succeeded", "requires_capture"):
            yield Found("unknown_here", one.reference, "nothing", f"{one.status} {one.amount.format()}")
    for name, payment in mine.items():
        there = known.get(name)
        if there is not None:
            yield from _differences(payment, there)
            if there.status == "succeeded":
                yield from _fee(payment, there)
                yield from _transfer(payment, there, wanted.get(_subject(payment), ""))
        elif payment.created_at < until and payment.status in ("succeeded", "authorised"):
            yield Found(
                "missing_there", payment.key, f"{payment.status} {payment.amount.format()}", "nothing"
            )


def _differences(ours: GatewayPayment, theirs: Theirs) -> Iterator[Found]:
    final = _FINAL.get(theirs.status, "")
    if ours.status in _OPEN and final:
        again = "asked Stripe again"
        yield Found("open_here", _subject(ours), ours.status, theirs.status, again, _ask_about(theirs))
    elif "succeeded" in (ours.status, final) and ours.status != final and ours.status not in _OPEN:
        yield Found("status", _subject(ours), ours.status, theirs.status)
    if ours.amount != theirs.amount:
        yield Found("amount", _subject(ours), ours.amount.format(), theirs.amount.format())
    if ours.refunded != theirs.refunded:
        yield Found("refunded", _subject(ours), ours.refunded.format(), theirs.refunded.format())


def _fee(ours: GatewayPayment, theirs: Theirs) -> Iterator[Found]:
    """What Stripe kept is posted where it was not heard of; another amount is for a person."""
    fee = theirs.fee
    if fee is None or ours.status != "succeeded" or ours.fees == ((fee.amount,) if fee.amount else ()):
        return  # an attempt that is open here is asked about, with its fee
    repair, ask = ("", None) if ours.fees else ("posted now", _ask_about(theirs))
    posted = ", ".join(one.format() for one in ours.fees) or "nothing"
    yield Found("fee", _subject(ours), posted, fee.amount.format(), repair, ask)


def _ask_about(theirs: Theirs) -> Ask:
    """Asks how the payment stands, and what was kept of it."""
    return Ask("stripe.recheck", {"key": theirs.key, "reference": theirs.reference}, theirs.tenant_id)


def _transfer(ours: GatewayPayment, theirs: Theirs, wanted: str) -> Iterator[Found]:
    """The money must be where it was meant to be: all that was taken, less what went back."""
    if wanted != theirs.destination or (theirs.got or wanted) != wanted:
        there = theirs.got or theirs.destination
        yield Found("transfer", _subject(ours), wanted or "the platform", there or "the platform")
    elif wanted and not theirs.got:
        yield Found("transfer", _subject(ours), wanted, "no transfer")
    elif theirs.kept is not None and theirs.kept.currency == theirs.taken.currency:
        right = theirs.taken - theirs.refunded - Money(theirs.disputed, theirs.taken.currency)
        if theirs.kept != right:
            there = f"{theirs.got}: {theirs.kept.format()}"
            yield Found("transfer", _subject(ours), f"{wanted}: {right.format()}", there)


def _subject(payment: GatewayPayment) -> str:
    """Names a payment of ours: keys are unique within an organisation only."""
    return f"{payment.tenant_id}/{payment.key}"


def _of_this_account(
    payments: Iterable[GatewayPayment], keys: Keys
) -> tuple[list[GatewayPayment], dict[str, str]]:
    """Without those made in another mode: the sandbox's payments, before the keys came, are not Stripe's to know.

    And the accounts that the others were to go to, by name.
    """
    every = list(payments)
    names = {one.id: _subject(one) for one in every}
    query = select(Attempt.key, Attempt.mode, Attempt.destination).where(Attempt.key.in_(names.values()))
    modes: dict[str, set[str]] = {}
    wanted: dict[str, str] = {}
    for key, mode, to in session().execute(query):
        modes.setdefault(key, set()).add(mode)
        if mode == keys.mode and to:
            wanted[key] = to
    return [one for one in every if keys.mode in modes.get(names[one.id], {keys.mode})], wanted


def _ask(keys: Keys, since: datetime, until: datetime) -> tuple[list[Theirs], list[dict[str, object]]]:
    """Stripe's payments and refunds of the window, and its events that we may have missed."""
    created: Any = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
    with spoken():
        v1 = api(keys)
        refunds: dict[str, int] = {}
        for refund in v1.refunds.list({"created": {"gte": created["gte"]}, "limit": 100}).auto_paging_iter():
            if refund.status == "succeeded" and refund.payment_intent:
                name = str(refund.payment_intent)
                refunds[name] = refunds.get(name, 0) + refund.amount
        asked: Any = {
            "created": created,
            "limit": 100,
            "expand": [f"data.{CHARGE}", "data.latest_charge.transfer"],
        }
        every = v1.payment_intents.list(asked).auto_paging_iter()
        theirs = [_theirs(one, refunds.get(one.id, 0)) for one in every]
        heard = v1.events.list({"created": created, "limit": 100}).auto_paging_iter()
        return theirs, [one.to_dict() for one in heard if one.type.startswith(webhooks.HEARD)]


def _theirs(intent: PaymentIntent, refunded: int) -> Theirs:
    facts = plain(intent.metadata)
    tenant = facts.get("chom_tenant")
    charge: Any = intent.latest_charge
    went: Any = getattr(charge, "transfer", None)
    return Theirs(
        intent.id, facts.get("chom_key", ""), UUID(tenant) if tenant else None, intent.status,
        money(intent.amount, intent.currency), money(refunded, intent.currency),
        money(intent.amount_received, intent.currency), fee_of(intent), destination(intent),
        identity(went.destination) if went is not None else "",
        money(went.amount - went.amount_reversed, went.currency) if went is not None else None,
    )  # fmt: skip


def _less_disputed(keys: Keys, theirs: Sequence[Theirs]) -> list[Theirs]:
    query = (
        select(Dispute.intent, func.sum(Dispute.recovered))
        .where(Dispute.mode == keys.mode, Dispute.intent.in_([one.reference for one in theirs]))
        .group_by(Dispute.intent)
    )
    back = {intent: int(amount or 0) for intent, amount in session().execute(query)}
    return [replace(one, disputed=back.get(one.reference, 0)) for one in theirs]


def _hear(keys: Keys, events: list[dict[str, object]]) -> Iterator[Found]:
    """Events that never reached us are taken now, as if they had just been delivered."""
    names = [str(event["id"]) for event in events]
    mine = WebhookEvent.mode == keys.mode, WebhookEvent.event_id.in_(names)
    known = set(session().scalars(select(WebhookEvent.event_id).where(*mine)))
    for event in events:
        if event["id"] not in known:
            facts = webhooks.record_of(event)
            webhooks.record(keys.mode, facts, webhooks.tenant_of(event))
            yield Found("missed_event", facts["event_id"], "never delivered", facts["type"], "heard now")
