"""How the current organisation settles with the platform as a reseller: its terms, months that are closed, its part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing.models import Earning, Payout, Settlement, WholesaleStatement
from chom_core.billing.service.partners import collected, terms
from chom_core.database import here, session
from chom_core.values.errors import NotFound
from chom_core.values.money import Money
from chom_core.values.period import Period


class PooledInfo(Struct, frozen=True):
    """One meter's pool: units included for each seat, and the price of one beyond them, in major units."""

    meter: str
    included: Decimal
    unit: Decimal


class SettlementInfo(Struct, frozen=True):
    """The terms. `fixed`: a customer was invoiced, so the mode stays. `month`: the first one that is not settled."""

    mode: str
    base: Money
    seat: Money
    share_percent: Decimal
    pool: tuple[PooledInfo, ...]
    fixed: bool
    month: Period

    def before_use(self, seats: int) -> Money:
        """What a month costs with so many seats, use beyond the pool aside."""
        return self.base + self.seat * seats


class CustomerMonth(Struct, frozen=True):
    """One customer in a settled month: what the reseller invoiced, net, and what was used, by meter."""

    tenant_id: UUID
    name: str
    retail: Money
    used: Mapping[str, Decimal]


class MonthStatement(Struct, frozen=True):
    """A settled month: what customers were invoiced, what the platform charged, both net; what is between them."""

    id: UUID
    start: datetime
    end: datetime
    seats: int
    retail: Money
    wholesale: Money
    invoice_id: UUID | None
    customers: tuple[CustomerMonth, ...]

    @property
    def margin(self) -> Money:
        """What is left of what was invoiced; below zero where it costs more."""
        return self.retail - self.wholesale


class PartInfo(Struct, frozen=True):
    """The reseller's part of one customer's invoice, by share."""

    id: UUID
    amount: Money
    taken_back: Money
    created_at: datetime


def settlement() -> SettlementInfo | None:
    """The current organisation's terms; None where it is no reseller or nothing was agreed."""
    found = session().scalar(select(Settlement))
    if found is None:
        return None
    code = found.currency
    pool = [
        PooledInfo(meter, Decimal(one["included"]), Decimal(one["unit"]))
        for meter, one in sorted(found.pool.items())
    ]
    return SettlementInfo(
        found.mode, Money(found.base, code), Money(found.seat, code), found.share_percent, tuple(pool),
        found.fixed_at is not None, terms.open_month(found),
    )  # fmt: skip


def seats() -> int:
    """How many customers the current reseller has now."""
    return session().scalar(select(func.count()).select_from(terms.customers(here()).subquery())) or 0


def month_statements(limit: int = 36) -> list[MonthStatement]:
    """Settled months, newest first."""
    query = select(WholesaleStatement).order_by(WholesaleStatement.period_start.desc()).limit(min(limit, 200))
    return [_info(row) for row in session().scalars(query)]


def month_statement(statement_id: UUID) -> MonthStatement:
    """One settled month. Raises NotFound."""
    row = session().scalar(select(WholesaleStatement).where(WholesaleStatement.id == statement_id))
    if row is None:
        raise NotFound(_("There is no such statement."))
    return _info(row)


def parts(limit: int = 100) -> list[PartInfo]:
    """What was earned by share, invoice by invoice, newest first."""
    query = select(Earning).where(Earning.kind == "reseller", Earning.party == str(here()))
    rows = session().scalars(query.order_by(Earning.id.desc()).limit(min(limit, 500)))
    return [
        PartInfo(row.id, Money(row.amount, row.currency), Money(row.taken_back, row.currency), row.created_at)
        for row in rows
    ]


class Handed(Struct, frozen=True):
    """A payout to a reseller, of what was `collected` for it or of its part. `status`: pending, posted or voided."""

    amount: Money
    collected: bool
    method: str
    reference: str
    status: str
    created_at: datetime


def handed(limit: int = 24) -> list[Handed]:
    """Payouts to the current reseller, newest first."""
    query = select(Payout).where(Payout.kind == "reseller").order_by(Payout.id.desc()).limit(min(limit, 200))
    mine = collected.party(here())
    return [
        Handed(
            Money(row.amount, row.currency), row.party == mine, row.method, row.reference, row.status,
            row.created_at,
        )
        for row in session().scalars(query)
    ]  # fmt: skip


def _info(row: WholesaleStatement) -> MonthStatement:
    code = row.currency
    customers = [
        CustomerMonth(
            UUID(one["organisation"]), one["name"], Money(one["retail"], code),
            {meter: Decimal(used) for meter, used in one["used"].items()},
        )
        for one in row.lines
    ]  # fmt: skip
    return MonthStatement(
        row.id, row.period_start, row.period_end, row.seats, Money(row.retail, code), Money(row.wholesale, code),
        row.invoice_id, tuple(customers),
    )  # fmt: skip
