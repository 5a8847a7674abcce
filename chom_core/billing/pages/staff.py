"""What the pages of money at the operator's desk share: the blueprint, and working in a customer's organisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from chom_core.database import Tenant, bind_tenant, session
from chom_core.plugin_host import NavItem
from chom_core.rest import principal
from chom_core.values.errors import NotFound
from chom_core.values.principal import StaffRole
from chom_core.web import Pages, nav

desk = Pages("billing_staff", "chom_core.billing", prefix="/staff", access="staff", tenant="none")
nav.add(
    NavItem(_l("Invoices"), "billing_staff.all_invoices", "receipt", "Staff", "staff", 40),
    NavItem(_l("Payments"), "billing_staff.payments", "credit-card", "Staff", "staff", 41),
    NavItem(_l("Ledger"), "billing_staff.books", "scale", "Staff", "staff", 42),
)


def enter(tenant_id: UUID) -> Tenant:
    """Work in the customer's organisation, as who one is: what staff do there is in its audit log."""
    customer = session().get(Tenant, tenant_id)
    if customer is None:
        raise NotFound(_("There is no such organisation."))
    bind_tenant(tenant_id)
    return customer


def administers() -> bool:
    """Whether who looks may act too: support reads."""
    return principal().staff_role is StaffRole.ADMIN


def named(words: str) -> Select[UUID]:
    """The ids of the organisations whose name holds these words."""
    return select(Tenant.id).where(Tenant.name.icontains(words, autoescape=True))


def names(here: Session, rows: Iterable[Any]) -> dict[Any, str]:
    """The names of the organisations that `rows` belong to, by id."""
    ids = {row.tenant_id for row in rows}
    query = select(Tenant.id, Tenant.name).where(Tenant.id.in_(ids))
    return {row.id: row.name for row in here.execute(query)}
