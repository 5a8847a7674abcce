"""The «bank», where a person approves or refuses, and the staff's list of charges."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from chom_sandbox_gateway import book
from chom_sdk import Money, Pages, render

pages = Pages("sandbox_gateway", __name__, prefix="/sandbox")


@pages.get("/bank/<reference>", access="public", tenant="none")
def bank(reference: str) -> Any:
    """The second step, as a bank would show it. Whoever holds the unguessable reference may answer."""
    charge = book.shown(reference)
    return render("sandbox_gateway/bank.html", charge=charge, amount=Money(charge.amount, charge.currency))


@pages.post("/bank/<reference>", access="public", tenant="none")
def answer(reference: str) -> Any:
    """Approve or refuse, and go back to the shop."""
    charge = book.decide(reference, approve=request.form.get("answer") == "approve")
    return redirect(charge.return_url or "/", 303)


@pages.get("/charges", access="staff", tenant="session")
def charges() -> Any:
    """Everything the sandbox has taken, held or declined."""
    rows = [(charge, Money(charge.amount, charge.currency)) for charge in book.charges()]
    return render("sandbox_gateway/charges.html", rows=rows)
