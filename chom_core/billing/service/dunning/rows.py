"""The rows of dunning: an invoice's ladder is begun, locked, noted upon and closed. What it does is `dunning`'s."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from chom_core import database
from chom_core.billing.models import Dunning, DunningPolicy, DunningStep, Invoice, Payment, Seller
from chom_core.billing.rules import ladder
from chom_core.database import PLATFORM_ID, Tenant, clock, current, session
from chom_core.values.errors import NotFound
from chom_core.values.ids import uuid7
from chom_core.work import enqueue

STEP = "billing.dunning_step"


def policy(reseller_id: UUID) -> ladder.Terms:
    """The seller's terms as they are now."""
    row = session().scalar(select(DunningPolicy).where(DunningPolicy.reseller_id == reseller_id))
    if row is None:
        return ladder.DEFAULT
    return ladder.Terms(
        tuple(row.retry_days), row.contact_rung, row.warn_days, row.suspend_day, row.end_day, row.outcome
    )


def of_invoice(invoice_id: UUID) -> Dunning | None:
    return session().scalar(select(Dunning).where(Dunning.invoice_id == invoice_id))


def locked(dunning_id: UUID) -> Dunning:
    """The ladder with its row locked and read afresh; NotFound where it is not this organisation's."""
    return database.locked(Dunning, dunning_id, missing())


def missing() -> NotFound:
    """What is said of a ladder that is not this organisation's."""
    return NotFound(_("There is no such unpaid invoice."), fix=_("Reload the list."))


def begin(invoice: Invoice) -> Dunning:
    """Put an open invoice on its ladder; where it is on it already, that ladder. The profile is locked."""
    known = of_invoice(invoice.id)
    if known is not None:
        return known
    tenant = session().get_one(Tenant, invoice.tenant_id)
    terms, start = _terms(invoice, tenant), clock.now()
    row = {
        "id": uuid7(), "created_at": start, "tenant_id": invoice.tenant_id, "invoice_id": invoice.id,
        "status": "open", "terms": terms.data(), "zone": tenant.zone, "started_at": start, "rung": 0,
        "retry_at": start, "warn_at": ladder.day(start, tenant.zone, terms.suspend_day - terms.warn_days),
        "suspend_at": ladder.day(start, tenant.zone, terms.suspend_day),
        "end_at": ladder.day(start, tenant.zone, terms.end_day), "next_at": start, "code": "", "message": "",
    }  # fmt: skip
    session().execute(insert(Dunning).values(row).on_conflict_do_nothing())
    found = of_invoice(invoice.id)
    assert found is not None
    touched(found)
    return found


def _terms(invoice: Invoice, tenant: Tenant) -> ladder.Terms:
    """Its seller's. A reseller's are for its customers: what it owes itself stands on the platform's ladder, as does
    what somebody bought of a seller that was its own once.
    """
    seller = session().get(Seller, invoice.seller_id) if tenant.kind != "reseller" else None
    if seller is not None:
        return policy(seller.reseller_id)
    with database.transaction(PLATFORM_ID):
        return policy(PLATFORM_ID)


def terms(of: Dunning) -> ladder.Terms:
    """The terms of its first day."""
    return ladder.terms(of.terms)


def standing(of: Dunning) -> ladder.Standing:
    return ladder.Standing(
        of.retry_at, of.warn_at, of.told_at is not None, of.suspend_at, of.suspended_at is not None, of.end_at
    )


def note(
    of: Dunning, key: str, kind: str, *, payment: Payment | None = None, by: str = "", words: str = ""
) -> bool:
    """Write down that a step was done. False where it was before: then its notice went out with it."""
    row = insert(DunningStep).values(
        id=uuid7(), created_at=clock.now(), tenant_id=of.tenant_id, dunning_id=of.id, key=key, kind=kind,
        rung=of.rung, at=clock.now(), payment_id=payment.id if payment else None, by=by[:254], note=words[:300],
    )  # fmt: skip
    made = session().execute(row.on_conflict_do_nothing().returning(DunningStep.id))
    return made.scalar() is not None


def noted(of: Dunning, key: str) -> bool:
    """Was this step done before?"""
    known = select(DunningStep.id).where(DunningStep.dunning_id == of.id, DunningStep.key == key)
    return session().scalar(known) is not None


def plan_next(of: Dunning) -> None:
    """Set when something falls due next, and put the job for it in line. The hourly sweep is the net below it."""
    of.next_at = ladder.next_at(standing(of))
    session().flush()
    key = f"{STEP}:{of.id}:{of.next_at.isoformat()}"
    enqueue(STEP, {"dunning_id": str(of.id)}, due_at=of.next_at, key=key)
    touched(of)


def touched(of: Dunning) -> None:
    """What pages keep of this organisation is no longer right: its banner."""
    statement = update(Tenant).where(Tenant.id == of.tenant_id).values(generation=Tenant.generation + 1)
    session().execute(statement.execution_options(synchronize_session=False))


def close(of: Dunning, status: str) -> None:
    """The ladder is over."""
    if of.status == "open" or (of.status == "ended" and status != "ended"):
        of.status, of.closed_at, of.retry_at = status, clock.now(), None
        session().flush()
        touched(of)


def open_ones() -> list[UUID]:
    """Every invoice of the current organisation that is on its ladder."""
    query = select(Dunning.id).where(Dunning.status == "open").order_by(Dunning.started_at, Dunning.id)
    return list(session().scalars(query))


def tenant_kind() -> str:
    tenant_id = current().tenant_id
    return session().get_one(Tenant, tenant_id).kind if tenant_id else ""
