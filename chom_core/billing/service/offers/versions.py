"""Versions of prices: a price never changes, another one follows it. Who bought under the old one keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.billing.models import Plan, Price, UsagePrice
from chom_core.billing.models.catalogue import MODELS
from chom_core.database import clock, session
from chom_core.values.errors import Invalid
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod

#: From when the first version of a price is sold: a test clock may stand long before the plan was made.
EVER = datetime(1970, 1, 1, tzinfo=UTC)
#: No price lies beyond: 100 million in major units of most currencies, far inside a bigint.
MOST = 10_000_000_000
Tiers = list[dict[str, Any]]


class Version(Protocol):
    """What has a time in which it is sold."""

    effective_from: Any
    effective_until: Any


V = TypeVar("V", bound=Version)
M = TypeVar("M", Price, UsagePrice)


def effective(rows: Sequence[V], at: datetime) -> V | None:
    """The version that is sold at `at`; None where none is."""
    found = [
        row
        for row in rows
        if row.effective_from <= at and (row.effective_until is None or at < row.effective_until)
    ]
    return found[-1] if found else None


def set_price(
    plan: Plan, amount: Money, period: BillingPeriod, *, effective_from: datetime | None = None
) -> Price:
    """A new version of a price, from `effective_from` (now; for the first version since ever). Raises Invalid."""
    if not 0 <= amount.amount <= MOST:
        raise Invalid(_("That is no price."), fields={"amount": [_("Between 0 and 100,000,000.00.")]})
    query = select(Price).where(
        Price.plan_id == plan.id, Price.currency == amount.currency, Price.billing_period == period.value
    )
    start = _follow(session().scalars(query.with_for_update()).all(), effective_from)
    made = Price(
        reseller_id=plan.reseller_id, plan_id=plan.id, currency=amount.currency, billing_period=period.value,
        amount=amount.amount, effective_from=start,
    )  # fmt: skip
    return _added(plan, made)


def set_usage_price(
    plan: Plan,
    meter: str,
    currency: str,
    tiers: Tiers,
    *,
    model: str = "per_unit",
    included: Decimal = Decimal(0),
    minimum: Money | None = None,
    maximum: Money | None = None,
    package_size: Decimal | None = None,
    effective_from: datetime | None = None,
) -> UsagePrice:
    """A new version of what use of `meter` costs. Raises Invalid (fields) for what cannot be a price."""
    _must_be_priceable(meter, model, tiers, included, package_size)
    query = select(UsagePrice).where(
        UsagePrice.plan_id == plan.id, UsagePrice.currency == currency, UsagePrice.meter == meter
    )
    start = _follow(session().scalars(query.with_for_update()).all(), effective_from)
    made = UsagePrice(
        reseller_id=plan.reseller_id, plan_id=plan.id, meter=meter, currency=currency, model=model, tiers=tiers,
        included=included, minimum=minimum.amount if minimum else None, maximum=maximum.amount if maximum else None,
        package_size=package_size, effective_from=start,
    )  # fmt: skip
    return _added(plan, made)


def per_unit(unit: str) -> Tiers:
    """One tier without end: every unit costs `unit` (major units, as text)."""
    return [{"up_to": None, "unit": unit, "flat": "0"}]


def first_unit(row: UsagePrice) -> Decimal:
    """What the first unit beyond the included ones costs, in major units: what «past that» says."""
    return Decimal(str(row.tiers[0].get("unit", "0"))) if row.tiers else Decimal(0)


def _follow(rows: Sequence[V], wanted: datetime | None) -> datetime:
    """Close the version that is open now, and say from when the next one is sold."""
    last = next((row for row in rows if row.effective_until is None), None)
    start = wanted or (clock.now() if last is not None else EVER)
    if last is not None:
        if start <= last.effective_from:
            raise Invalid(
                _("A newer price is already set for then."),
                fields={"effective_from": [_("After the newest version's begin.")]},
            )
        last.effective_until = start
        session().flush()
    return start


def _added(plan: Plan, made: M) -> M:
    session().add(made)
    session().flush()
    session().expire(plan)
    return made


def _must_be_priceable(
    meter: str, model: str, tiers: Tiers, included: Decimal, package_size: Decimal | None
) -> None:
    errors: dict[str, list[str]] = {}
    if not meter or len(meter) > 60:
        errors["meter"] = [_("1 to 60 characters.")]
    if model not in MODELS:
        errors["model"] = [_("One of %(models)s.", models=", ".join(MODELS))]
    if not included.is_finite() or not 0 <= included <= MOST:
        errors["included"] = [_("0 or more.")]
    if (model == "package") != (package_size is not None) or (
        package_size is not None and not package_size > 0
    ):
        errors["package_size"] = [_("How many units a package holds; only for packages.")]
    if not _are_tiers(tiers):
        errors["tiers"] = [_("Prices of 0 or more as text, growing limits, the last one without a limit.")]
    if errors:
        raise Invalid(_("This is no price for use."), fields=errors)


def _are_tiers(tiers: Tiers) -> bool:
    before = Decimal(0)
    try:
        for place, tier in enumerate(tiers):
            numbers = [Decimal(str(tier.get(name, "0"))) for name in ("unit", "flat")]
            if any(not number.is_finite() or not 0 <= number <= MOST for number in numbers):
                return False
            last = place == len(tiers) - 1
            if (tier.get("up_to") is None) != last:
                return False
            if not last:
                limit = Decimal(str(tier["up_to"]))
                if not limit.is_finite() or limit <= before:
                    return False
                before = limit
    except (InvalidOperation, AttributeError, TypeError):
        return False
    return bool(tiers)


def number(of: int) -> Decimal:
    """A whole number of units as prices hold it."""
    return Decimal(of)
