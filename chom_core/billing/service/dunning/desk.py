"""What a seller decides about an unpaid invoice: ask now, give time, let it go; and its terms. All audited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.audit.service import Subject, record
from chom_core.billing.models import Dunning, DunningPolicy, Invoice
from chom_core.billing.rules import ladder
from chom_core.billing.service.dunning import holds, rows, terms_checks
from chom_core.billing.service.invoicing import credit_notes, invoices, sellers
from chom_core.database import clock, current, session
from chom_core.values.errors import Conflict, Invalid
from chom_core.work import enqueue

ASK = "billing.dunning_ask"
#: The longest that one decision puts a suspension off.
MOST_DAYS = 90


def retry_now(dunning_id: UUID, attempt: str) -> None:
    """Have the card asked now, by a job: the same `attempt` twice is one. The ladder goes on as planned."""
    of, invoice = _locked(dunning_id)
    _open(of)
    attempt = attempt.strip()[:40]
    if not attempt:
        raise Invalid(_("Reload the page and try again."), fields={"attempt": [_("Missing.")]})
    if enqueue(ASK, {"dunning_id": str(of.id), "attempt": attempt}, key=f"{ASK}:{of.id}:{attempt}"):
        record("dunning.retried", _subject(invoice))


def extend(dunning_id: UUID, days: int, reason: str, key: str = "") -> Dunning:
    """Put the suspension (and the end) off by so many days from its date, or from today where that is past.

    Services that stand still already run again until then. The new date is told before it comes, as the first was.
    `key`: up to 100 characters that name this decision; taken before, it changes nothing.
    """
    of, invoice = _locked(dunning_id)
    if key and rows.noted(of, f"extend:{key}"):
        return of
    _open(of)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
        raise Invalid(_("How many days?"), fields={"days": [_("Between 1 and %(most)s.", most=MOST_DAYS)]})
    reason = _reason(reason)
    now, terms, before = clock.now(), rows.terms(of), of.suspend_at
    moved = ladder.day(max(of.suspend_at, now), of.zone, days)
    if of.suspended_at is not None:
        holds.release(of)
    of.end_at = of.end_at + (moved - of.suspend_at)
    of.suspend_at, of.told_at = moved, None
    of.warn_at = max(now, ladder.day(moved, of.zone, -terms.warn_days))
    name = key or f"{before:%Y%m%d}:{moved:%Y%m%d}"
    rows.note(of, f"extend:{name}", "extend", by=current().principal.name, words=reason)
    rows.plan_next(of)
    told = {"suspend_at": moved.isoformat()}
    record(
        "dunning.extended",
        _subject(invoice),
        before={"suspend_at": before.isoformat()},
        after=told,
        reason=reason,
    )
    return of


def waive(dunning_id: UUID, reason: str) -> Dunning:
    """Let the customer off: a credit note takes what is due off the invoice, and everything runs again."""
    of, invoice = _locked(dunning_id)
    reason = _reason(reason)
    if of.status == "waived":
        return of
    if of.status == "settled" or not invoice.due:
        raise Conflict(_("Nothing is due for this invoice any more."), fix=_("Reload the page."))
    invoices.nothing_on_its_way(invoice)
    credit_notes.issue(invoice.id, invoice.due, "due", reason=reason, key=f"dunning/{of.id}/waived")
    of, invoice = _locked(dunning_id)
    rows.close(of, "waived")
    holds.release(of)
    rows.note(of, "waive", "waive", by=current().principal.name, words=reason)
    record("dunning.waived", _subject(invoice), reason=reason)
    return of


def set_policy(data: Mapping[str, Any]) -> ladder.Terms:
    """The current organisation's terms as a seller, for invoices that fail from now on. Raises Invalid (`fields`), and
    NotFound and Conflict as `sellers.itself`.
    """
    terms = ladder.terms(data)
    errors = terms_checks.errors(terms)
    if errors:
        raise Invalid(_("These terms cannot be."), fields=errors)
    reseller_id = sellers.itself()
    row = session().scalar(select(DunningPolicy).where(DunningPolicy.reseller_id == reseller_id))
    before = rows.policy(reseller_id)
    if row is None:
        row = DunningPolicy(reseller_id=reseller_id)
        session().add(row)
    for name, value in terms.data().items():
        setattr(row, name, value)
    session().flush()
    subject = Subject("dunning_policy", row.id, "")
    record("dunning.terms_set", subject, before=before.data(), after=terms.data())
    sellers.changed()
    return terms


def _locked(dunning_id: UUID) -> tuple[Dunning, Invoice]:
    sellers.lock_profile()
    of = rows.locked(dunning_id)
    return of, invoices.locked(of.invoice_id)


def _open(of: Dunning) -> None:
    if of.status != "open":
        raise Conflict(_("This invoice is not being asked for any more."), fix=_("Reload the page."))


def _reason(text: str) -> str:
    clean = " ".join(text.split())
    if not clean:
        raise Invalid(_("Say why."), fields={"reason": [_("A reason is kept with the decision.")]})
    return clean[:300]


def _subject(invoice: Invoice) -> Subject:
    return Subject("invoice", invoice.id, invoice.number or "")
