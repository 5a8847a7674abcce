"""A reseller that sells on its own account: is the current organisation one, and what the platform holds for it."""

from __future__ import annotations

from sqlalchemy import select

from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import collected as _collected
from chom_core.billing.service.partners import earnings
from chom_core.billing.service.partners.earnings import Payable
from chom_core.database import Tenant, here, session


def sells_itself() -> bool:
    """Is what customers of the current organisation pay its own money: a reseller, and not one that has a share?"""
    kind = session().scalar(select(Tenant.kind).where(Tenant.id == here()))
    return kind == "reseller" and sellers.decides()


def collected() -> list[Payable]:
    """What the platform's account took of the current reseller's customers, by currency, as of last night.

    `earned`: all of it less what went back; `available` and `pending` are still to be handed on, `paid` is.
    """
    return earnings.payable(_collected.party(here()), "reseller")
