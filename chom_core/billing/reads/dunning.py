"""Unpaid invoices on their ladder: for the customer's pages and banner, the API, and staff's list."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chom_core.billing.models import Dunning, DunningStep, Invoice
from chom_core.billing.service.dunning import rows
from chom_core.billing.service.partners import customers
from chom_core.database import Tenant, current, everyone, here, session
from chom_core.database.unit import current_or_none
from chom_core.values.money import Money
from chom_core.values.principal import SYSTEM


class UnpaidInfo(Struct, frozen=True):
    """One invoice on its ladder. `rung`: how many asks are done, of `rungs`. `suspend_at` is the day that was told."""

    id: UUID
    tenant_id: UUID
    invoice_id: UUID
    number: str
    status: str
    due: Money
    rung: int
    rungs: int
    asked: bool
    retry_at: datetime | None
    suspend_at: datetime
    suspended_at: datetime | None
    end_at: datetime
    code: str
    message: str


class CustomerUnpaid(Struct, frozen=True):
    """A customer's unpaid invoice, as its reseller sees it."""

    customer_id: UUID
    customer: str
    info: UnpaidInfo


class StepInfo(Struct, frozen=True):
    """Something that was done for an unpaid invoice."""

    kind: str
    rung: int
    at: datetime
    by: str
    note: str


def unpaid_list(unit: Session | None = None) -> list[UnpaidInfo]:
    """What is being asked for now, the furthest first; with the session of an `everyone` unit of all organisations."""
    query = (
        _rows().where(Dunning.status == "open").order_by(Dunning.rung.desc(), Dunning.started_at, Dunning.id)
    )
    return [_info(of, invoice) for of, invoice in (unit or session()).execute(query.limit(500))]


def customers_unpaid() -> list[CustomerUnpaid]:
    """What the current reseller's customers are asked for, as `unpaid_list`.

    Who owes at all is one question to everybody's rows; what, is read behind the fence of each of them.
    """
    query = select(Dunning.tenant_id).join(Tenant, Tenant.id == Dunning.tenant_id)
    query = query.where(Dunning.status == "open", Tenant.parent_id == here())
    with everyone("which customers of a reseller owe it", SYSTEM) as all_of_them:
        owing = set(all_of_them.scalars(query))
    found = [
        CustomerUnpaid(customer.id, customer.name, info)
        for customer, infos in customers.of_each(unpaid_list, owing)
        for info in infos
    ]
    return sorted(found, key=lambda one: (-one.info.rung, one.info.suspend_at, one.info.id))


def unpaid(invoice_id: UUID) -> UnpaidInfo | None:
    """The ladder of one invoice; None where it is on none."""
    row = session().execute(_rows().where(Dunning.invoice_id == invoice_id)).first()
    return _info(row[0], row[1]) if row else None


def ladder(dunning_id: UUID) -> tuple[UnpaidInfo, list[StepInfo]]:
    """One ladder of the current organisation with its history; NotFound where it is not there."""
    row = session().execute(_rows().where(Dunning.id == dunning_id)).first()
    if row is None:
        raise rows.missing()
    return _info(row[0], row[1]), unpaid_steps(dunning_id)


def unpaid_steps(dunning_id: UUID) -> list[StepInfo]:
    """Its history, oldest first."""
    query = (
        select(DunningStep)
        .where(DunningStep.dunning_id == dunning_id)
        .order_by(DunningStep.at, DunningStep.id)
    )
    return [StepInfo(row.kind, row.rung, row.at, row.by, row.note) for row in session().scalars(query)]


def _rows() -> Select[Dunning, Invoice]:
    return select(Dunning, Invoice).join(Invoice, Invoice.id == Dunning.invoice_id)


def _info(of: Dunning, invoice: Invoice) -> UnpaidInfo:
    return UnpaidInfo(
        of.id, of.tenant_id, invoice.id, invoice.number or "", of.status, invoice.due, of.rung,
        len(of.terms["retry_days"]), of.asked_at is not None, of.retry_at, of.suspend_at, of.suspended_at, of.end_at,
        of.code, of.message,
    )  # fmt: skip


# Every page of an organisation shows its banner, so what stands on it is kept as long as nothing of the organisation
# changed: dunning counts the organisation's generation up with each of its steps.
_KEPT: OrderedDict[UUID, tuple[int, UnpaidInfo | None]] = OrderedDict()
_MOST = 20_000
_lock = Lock()


def most_urgent() -> UnpaidInfo | None:
    """The unpaid invoice that the current organisation should hear of first; None without one, or outside of a unit."""
    unit = current_or_none()
    if unit is None or unit.tenant_id is None:
        return None
    with _lock:
        known = _KEPT.get(unit.tenant_id)
    if known is not None and known[0] == unit.generation:
        return known[1]
    try:
        found = _most_urgent()
    except SQLAlchemyError:  # the page tells of an error: it has no use for a second one
        return None
    with _lock:
        _KEPT[unit.tenant_id] = (unit.generation, found)
        _KEPT.move_to_end(unit.tenant_id)
        if len(_KEPT) > _MOST:
            _KEPT.popitem(last=False)
    return found


def _most_urgent() -> UnpaidInfo | None:
    query = _rows().where(Dunning.tenant_id == current().tenant_id)
    query = query.where((Dunning.status == "open") | Dunning.suspended_at.is_not(None))
    row = (
        session().execute(query.order_by(Dunning.suspended_at.is_(None), Dunning.suspend_at).limit(1)).first()
    )
    return _info(row[0], row[1]) if row else None
