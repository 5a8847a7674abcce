"""The check: is credit low, and may a card be asked? One charge for each crossing, whatever runs twice or dies.

The attempt's row is written before the gateway is called and found by whoever comes later: until its answer is known,
everybody asks about that one, under its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlalchemy import func, select

from chom_sdk import Invalid, Money, PaymentRequired, billing, clock, organisation_id, session
from chom_sdk.billing import TopUp
from chom_sdk.notifications import Amount, notify, phrase

from . import service
from .models import Attempt, Rule

#: Refusals in a row after which a card is not asked any more; top-ups a day, limit or none.
REFUSALS, A_DAY = 3, 3
PAGE = "/auto-top-up"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, kept apart from its row: the row is read again after the gateway's answer."""

    id: UUID
    money: Money
    key: str
    method_id: UUID | None


def check() -> None:
    """Top up where credit is low. Any number at once, any number of times: one charge. Commits on the way.

    Raises Unavailable where the gateway did not answer: call it again.
    """
    rule = service.rule(lock=True)
    if rule is None:
        return
    asked = _open() or _begin(rule)
    if asked is None:
        return
    try:
        told = billing.top_up(asked.money, asked.key, asked.method_id)
    except (PaymentRequired, Invalid) as refusal:  # no card was asked: it is gone, or the currency is
        _settle(asked.id, None, f"{refusal.detail} {refusal.fix}".strip())
        return
    _settle(asked.id, told, told.message)


def stop(dispute: str) -> None:
    """A bank took a payment back: no card is charged by itself any more, until a person lets it go on."""
    rule = service.rule(lock=True)
    if rule is None or not rule.enabled or rule.paused_at is not None:
        return
    rule.paused_at = clock.now()
    session().flush()
    notify(
        "auto_topup.paused",
        title=phrase("Automatic top-ups are paused"),
        body=phrase("A bank took one of your payments back. No card is charged by itself until you say so."),
        link=PAGE, action=phrase("Look at it"), key=dispute,
    )  # fmt: skip


def _open() -> Asked | None:
    found = session().scalar(
        select(Attempt).where(Attempt.status == "charging").order_by(Attempt.id).limit(1)
    )
    return _asked(found) if found is not None else None


def _asked(of: Attempt) -> Asked:
    return Asked(of.id, Money(of.amount, of.currency), of.key, of.method_id)


def _begin(rule: Rule) -> Asked | None:
    """The attempt that is due now, written down; None where nothing is."""
    if not rule.enabled or rule.paused_at is not None or rule.tried_on == _today():
        return None
    balance = billing.account_credit(rule.currency).account
    threshold, amount = Money(rule.threshold, rule.currency), Money(rule.amount, rule.currency)
    due = billing.top_up_due(balance, threshold, amount)
    if due is None or not _room(rule, due):
        return None
    made = Attempt(
        tenant_id=organisation_id(), key=f"auto/{organisation_id()}/{rule.crossing}.{rule.failures}",
        amount=due.amount, balance=balance.amount, currency=due.currency, method_id=rule.method_id,
        status="charging",
    )  # fmt: skip
    session().add(made)
    session().flush()
    return _asked(made)


def _room(rule: Rule, due: Money) -> bool:
    """May as much be charged today, and in this month?"""
    midnight = datetime.combine(_today(), time(), UTC)
    today = select(func.count(Attempt.id)).where(Attempt.created_at >= midnight, Attempt.status != "declined")
    if (session().scalar(today) or 0) >= A_DAY:
        return False
    used = service.topped_up(rule.currency)
    if rule.cap is None or (used + due).amount <= rule.cap:
        return True
    cap = Money(rule.cap, rule.currency)
    notify(
        "auto_topup.limited",
        title=phrase("Credit is low, and was not topped up"),
        body=phrase(
            "A top-up of %(amount)s would pass your limit of %(cap)s in a month; %(used)s were added so far.",
            amount=Amount(due), cap=Amount(cap), used=Amount(used),
        ),
        link=PAGE, action=phrase("Change the limit"), key=f"limited:{_today():%Y-%m}:{rule.cap}",
    )  # fmt: skip
    return False


def _settle(attempt_id: UUID, told: TopUp | None, message: str) -> None:
    """Write down how it went and tell it, once; an answer that is not there yet comes as an event."""
    rule = service.rule(lock=True)
    query = select(Attempt).where(Attempt.id == attempt_id).execution_options(populate_existing=True)
    attempt = session().scalars(query).one()
    if rule is None or attempt.status != "charging" or (told is not None and told.status == "pending"):
        return
    attempt.settled_at = clock.now()
    if told is not None:
        attempt.card, attempt.code, attempt.payment_id = told.card, told.code, told.payment_id
    if told is not None and told.status == "succeeded":
        attempt.status = "succeeded"
        rule.crossing, rule.failures, rule.tried_on = rule.crossing + 1, 0, None
        _tell_success(attempt)
    else:
        attempt.status, attempt.message = "declined", message[:300]
        rule.failures, rule.tried_on = rule.failures + 1, _today()
        if rule.failures >= REFUSALS:
            rule.paused_at = clock.now()
        _tell_refusal(rule, attempt)
    session().flush()


def _tell_success(attempt: Attempt) -> None:
    money = Money(attempt.amount, attempt.currency)
    notify(
        "auto_topup.topped_up",
        title=phrase("%(amount)s of credit were added", amount=Amount(money)),
        body=phrase(
            "Your credit was down to %(balance)s, so %(card)s was charged %(amount)s.",
            balance=Amount(Money(attempt.balance, attempt.currency)), card=attempt.card, amount=Amount(money),
        ),
        link=PAGE, action=phrase("See the history"), key=f"attempt:{attempt.id}",
    )  # fmt: skip


def _tell_refusal(rule: Rule, attempt: Attempt) -> None:
    facts = [
        (phrase("Amount"), Amount(Money(attempt.amount, attempt.currency))),
        (phrase("Card"), attempt.card or "–"),
    ]
    if rule.paused_at is not None:
        kind, title = "auto_topup.paused", phrase("Automatic top-ups are paused")
        more = phrase("The card was refused three times. Choose another one, or let it go on.")
    else:
        kind, title = "auto_topup.declined", phrase("An automatic top-up was declined")
        more = phrase("It is tried again tomorrow. Nothing was charged.")
    notify(
        kind,
        title=title,
        body=phrase("%(why)s\n\n%(more)s", why=attempt.message or phrase("The bank declined it."), more=more),
        facts=facts, link=PAGE, action=phrase("Choose a card"), key=f"attempt:{attempt.id}",
    )  # fmt: skip


def _today() -> date:
    return clock.now().astimezone(UTC).date()
