"""Dunning: an unpaid invoice is asked for again, its people are told, and at a told date its services stop.

`step` does what is due for one invoice and may be called at any time, any number of times, by any worker: each thing
is done under a key of its own. Nothing is suspended before the gateway answered at least once for that invoice
(where no card is on file there is nobody to ask: then the notices stand for it). Payment brings everything back.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import exists, select

from chom_core.billing.models import Dunning, DunningHold, Invoice, Payment, PaymentMethod
from chom_core.billing.models.payments import OPEN
from chom_core.billing.rules import ladder
from chom_core.billing.service.dunning import holds, notices, rows
from chom_core.billing.service.invoicing import invoices, sellers, writing_off
from chom_core.billing.service.paying import methods, payments
from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import clock, restart, session
from chom_core.values.errors import ChomError

log = structlog.get_logger("chom.billing")
STEP, SWEEP = rows.STEP, "billing.dunning"
#: Things done for one invoice in one run: the ladder has fewer, so this only stops what would go in circles.
MOST = 40
#: When it is looked at again where a payment is on its way.
LATER = timedelta(hours=1)
#: Answers of a gateway that mean: the person must approve it themselves.
APPROVE = frozenset({"authentication_required", "requires_action"})


def sweep() -> None:
    """The net below events and jobs: put unpaid invoices on the ladder, do what is due, bring back what is paid."""
    for invoice_id in _unnoticed():
        begin(invoice_id)
        restart()
    query = select(Dunning.id).where(
        (Dunning.status == "open")
        | Dunning.id.in_(select(DunningHold.dunning_id).where(DunningHold.released_at.is_(None)))
    )
    for dunning_id in session().scalars(query.order_by(Dunning.started_at, Dunning.id)).all():
        try:
            step(dunning_id)
        except ChomError as error:  # one gateway that is silent, or one busy service, stops no other's ladder
            session().rollback()
            log.warning("dunning waits", dunning=str(dunning_id), error=error.detail)
        restart()


def _unnoticed() -> list[UUID]:
    """Open invoices with something due that nobody asks for: tried and refused, or without a card to try.

    One that a refund or a dispute opened again is staff's to decide: a card is not charged again for what was given
    back.
    """
    known = exists().where(Dunning.invoice_id == Invoice.id)
    trying = exists().where(Payment.invoice_id == Invoice.id, Payment.status.in_(OPEN))
    query = select(Invoice).where(Invoice.status == "open", Invoice.amount_refunded == 0, ~known, ~trying)
    found = session().scalars(query.order_by(Invoice.finalised_at, Invoice.id)).all()
    no_card = methods.default_method() is None
    return [one.id for one in found if one.due and (no_card or not payments.never_tried(one.id))]


def begin(invoice_id: UUID) -> UUID | None:
    """Put an unpaid invoice on its ladder; None where nothing is due for it."""
    sellers.lock_profile()
    invoice = invoices.locked(invoice_id)
    if invoice.status != "open" or not invoice.due or invoice.amount_refunded:
        return None
    return rows.begin(invoice).id


def step(dunning_id: UUID) -> None:
    """Do for one invoice what is due by now, then plan what comes next. Commits on the way."""
    for _ in range(MOST):
        sellers.lock_profile()
        of = rows.locked(dunning_id)
        invoice = invoices.locked(of.invoice_id)
        if _over(of, invoice):
            return
        holds.keep(of)
        if _on_its_way(invoice):
            return
        action = ladder.due(rows.standing(of), clock.now())
        if action is None:
            rows.plan_next(of)
            return
        _ACTIONS[action](of, invoice)
        restart()
    raise RuntimeError(f"the ladder {dunning_id} goes in circles")


def _over(of: Dunning, invoice: Invoice) -> bool:
    """Is there nothing left to ask for? Then what stood still runs again."""
    if invoice.status in ("paid", "void") or not invoice.due:
        stood = of.suspended_at is not None
        rows.close(of, "settled" if of.status in ("open", "ended") else of.status)
        holds.release(of)
        if stood and rows.note(of, f"restored:{of.closed_at}", "restored"):
            notices.restored(of, invoice)
        return True
    return of.status != "open"


def _on_its_way(invoice: Invoice) -> bool:
    query = select(Payment.id).where(Payment.invoice_id == invoice.id, Payment.status.in_(OPEN))
    return session().scalar(query.limit(1)) is not None


# -- asking ------------------------------------------------------------------------------------------------------------


def _retry(of: Dunning, invoice: Invoice) -> None:
    """One rung: ask the card again, unless the refusal that began it all was this rung's."""
    rung, known = of.rung, _refusals(invoice)
    if rung == 0 and known:
        _refused(of, invoice, known[-1], f"rung:{rung}")
    else:
        _ask(of, invoice, "renewal" if rung == 0 else f"dunning/{rung}", f"rung:{rung}")


def _ask(of: Dunning, invoice: Invoice, attempt: str, key: str, card: PaymentMethod | None = None) -> None:
    """Ask a card (default: the default one) for what is due, and write down what came of it."""
    method = card or methods.default_method()
    if method is None:
        _refused(of, invoice, None, key)
        return
    payment = payments.begin(invoice, method, attempt, off_session=True)
    payment = payments.send(payment.id)
    if payment.status == "requires_action":  # nobody is here to take a second step: the mail leads them to it
        payment = payments.release(payment.id)
    restart()
    sellers.lock_profile()
    of, invoice = rows.locked(of.id), invoices.locked(invoice.id)
    if _over(of, invoice) or payment.status in OPEN:
        return
    if payment.status in ("declined", "cancelled"):
        _refused(of, invoice, payment, key)


