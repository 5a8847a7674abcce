"""What must be there before anybody can buy: the operator's catalogue, gateway, coupons, taxes; resellers' shops."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from chom_core.billing.models import Coupon, TaxRate
from chom_core.billing.rules.coupons import Duration
from chom_core.billing.service.invoicing import sellers, tax
from chom_core.billing.service.offers import catalogue, coupons
from chom_core.database import PLATFORM_ID, session, transaction
from chom_core.plugin_host import gate, registry
from chom_core.simulation.cast import Actor
from chom_core.values.billing import PlanShape
from chom_core.values.errors import Unavailable
from chom_core.values.money import Money

CURRENCY = "USD"
#: Data, since the core knows no plugin by name.
GATEWAY: str = tomllib.loads((Path(__file__).parent / "shop.toml").read_text())["gateway"]
#: The code that newcomers type, and the coupon that staff give.
WELCOME, LOYAL = "WELCOME20", "Loyal customer"
ADD_ONS = (("extra-backups", "Extra backups", "4.00"), ("priority-support", "Priority support", "19.00"))
#: Where the operator charges tax: country, percent.
RATES = (("GB", "20"), ("DE", "19"), ("AU", "10"))


def operator() -> None:
    """The platform sells. What is there already is left alone."""
    with transaction(PLATFORM_ID):
        catalogue.seed_catalogue(CURRENCY, "Lanternworks Inc.")
        if GATEWAY not in registry.loaded:
            raise Unavailable(
                f"The simulation pays by {GATEWAY}, which is not here.",
                fix=f"Install plugins/{GATEWAY}, then run «chom migrate --install-all».",
            )
        if not gate.is_enabled(PLATFORM_ID, GATEWAY):
            gate.switch(PLATFORM_ID, GATEWAY, on=True, by="staff", note="the simulation")
        _add_ons()
        _coupons()
        known = set(session().scalars(select(TaxRate.country).where(TaxRate.reseller_id == PLATFORM_ID)))
        for country, percent in RATES:
            if country not in known and not sellers.seller().country.startswith(country):
                tax.set_rate(
                    country, Decimal(percent), title=f"VAT {country}", effective_from=date(2015, 1, 1)
                )


#: What a reseller's customers use together before it pays for more.
POOL = {
    "storage_gb": {"included": "20", "unit": "0.08"},
    "traffic_gb": {"included": "150", "unit": "0.03"},
}


def reseller_shop(actor: Actor) -> None:
    """In the reseller's unit: its own seller, plans, add-ons and coupons."""
    sellers.ensure_seller(
        f"{actor.name} Ltd",
        currency=CURRENCY,
        country=actor.country,
        number_prefix=f"R{actor.number + 1:02d}-",
    )
    for place, (code, monthly, sites, storage, traffic) in enumerate(
        (("basic", "39.00", 3, 10, 100), ("plus", "99.00", 15, 60, 400)), start=1
    ):
        allowances = {"sites": sites, "storage_gb": storage, "traffic_gb": traffic}
        catalogue.save_plan(
            code, title=code.title(), shape=PlanShape.HOSTING, monthly=Money.of(monthly, CURRENCY),
            allowances=allowances, overage={CURRENCY: {"sites": "6.00", "storage_gb": "0.15", "traffic_gb": "0.06"}},
            position=place,
        )  # fmt: skip
    _add_ons()
    _coupons()


def _add_ons() -> None:
    for place, (code, title, monthly) in enumerate(ADD_ONS, start=1):
        catalogue.save_plan(
            code, title=title, shape=PlanShape.ADDON, monthly=Money.of(monthly, CURRENCY), position=20 + place
        )


def _coupons() -> None:
    known = set(session().scalars(select(Coupon.name).where(Coupon.reseller_id == sellers.reseller_id())))
    if "Welcome" not in known:
        welcome = coupons.make("Welcome", percent=Decimal(20), duration=Duration.REPEATING, repeats=3)
        coupons.add_code(welcome.id, WELCOME)
    if LOYAL not in known:
        coupons.make(LOYAL, amount=Money.of("5.00", CURRENCY), per_customer=None)
