"""What a reseller and the platform agreed: the mode, fixed by the first invoice to a customer, and its prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Select, func, select

from chom_core.audit.service import Subject, record
from chom_core.billing.models import NumberSeries, Seller, Settlement
from chom_core.billing.rules.cycles import Cycle
from chom_core.billing.service.partners import changed, standing_in
from chom_core.database import Tenant, afresh, clock, current, session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod, Period

BASE, SEAT, SHARE = Money(24_900, "USD"), Money(1_500, "USD"), Decimal(20)
Mode = Literal["wholesale", "share"]


def choose(
    mode: Mode,
    *,
    base: Money = BASE,
    seat: Money = SEAT,
    share_percent: Decimal = SHARE,
    pool: Mapping[str, Mapping[str, str]] | None = None,
) -> Settlement:
    """Set the current reseller's terms. `pool`: {meter: {"included": per seat, "unit": price of one}}. Audited.

    Conflict where the mode is fixed by a first invoice already: only prices change then. Raises Invalid, NotFound.
    """
    tenant = session().get_one(Tenant, current().tenant_id)
    if tenant.kind != "reseller":
        raise NotFound(_("This organisation is no reseller."))
    if mode not in ("wholesale", "share") or base.currency != seat.currency or min(base, seat).amount < 0:
        raise Invalid(
            _("These are no terms."), fields={"mode": [_("wholesale or share, prices in one currency.")]}
        )
    if not (share_percent.is_finite() and 0 <= share_percent <= 100):
        raise Invalid(_("These are no terms."), fields={"share_percent": [_("From 0 to 100.")]})
    kept = {meter: _pooled(meter, one) for meter, one in (pool or {}).items()}
    found, now = locked(), clock.now()
    if found is None:
        found = Settlement(
            tenant_id=tenant.id, mode=mode, anchor=now, billed_until=now, currency=base.currency, base=0, seat=0,
            share_percent=share_percent, pool={}, fixed_at=None,
        )  # fmt: skip
        session().add(found)
    fix(found)
    if found.fixed_at is not None and (found.mode, found.currency) != (mode, base.currency):
        raise Conflict(
            _(
                "The settlement is fixed as %(mode)s in %(currency)s: a customer was invoiced by it.",
                mode=found.mode,
                currency=found.currency,
            ),
            fix=_("Only its prices can change."),
        )
    if (found.mode, found.share_percent) != (mode, share_percent):
        changed.forget("share")  # what earned nothing by the old terms may earn by these
    found.mode, found.currency, found.base, found.seat = mode, base.currency, base.amount, seat.amount
    found.share_percent, found.pool = share_percent, kept
    if mode == "share":
        standing_in.follow()
    session().flush()
    record(
        "settlement.chosen",
        Subject("settlement", found.id, mode),
        after={"base": base.amount, "seat": seat.amount},
    )
    return found


def open_month(of: Settlement) -> Period:
    """The first month that is not settled, from boundary to boundary of the anchor's day in the reseller's zone."""
    zone = session().get_one(Tenant, of.tenant_id).zone
    start = of.billed_until
    return Period(start, Cycle.of(BillingPeriod.MONTHLY, of.anchor, zone).containing(start).end)


def customers(reseller_id: UUID | None, *, left: bool = False) -> Select[Tenant]:
    """Who takes a seat; with `left` those too that are gone, whose last invoice may be paid or refunded yet."""
    query = select(Tenant).where(Tenant.parent_id == reseller_id, Tenant.kind == "customer")
    return query if left else query.where(Tenant.status == "active")


def locked() -> Settlement | None:
    """The current reseller's terms, locked and read afresh; None where nothing was agreed."""
    query = select(Settlement).where(Settlement.tenant_id == current().tenant_id)
    return session().scalar(afresh(query))


def fix(of: Settlement) -> None:
    """Fixed once the reseller's own seller has given out a number."""
    if of.fixed_at is not None:
        return
    query = (
        select(func.count())
        .select_from(NumberSeries)
        .join(Seller, Seller.id == NumberSeries.seller_id)
        .where(Seller.reseller_id == of.tenant_id, NumberSeries.last > 0)
    )
    if session().scalar(query):
        of.fixed_at = clock.now()
        session().flush()


def _pooled(meter: str, one: Mapping[str, str]) -> dict[str, str]:
    try:
        included, unit = Decimal(str(one["included"])), Decimal(str(one["unit"]))
        right = included.is_finite() and unit.is_finite() and min(included, unit) >= 0
    except (KeyError, ArithmeticError):
        right = False
    if not right:
        raise Invalid(
            _("These are no terms."),
            fields={"pool": [_("%(meter)s: an allowance and a price, from 0.", meter=meter[:60])]},
        )
    return {"included": str(included), "unit": str(unit)}
