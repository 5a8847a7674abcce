"""The sandbox's pages: what Stripe and a bank would show. They stand in for pages of other hosts, and need no script.

Public, as those are: whoever holds the unguessable id of a session may enter a card there. With real keys there are no
such objects, so every address is 404.
"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from chom_sdk import Money, NotFound, Pages, clock, render, transaction
from chom_stripe import keys

desk = Pages("stripe_sandbox", __name__, prefix="/stripe/sandbox")


@desk.get("/checkout/<reference>", access="public", tenant="none")
def checkout(reference: str) -> Any:
    """Stripe's page for a card."""
    return _card_page(_object(reference, "checkout.session"))


@desk.post("/checkout/<reference>", access="public", tenant="none")
def enter(reference: str) -> Any:
    """The card is entered."""
    from chom_stripe.sandbox import cards, setups, store

    _object(reference, "checkout.session")
    card = cards.by_number(request.form.get("card_number", "") or request.form.get("test_card", ""))
    if card is None:
        words = _("This sandbox takes its test cards only. Please do not enter a real card.")
        return _card_page(_object(reference, "checkout.session"), words), 422
    token = store.at.set(clock.now())
    try:
        with transaction():
            done = setups.complete(reference, card, 12, store.at.get().year + 5)
    except store.Refusal as refusal:
        return _card_page(_object(reference, "checkout.session"), str(refusal)), 402
    finally:
        store.at.reset(token)
    if done["status"] != "complete":
        raise NotFound("This page has expired.", fix="Go back and start again.")
    return redirect(done["success_url"].replace("{CHECKOUT_SESSION_ID}", reference), 303)


@desk.get("/bank/<reference>", access="public", tenant="none")
def bank(reference: str) -> Any:
    """The bank's page of the second step."""
    intent = _object(reference, "payment_intent")
    amount = Money(intent["amount"], intent["currency"].upper())
    return render("stripe/sandbox_bank.html", intent=intent, amount=amount)


@desk.post("/bank/<reference>", access="public", tenant="none")
def decide(reference: str) -> Any:
    """Approve or refuse, and back to the shop."""
    from chom_stripe.sandbox import intents

    _object(reference, "payment_intent")
    done = _act(intents.decide, reference, approve=request.form.get("answer") == "approve")
    return redirect(done["return_url"] or "/", 303)


@desk.get("/onboarding/<reference>", access="public", tenant="none")
def onboarding(reference: str) -> Any:
    """Stripe's page for a payee."""
    return render("stripe/sandbox_onboarding.html", account=_object(reference, "account"))


@desk.post("/onboarding/<reference>", access="public", tenant="none")
def onboarded(reference: str) -> Any:
    """Everything is told."""
    from chom_stripe.sandbox import connect

    _object(reference, "account")
    done = _act(connect.onboarded, reference)
    return redirect(done.get("chom_return_url") or "/", 303)


@desk.get("/", access="staff")
def controls() -> Any:
    """Faults to arm, payments to dispute."""
    _sandbox_only()
    from chom_stripe.sandbox import faults, store

    token = store.at.set(clock.now())
    with transaction():
        armed = faults.armed()
        intents = store.listed("payment_intent", "", {"limit": 50})["data"]
        disputes = store.listed("dispute", "", {"limit": 50})["data"]
    store.at.reset(token)
    rows = [(one, Money(one["amount"], one["currency"].upper())) for one in intents]
    return render(
        "stripe/sandbox.html",
        armed=armed,
        calls=faults.CALLS,
        hooks=faults.WEBHOOKS,
        rows=rows,
        disputes=disputes,
    )


@desk.post("/faults", access="staff_admin")
def arm() -> Any:
    """The next calls or events go wrong."""
    _sandbox_only()
    from chom_stripe.sandbox import faults

    name, times = request.form.get("fault", ""), request.form.get("times", "1")
    if name in faults.CALLS + faults.WEBHOOKS and times.isdecimal() and len(times) < 5:
        with transaction():
            faults.arm(name, int(times))
        flash(_("%(name)s: the next %(times)s.", name=name, times=times), "success")
    return redirect(url_for("stripe_sandbox.controls"), 303)


@desk.post("/disputes", access="staff_admin")
def dispute() -> Any:
    """The card's holder asks for the money back; or the bank decides."""
    _sandbox_only()
    from chom_stripe.sandbox import disputes, store

    answer, reference = request.form.get("answer", ""), request.form.get("reference", "")
    try:
        if answer in ("won", "lost"):
            _act(disputes.close_dispute, reference, won=answer == "won")
        else:
            _act(disputes.open_dispute, reference)
    except store.Refusal as refusal:
        raise NotFound(str(refusal)) from refusal
    return redirect(url_for("stripe_sandbox.controls"), 303)


def _card_page(session: dict[str, Any], error: str = "") -> str:
    from chom_stripe.sandbox import cards

    return render("stripe/sandbox_card.html", session=session, cards=cards.CARDS, error=error)


def _object(reference: str, kind: str) -> dict[str, Any]:
    _sandbox_only()
    from chom_stripe.sandbox import store

    with transaction():
        try:
            return store.get(reference, kind)
        except store.Refusal as refusal:
            raise NotFound("There is no such page.") from refusal


def _act(change: Any, reference: str, **how: Any) -> dict[str, Any]:
    from chom_stripe.sandbox import store

    token = store.at.set(clock.now())
    try:
        with transaction():
            done: dict[str, Any] = change(reference, **how)
            return done
    finally:
        store.at.reset(token)


def _sandbox_only() -> None:
    if keys.read().mode != "sandbox":
        raise NotFound("There is no sandbox: the keys of a Stripe account are set.")
