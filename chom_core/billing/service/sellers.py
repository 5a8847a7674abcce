"""Sellers, billing profiles and gapless numbers."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from chom_core.billing.models import BillingProfile, Seller
from chom_core.database import PLATFORM_ID, Tenant, clock, current, session
from chom_core.values.billing import Customer, SellerFacts
from chom_core.values.errors import Invalid, Unavailable
from chom_core.values.ids import uuid7

PROFILE_FIELDS = ("name", "address", "country", "vat_id", "email")


def reseller_id() -> UUID:
    """Whose customer the current organisation is: its reseller, itself where it is one, else the platform."""
    tenant = session().get(Tenant, current().tenant_id) if current().tenant_id else None
    if tenant is None:
        return PLATFORM_ID
    return tenant.parent_id or tenant.id if tenant.kind == "customer" else tenant.id


def seller() -> Seller:
    """The seller of the current organisation; Unavailable where nothing is set up for sale."""
    found = session().scalar(select(Seller).where(Seller.reseller_id == reseller_id()))
    if found is None:
        raise Unavailable(
            "Nothing is for sale here yet.", fix="The operator sets up a seller under Staff → Settings."
        )
    return found


def ensure_seller(legal_name: str, **facts: str) -> Seller:
    """The current organisation (platform or reseller) as a seller; made where missing."""
    tenant_id = current().tenant_id or PLATFORM_ID
    found = session().scalar(select(Seller).where(Seller.reseller_id == tenant_id))
    if found is None:
        found = Seller(reseller_id=tenant_id, legal_name=legal_name, **facts)
        session().add(found)
        session().flush()
    return found


def facts(of: Seller) -> SellerFacts:
    """What an invoice freezes of a seller."""
    return SellerFacts(of.id, of.legal_name, of.address, of.country, of.tax_id)


def profile() -> BillingProfile:
    """The billing profile of the current organisation; made from its name where missing."""
    tenant_id = current().tenant_id
    find = select(BillingProfile).where(BillingProfile.tenant_id == tenant_id)
    found = session().scalar(find)
    if found is None:
        tenant = session().get_one(Tenant, tenant_id)
        session().execute(
            insert(BillingProfile)
            .values(
                id=uuid7(), created_at=clock.now(), tenant_id=tenant_id, name=tenant.name, address="", country="",
                vat_id="", email="", currency=seller().currency,
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
        found = session().scalars(find).one()
    return found


def lock_profile() -> BillingProfile:
    """The profile with its row locked until commit: billing verbs of one organisation run one after another."""
    profile()
    found = select(BillingProfile).where(BillingProfile.tenant_id == current().tenant_id)
    return session().scalars(found.with_for_update().execution_options(populate_existing=True)).one()


def update_profile(values: Mapping[str, str]) -> BillingProfile:
    """Set name, address, country, VAT id, e-mail. Raises Invalid with `fields`."""
    clean = {name: str(values[name]).strip() for name in PROFILE_FIELDS if name in values}
    errors: dict[str, list[str]] = {}
    if "name" in clean and not clean["name"]:
        errors["name"] = ["Say who the invoice is for."]
    if "email" in clean and clean["email"] and "@" not in clean["email"]:
        errors["email"] = ["This is not an e-mail address."]
    if "country" in clean:
        clean["country"] = clean["country"].upper()
        if clean["country"] and not (len(clean["country"]) == 2 and clean["country"].isalpha()):
            errors["country"] = ["Give the country as two letters, for example US or DE."]
    limits = {"name": 200, "address": 1000, "vat_id": 40, "email": 254}
    for name, limit in limits.items():
        if len(clean.get(name, "")) > limit:
            errors.setdefault(name, []).append(f"At most {limit} characters.")
    if errors:
        raise Invalid("The billing details are not complete.", fields=errors)
    found = lock_profile()
    for name, value in clean.items():
        setattr(found, name, value)
    session().flush()
    return found


def customer(of: BillingProfile) -> Customer:
    """What an invoice freezes of a customer."""
    return Customer(of.tenant_id, of.name, of.address, of.country, of.vat_id, of.email)


def next_number(of: Seller, series: str = "invoice") -> str:
    """The next number of the seller's series: call it LAST in a transaction, whose end frees the counter.

    Gapless because the counter rolls back with everything else.
    """
    number = session().scalar(
        text(
            "insert into core.number_series (id, created_at, seller_id, series, last)"
            " values (:id, :at, :seller, :series, 1) on conflict (seller_id, series)"
            " do update set last = core.number_series.last + 1 returning last"
        ),
        {"id": uuid7(), "at": clock.machine(), "seller": of.id, "series": series},
    )
    return f"{of.number_prefix}{int(number or 0):06d}"
