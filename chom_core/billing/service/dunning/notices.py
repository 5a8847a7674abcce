"""What people are told while an invoice is unpaid: those who pay by the ways they chose, then a second contact too.

Each is written in the transaction of its step, so it goes out when the step was done, and once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from chom_core.billing.models import Dunning, Invoice
from chom_core.billing.service.dunning import rows
from chom_core.billing.service.invoicing import sellers
from chom_core.database import Tenant, session
from chom_core.identity.models import Membership, Person
from chom_core.notifications import letters
from chom_core.notifications.phrases import Amount, Day, phrase
from chom_core.notifications.service import notify
from chom_core.notifications.service.outbox import Envelope, queue_mail

PAYERS = ("owner", "admin", "billing")


def refused(of: Dunning, invoice: Invoice, key: str, rung: int, *, approve: bool) -> None:
    """The card was asked and did not pay, or there is none."""
    terms = rows.terms(of)
    facts: list[tuple[Any, Any]] = [_due(invoice)]
    if of.retry_at is not None:
        facts.append((phrase("We try again on"), Day(of.retry_at, of.zone)))
    if of.suspended_at is None:
        facts.append((phrase("Services are suspended on"), Day(of.suspend_at, of.zone)))
    if approve:
        kind, title = "payment.action_required", phrase("Your bank wants you to approve a payment")
        body = phrase(
            "Open the invoice and pay it there: your bank asks you to approve it. Nothing was charged so far."
        )
    elif of.code == "no_method":
        kind, title = (
            "payment.failed",
            phrase("There is no card for invoice %(number)s", number=invoice.number),
        )
        body = phrase("Add a card, and the invoice is paid at once.")
    else:
        kind, title = (
            "payment.failed",
            phrase("The payment of invoice %(number)s failed", number=invoice.number),
        )
        body = phrase(
            "%(why)s\n\nPay now or give another card: a new card is tried at once. Your services run on meanwhile.",
            why=of.message or phrase("The bank declined it."),
        )
    _tell(
        of,
        invoice,
        kind,
        key,
        title,
        body,
        facts,
        contact=rung >= terms.contact_rung,
        action=phrase("Pay now"),
    )


def warned(of: Dunning, invoice: Invoice) -> None:
    """The date is near."""
    _tell(
        of, invoice, "dunning.warning", f"warn:{of.suspend_at:%Y-%m-%d}",
        phrase("Your services are suspended on %(day)s", day=Day(of.suspend_at, of.zone)),
        phrase("Invoice %(number)s is still unpaid. Pay it before that day and nothing stops. Your data is kept.",
               number=invoice.number),
        [_due(invoice), (phrase("Services are suspended on"), Day(of.suspend_at, of.zone))],
        contact=True, action=phrase("Pay now"),
    )  # fmt: skip


def suspended(of: Dunning, invoice: Invoice, count: int) -> None:
    """They stand still now."""
    body = phrase(
        "Invoice %(number)s is unpaid. Your data is kept. Pay it, and everything runs again by itself within minutes.",
        number=invoice.number,
    )
    facts = [
        _due(invoice),
        (phrase("Services"), str(count)),
        (phrase("Given up on"), Day(of.end_at, of.zone)),
    ]
    title = phrase("Your services are suspended")
    key = f"suspend:{of.suspend_at:%Y-%m-%d}"
    _tell(of, invoice, "dunning.suspended", key, title, body, facts, contact=True, action=phrase("Pay now"))


def restored(of: Dunning, invoice: Invoice) -> None:
    """They run again."""
    body = phrase("Invoice %(number)s is settled. Thank you.", number=invoice.number)
    title, key = phrase("Your services run again"), f"restored:{of.closed_at}"
    _tell(
        of, invoice, "dunning.restored", key, title, body, [], contact=False, action=phrase("See the invoice")
    )


def ended(of: Dunning, invoice: Invoice) -> None:
    """Nobody tries any more."""
    if of.terms["outcome"] == "cancel":
        body = phrase(
            "Invoice %(number)s stayed unpaid, so its subscription has ended.", number=invoice.number
        )
    else:
        body = phrase(
            "Invoice %(number)s stayed unpaid. We do not try your card any more; your services stay suspended. Pay the "
            "invoice to bring them back.",
            number=invoice.number,
        )
    title = phrase("Invoice %(number)s was given up", number=invoice.number)
    _tell(
        of,
        invoice,
        "dunning.ended",
        "end",
        title,
        body,
        [_due(invoice)],
        contact=True,
        action=phrase("See the invoice"),
    )


def _due(invoice: Invoice) -> tuple[Any, Any]:
    return phrase("Amount due"), Amount(invoice.due)


def _tell(
    of: Dunning,
    invoice: Invoice,
    kind: str,
    key: str,
    title: Any,
    body: Any,
    facts: Sequence[tuple[Any, Any]],
    *,
    contact: bool,
    action: Any,
) -> None:
    link, unique = f"/billing/invoices/{invoice.id}", f"dunning:{of.id}:{key}"
    notify(
        kind, title=title, body=body, link=link, action=action, facts=facts, key=unique,
        data={"invoice_id": str(invoice.id), "code": of.code},
    )  # fmt: skip
    address = sellers.profile().email
    if contact and address and not _member(of, address):
        envelope = Envelope(address, kind, f"{unique}:contact"[:255], tenant_id=of.tenant_id)
        queue_mail(
            envelope, "notification", title=title, body=_said(body), facts=list(facts), link=letters.public(link),
            action=action, mandatory=True, role=phrase("billing contact"), preferences_link="",
            organisation=session().get_one(Tenant, of.tenant_id).name,
        )  # fmt: skip


def _said(body: Any) -> str:
    return str(body.say("en"))


def _member(of: Dunning, address: str) -> bool:
    """Is it the verified address of somebody who was told already?"""
    query = select(Person.id).join(Membership, Membership.person_id == Person.id)
    query = query.where(
        Membership.tenant_id == of.tenant_id, Membership.role.in_(PAYERS), Person.email_verified_at.is_not(None),
        func.lower(Person.email) == address.lower(), Person.disabled_at.is_(None),
    )  # fmt: skip
    return session().scalar(query.limit(1)) is not None