def _refused(of: Dunning, invoice: Invoice, payment: Payment | None, key: str) -> None:
    """A rung is done and the invoice is unpaid: note it, tell it once, and plan the next."""
    terms, now = rows.terms(of), clock.now()
    if payment is not None:
        of.asked_at = of.asked_at or payment.settled_at or now
        of.code = "requires_action" if payment.status == "cancelled" else payment.code
        of.message = payment.message
    else:
        of.code, of.message = "no_method", ""
    for one in subscriptions.of_invoice(invoice):
        subscriptions.past_due(one)
    rung = of.rung
    if key.startswith("rung:"):
        of.rung, of.retry_at = ladder.rung_after(terms, of.started_at, of.zone, now, rung + 1)
    if rows.note(of, key, "ask", payment=payment, words=of.message or of.code):
        notices.refused(of, invoice, key, rung, approve=of.code in APPROVE)
    rows.plan_next(of)


def _refusals(invoice: Invoice) -> list[Payment]:
    """What the gateway has answered for this invoice so far, other than yes."""
    query = select(Payment).where(
        Payment.invoice_id == invoice.id, Payment.status.in_(("declined", "cancelled"))
    )
    found = session().scalars(query.order_by(Payment.created_at, Payment.id))
    return [one for one in found if one.status == "declined" or one.off_session]


# -- the dates that were told ------------------------------------------------------------------------------------------


def _warn(of: Dunning, invoice: Invoice) -> None:
    """Tell the date of the suspension once more. Where that comes late, the date moves: nobody is surprised."""
    now = clock.now()
    moved = ladder.suspend_after_notice(of.suspend_at, now, rows.terms(of), of.zone)
    if moved != of.suspend_at:
        of.end_at, of.suspend_at = of.end_at + (moved - of.suspend_at), moved
    of.told_at = now
    session().flush()
    if rows.note(of, f"warn:{of.suspend_at:%Y-%m-%d}", "warn"):
        notices.warned(of, invoice)
    rows.plan_next(of)


def _suspend(of: Dunning, invoice: Invoice) -> None:
    """The told date is here. The gateway is asked first, where it never answered for this invoice."""
    if of.asked_at is None:
        known = _refusals(invoice)
        if not known and methods.default_method() is not None:
            _ask(of, invoice, "dunning/before-suspension", "ask:before-suspension")
            if rows.locked(of.id).asked_at is None:
                return  # paid, or on its way
        elif known:
            of.asked_at = known[0].settled_at or known[0].created_at
    of = rows.locked(of.id)
    of.suspended_at = clock.now()
    session().flush()
    count = holds.suspend(of, invoice)
    if rows.note(of, f"suspend:{of.suspend_at:%Y-%m-%d}", "suspend", words=f"{count} services"):
        notices.suspended(of, invoice, count)
    rows.plan_next(of)


def _end(of: Dunning, invoice: Invoice) -> None:
    """Nobody paid: the invoice is written off; its services stay suspended, or the subscription ends."""
    writing_off.write_off(invoice.id, "Unpaid at the end of the ladder")
    holds.end(of, invoice)
    rows.close(of, "ended")
    if rows.note(of, "end", "end", words=of.terms["outcome"]):
        notices.ended(of, invoice)


_ACTIONS = {"retry": _retry, "warn": _warn, "suspend": _suspend, "end": _end}


# -- out of turn -------------------------------------------------------------------------------------------------------


def new_card(method_id: UUID, event_id: UUID) -> None:
    """A card was saved or made the default: what is unpaid is asked for at once, the oldest first.

    A card that pays where the default was refused takes over renewals.
    """
    for dunning_id in rows.open_ones():
        sellers.lock_profile()
        of = rows.locked(dunning_id)
        invoice = invoices.locked(of.invoice_id)
        card = next((one for one in methods.methods() if one.id == method_id), None)
        if card is None:
            return
        if _over(of, invoice) or _on_its_way(invoice):
            continue
        _ask(of, invoice, f"dunning/card/{event_id}", f"card:{event_id}", card)
        sellers.lock_profile()
        if rows.locked(dunning_id).status == "settled":
            _take_over(card)
        restart()


def _take_over(card: PaymentMethod) -> None:
    default = methods.default_method()
    if default is None or default.id == card.id or card.removed_at is not None:
        return
    last = select(Payment.status).where(Payment.method_id == default.id).order_by(Payment.id.desc()).limit(1)
    if session().scalar(last) == "declined":
        methods.make_default(card.id)


def ask_now(dunning_id: UUID, attempt: str) -> None:
    """Staff's «retry now», as a job does it: the same `attempt` again asks nobody."""
    sellers.lock_profile()
    of = rows.locked(dunning_id)
    invoice = invoices.locked(of.invoice_id)
    if _over(of, invoice) or _on_its_way(invoice):
        return
    _ask(of, invoice, f"dunning/staff/{attempt}", f"staff:{attempt}")


def standing_still() -> list[UUID]:
    """The ladders for which something stands still now."""
    query = select(Dunning.id).where(Dunning.suspended_at.is_not(None))
    return list(session().scalars(query.order_by(Dunning.started_at, Dunning.id)))


def settled(invoice_id: UUID) -> None:
    """An invoice was paid, voided or noted off: its ladder ends, and what stood still for it runs again."""
    of = rows.of_invoice(invoice_id)
    if of is None:
        return
    sellers.lock_profile()
    of = rows.locked(of.id)
    invoice = invoices.locked(invoice_id)
    if _over(of, invoice):
        holds.release(of)
        query = select(Payment.method_id).where(
            Payment.invoice_id == invoice_id, Payment.status == "succeeded"
        )
        card = session().scalar(query.order_by(Payment.id.desc()).limit(1))
        if card is not None:
            _take_over(session().get_one(PaymentMethod, card))
