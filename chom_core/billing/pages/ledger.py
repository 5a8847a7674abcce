"""The ledger at the operator's desk: its balances, every transaction, and what the last check of it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from chom_core.billing import ledger
from chom_core.billing.models import BooksCheck, LedgerAccount, LedgerBalance, LedgerEntry, LedgerTransaction
from chom_core.billing.pages.lists import MOST
from chom_core.billing.pages.staff import administers, desk, named, names
from chom_core.billing.service import books as verbs
from chom_core.database import clock, everyone, session
from chom_core.values.money import Money
from chom_core.web import render
from chom_core.web.export import csv_response
from chom_core.web.tables import Filter, ListPage, Sort, View, moment
from chom_core.work import enqueue

LEDGER = ListPage(
    "staff_ledger",
    {"at": Sort(LedgerTransaction.effective_at, moment)},
    "-at",
    (
        Filter("q", _l("Organisation, kind or source")),
        Filter("account", _l("Account"), tuple((code, code) for code in ledger.CHART)),
    ),
)


@desk.get("/ledger")
def books() -> Any:
    """Balances by account, every transaction, and whether the books were right when they were last checked."""
    view = LEDGER.read(request)
    query = _query(view)
    with everyone("staff: ledger") as here:
        if view.export:
            return _csv(here, view.ordered(query, LedgerTransaction.id).limit(MOST))
        page = view.page(query, LedgerTransaction.id, lambda statement: here.scalars(statement).all())
        whose, balances = names(here, page.rows), _balances(here)
    last = session().scalars(select(BooksCheck).order_by(BooksCheck.id.desc()).limit(1)).first()
    html = render(
        "billing/staff_ledger.html", view=view, page=page, names=whose, balances=balances, last=last,
        may_act=administers(),
    )  # fmt: skip
    return view.remember(make_response(html))


@desk.post("/ledger/check", access="staff_admin")
def books_check() -> Any:
    """Check all of it now: a job does it."""
    enqueue(verbs.CHECK, key=f"{verbs.CHECK}:asked:{clock.machine():%Y-%m-%dT%H:%M}")
    flash(_("The books are being checked. Reload this page in a moment."), "info")
    return redirect(url_for("billing_staff.books"), 303)


def _query(view: View) -> Select[Any]:
    query = select(LedgerTransaction)
    if words := view.filters.get("q"):
        told = (
            LedgerTransaction.source.istartswith(words, autoescape=True),
            LedgerTransaction.kind.icontains(words, autoescape=True),
        )
        query = query.where(or_(*told, LedgerTransaction.tenant_id.in_(named(words))))
    if account := view.filters.get("account"):
        touched = (
            select(LedgerEntry.id)
            .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
            .where(LedgerEntry.transaction_id == LedgerTransaction.id, LedgerAccount.code == account)
        )
        query = query.where(exists(touched))
    return query


def _balances(here: Session) -> list[tuple[str, str, Money]]:
    query = (
        select(LedgerAccount.code, LedgerAccount.currency, func.sum(LedgerBalance.balance))
        .join(LedgerBalance, LedgerBalance.account_id == LedgerAccount.id)
        .group_by(LedgerAccount.code, LedgerAccount.currency)
    )
    order = list(ledger.CHART)
    rows = sorted(here.execute(query), key=lambda row: (order.index(row[0]), row[1]))
    return [(code, ledger.CHART[code], Money(int(balance), currency)) for code, currency, balance in rows]


def _csv(here: Session, query: Select[Any]) -> Any:
    rows = here.scalars(query).all()
    head = [
        _("When"), _("Organisation"), _("What"), _("Description"), _("Source"), _("Account"), _("Party"), _("Currency"),
        _("Debit"), _("Credit"),
    ]  # fmt: skip
    return csv_response("ledger", head, _lines(rows, names(here, rows)))


def _lines(rows: Iterable[LedgerTransaction], whose: dict[Any, str]) -> Iterator[Sequence[Any]]:
    """A line for each entry, as an accountant reads them."""
    for row in rows:
        for one in row.entries:
            major = abs(Money(one.amount, one.currency).major)
            sides = (major, "") if one.amount > 0 else ("", major)
            yield (
                row.effective_at, whose.get(row.tenant_id, ""), row.kind, row.description, row.source, one.account.code,
                one.account.party, one.currency, *sides,
            )  # fmt: skip
