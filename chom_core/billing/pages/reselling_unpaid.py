"""What a reseller's customers owe it: the list, each ladder, and what it decides about one, as staff do at the desk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, url_for

from chom_core.billing.pages.base import own_reseller, pages
from chom_core.billing.pages.dunning import Decision, by_rung, decide, extend, ladder_of, retry, waive
from chom_core.billing.reads import dunning as reads
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import customers
from chom_core.values.ids import uuid7
from chom_core.web import render

_AT = "/billing/reselling/unpaid/<uuid:customer_id>/<uuid:owed_id>"


@pages.get("/billing/reselling/unpaid")
def reselling_unpaid() -> Any:
    """Unpaid invoices of the reseller's customers, by rung."""
    own_reseller()
    found = reads.customers_unpaid()
    return render(
        "billing/unpaid.html", rungs=by_rung([one.info for one in found]), resells=True,
        names={one.customer_id: one.customer for one in found}, may_act=sellers.decides(), attempt=uuid7().hex,
    )  # fmt: skip


@pages.get(_AT)
def reselling_unpaid_one(customer_id: UUID, owed_id: UUID) -> Any:
    """One ladder: what was done, what comes, and the decisions; none where the platform sells."""
    own_reseller()
    may_act = sellers.decides()
    with customers.looking(customer_id) as customer:
        shown = ladder_of(owed_id)
    return render("billing/unpaid_one.html", customer=customer, resells=True, may_act=may_act, **shown)


@pages.post(f"{_AT}/retry")
def reselling_unpaid_retry(customer_id: UUID, owed_id: UUID) -> Any:
    """Ask the card now; a job does it."""
    return _decided(customer_id, owed_id, retry)


@pages.post(f"{_AT}/extend")
def reselling_unpaid_extend(customer_id: UUID, owed_id: UUID) -> Any:
    """Give more time."""
    return _decided(customer_id, owed_id, extend)


@pages.post(f"{_AT}/waive")
def reselling_unpaid_waive(customer_id: UUID, owed_id: UUID) -> Any:
    """Let the customer off."""
    return _decided(customer_id, owed_id, waive)


def _decided(customer_id: UUID, owed_id: UUID, decision: Decision) -> Any:
    own_reseller()
    with customers.deciding(customer_id):
        decide(owed_id, decision)
    return redirect(url_for("billing.reselling_unpaid_one", customer_id=customer_id, owed_id=owed_id), 303)
