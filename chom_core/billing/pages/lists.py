"""Lists of invoices and payments: filtered, sorted, paged, exported; one organisation's own, or everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import make_response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from chom_core.billing import reads
from chom_core.billing.models import Invoice, Payment, PaymentMethod
from chom_core.billing.pages.base import pages
from chom_core.billing.pages.staff import desk, named, names
from chom_core.database import everyone, session
from chom_core.web import render
from chom_core.web.export import csv_response
from chom_core.web.tables import Filter, ListPage, Sort, View, moment

INVOICE_STATES = (
    ("open", _l("Open")),
    ("paid", _l("Paid")),
    ("void", _l("Void")),
    ("uncollectible", _l("Uncollectible")),
)
PAYMENT_STATES = (
    ("succeeded", _l("Succeeded")), ("declined", _l("Declined")), ("pending", _l("Pending")),
    ("requires_action", _l("Second step")), ("authorised", _l("Authorised")), ("cancelled", _l("Cancelled")),
)  # fmt: skip
_SORTS = {
    "issued": Sort(Invoice.finalised_at, moment, lambda row: row.issued_at),
    "total": Sort(Invoice.total, int, lambda row: row.total.amount),
}
MINE = ListPage(
    "invoices", _SORTS, "-issued", (Filter("q", _l("Number")), Filter("status", _l("Status"), INVOICE_STATES))
)
ALL = ListPage(
    "staff_invoices", _SORTS, "-issued",
    (Filter("q", _l("Number or organisation")), Filter("status", _l("Status"), INVOICE_STATES)),
)  # fmt: skip
ATTEMPTS = ListPage(
    "staff_payments",
    {
        "created": Sort(Payment.created_at, moment),
        "amount": Sort(Payment.amount, int, lambda row: row.amount.amount),
    },
    "-created",
    (Filter("q", _l("Organisation")), Filter("status", _l("Result"), PAYMENT_STATES)),
)
#: As many as a spreadsheet is opened with.
MOST = 50_000


@pages.get("/billing/invoices")
def invoices() -> Any:
    """Every invoice of the organisation, newest first."""
    view = MINE.read(request)
    query = _invoices(view)
    if view.export:
        return _invoice_csv(_infos(session(), view.ordered(query, Invoice.id).limit(MOST)), {})
    page = view.page(query, Invoice.id, lambda statement: _infos(session(), statement))
    return view.remember(make_response(render("billing/invoices.html", view=view, page=page)))


@desk.get("/invoices")
def all_invoices() -> Any:
    """Invoices of all organisations."""
    view = ALL.read(request)
    query = _invoices(view)
    with everyone("staff: invoices") as here:
        if view.export:
            rows = _infos(here, view.ordered(query, Invoice.id).limit(MOST))
            return _invoice_csv(rows, names(here, rows))
        page = view.page(query, Invoice.id, lambda statement: _infos(here, statement))
        whose = names(here, page.rows)
    html = render("billing/staff_invoices.html", view=view, page=page, names=whose)
    return view.remember(make_response(html))


@desk.get("/payments")
def payments() -> Any:
    """Attempts to pay of all organisations."""
    view = ATTEMPTS.read(request)
    query = select(Payment, PaymentMethod).join(PaymentMethod, PaymentMethod.id == Payment.method_id)
    if view.filters.get("status"):
        query = query.where(Payment.status == view.filters["status"])
    if view.filters.get("q"):
        query = query.where(Payment.tenant_id.in_(named(view.filters["q"])))
    with everyone("staff: payments") as here:
        if view.export:
            rows = reads.payment_infos(here.execute(view.ordered(query, Payment.id).limit(MOST)))
            return _payment_csv(rows, names(here, rows))
        page = view.page(query, Payment.id, lambda statement: reads.payment_infos(here.execute(statement)))
        whose = names(here, page.rows)
    html = render("billing/staff_payments.html", view=view, page=page, names=whose)
    return view.remember(make_response(html))


def _invoices(view: View) -> Select[Any]:
    query = select(Invoice).where(Invoice.number.is_not(None))
    if view.filters.get("status"):
        query = query.where(Invoice.status == view.filters["status"])
    if view.filters.get("q"):
        words = view.filters["q"]
        number = Invoice.number.icontains(words, autoescape=True)
        query = query.where(or_(number, Invoice.tenant_id.in_(named(words))) if view.spec is ALL else number)
    return query


def _infos(here: Session, query: Select[Any]) -> list[reads.InvoiceInfo]:
    return [reads.invoice_info(row) for row in here.scalars(query)]


def _invoice_csv(rows: Iterable[reads.InvoiceInfo], whose: dict[Any, str]) -> Any:
    head = [
        _("Number"),
        _("Date"),
        _("Due"),
        _("Status"),
        _("Currency"),
        _("Net"),
        _("Tax"),
        _("Total"),
        _("Amount due"),
    ]
    lines: Iterable[Sequence[Any]] = (
        [one.number, one.issued_at, one.due_at, one.status, one.currency, one.subtotal.major, one.tax.major,
         one.total.major, one.due.major, *([whose.get(one.tenant_id, "")] if whose else [])]
        for one in rows
    )  # fmt: skip
    return csv_response("invoices", [*head, *([_("Organisation")] if whose else [])], lines)


def _payment_csv(rows: Iterable[reads.PaymentInfo], whose: dict[Any, str]) -> Any:
    head = [
        _("When"),
        _("Organisation"),
        _("Card"),
        _("Result"),
        _("Code"),
        _("Message"),
        _("Currency"),
        _("Amount"),
    ]
    lines = (
        [one.created_at, whose.get(one.tenant_id, ""), one.card, one.status, one.code, one.message, one.amount.currency,
         one.amount.major]
        for one in rows
    )  # fmt: skip
    return csv_response("payments", head, lines)
