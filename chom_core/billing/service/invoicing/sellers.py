"""Sellers, billing profiles and gapless numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from chom_core.audit.service import Subject, record
from chom_core.billing.models import BillingProfile, NumberSeries, Seller, Settlement
from chom_core.billing.service.invoicing import profile_checks, seller_checks, vat_ids
from chom_core.database import PLATFORM_ID, Tenant, afresh, clock, current, held, here, session
from chom_core.values.billing import Customer, SellerFacts
from chom_core.values.errors import Conflict, Invalid, NotFound, Unavailable
from chom_core.values.ids import uuid7
from chom_core.work import enqueue

#: The job that has resellers by share follow the platform.
FOLLOW = "billing.resellers_follow"
PROFILE_FIELDS = ("name", "address", "country", "region", "vat_id", "email")
SELLER_FIELDS = (*seller_checks.LIMITS, "numbering", "due_days", "oss")


def reseller_id() -> UUID:
    """Whose customer the current organisation is: its reseller, itself where it is one, else the platform."""
    return current().reseller_id or PLATFORM_ID


def seller() -> Seller:
    """The seller of the current organisation; Unavailable where nothing is set up for sale."""
    owner = reseller_id()
    # with its organisation, whose name is the brand on the invoice
    query = (
        select(Seller, Tenant)
        .join(Tenant, Tenant.id == Seller.reseller_id)
        .where(Seller.reseller_id == owner)
    )
    found = held(Seller, reseller_id=owner) or session().scalar(query)
    if found is None:
        raise Unavailable(
            _("Nothing is for sale here yet."), fix=_("The operator sets up a seller under Staff → Settings.")
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


def decides() -> bool:
    """Does the current organisation decide what it sells under? By share, the platform sells in a reseller's place."""
    by_share = select(Settlement.id).where(Settlement.tenant_id == here(), Settlement.mode == "share")
    return session().scalar(by_share) is None


def must_sell() -> None:
    """NotFound where the current organisation is a customer."""
    if session().get_one(Tenant, here()).kind == "customer":
        raise NotFound(_("This organisation sells nothing."))


def itself() -> UUID:
    """The current organisation, as a seller. NotFound for a customer; Conflict where it decides nothing."""
    must_sell()
    if not decides():
        raise Conflict(
            _("The platform sells to your customers: it decides this."), fix=_("Ask the platform.")
        )
    return here()


def changed() -> None:
    """What the current seller set is new: where it is the platform, those who sell in its name follow."""
    if here() == PLATFORM_ID:
        enqueue(FOLLOW)


def update_seller(values: Mapping[str, Any]) -> Seller:
    """Set what the next invoices of the current seller say and how they are numbered (SELLER_FIELDS). Audited.

    What is left out stays; so do invoices of before. Raises Invalid (`fields`), NotFound, and Conflict by share.
    """
    query = select(Seller).where(Seller.reseller_id == itself())
    clean, found = seller_checks.clean(values), session().scalar(afresh(query))
    if found is None:
        found = ensure_seller(clean.get("legal_name", ""))
    before = {name: getattr(found, name) for name in SELLER_FIELDS}
    numbered = select(NumberSeries.last).where(
        NumberSeries.seller_id == found.id, NumberSeries.series == "customer"
    )
    errors = seller_checks.errors(before | clean, session().scalar(numbered) or 0)
    if errors:
        raise Invalid(_("The selling details are not complete."), fields=errors)
    if clean.get("tax_id") or found.tax_id:
        number, country = (clean.get(name, before[name]) for name in ("tax_id", "country"))
        clean["tax_id"] = vat_ids.compact(number, country) or number
    for name, value in clean.items():
        setattr(found, name, value)
    session().flush()
    new = {name: value for name, value in clean.items() if value != before[name]}
    if new:
        subject = Subject("seller", found.id, found.legal_name)
        record("seller.changed", subject, before={name: before[name] for name in new}, after=new)
        changed()
    return found


def facts(of: Seller) -> SellerFacts:
    """What an invoice freezes of a seller."""
    return SellerFacts(of.id, of.legal_name, of.address, of.country, of.tax_id, of.oss)


def profile() -> BillingProfile:
    """The billing profile of the current organisation; made from its name where missing."""
    tenant_id = current().tenant_id
    find = select(BillingProfile).where(BillingProfile.tenant_id == tenant_id)
    found = held(BillingProfile, tenant_id=tenant_id) or session().scalar(find)
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
    # with the organisation, whose name stands on the invoice
    both = select(BillingProfile, Tenant).join(Tenant, Tenant.id == BillingProfile.tenant_id)
    query = afresh(both.where(BillingProfile.tenant_id == current().tenant_id), of=BillingProfile)
    found: BillingProfile | None = session().scalar(query)
    if found is None:
        profile()
        found = session().scalars(query).one()
    return found


def update_profile(values: Mapping[str, str]) -> BillingProfile:
    """Set name, address, country, region, VAT id, e-mail. Raises Invalid with `fields`."""
    clean = profile_checks.clean(values)
    found = lock_profile()
    whole = {name: getattr(found, name) for name in PROFILE_FIELDS} | clean
    errors = profile_checks.errors(clean, whole, reseller_id())
    if errors:
        raise Invalid(_("The billing details are not complete."), fields=errors)
    if whole["vat_id"]:
        clean["vat_id"] = vat_ids.compact(whole["vat_id"], whole["country"]) or whole["vat_id"]
    for name, value in clean.items():
        setattr(found, name, value)
    session().flush()
    return found


def billing_day() -> int | None:
    """The day of the month on which the customer wants periods to begin; None: on the day of purchase."""
    return profile().billing_day


def update_wishes(*, consolidate: bool, billing_day: int | None) -> BillingProfile:
    """How the customer wants to be billed: one invoice for what is due the same day, and on which day of the month.

    The day counts for what is bought from now on; `ending.change_billing_day` moves a subscription. Audited.
    """
    if billing_day is not None and not 1 <= billing_day <= 31:
        raise Invalid(_("That is no day of the month."), fields={"billing_day": [_("Between 1 and 31.")]})
    found = lock_profile()
    before = {"consolidate": found.consolidate, "billing_day": found.billing_day}
    found.consolidate, found.billing_day = consolidate, billing_day
    session().flush()
    record(
        "billing.wishes_changed", Subject("billing_profile", found.id, found.name), before=before,
        after={"consolidate": consolidate, "billing_day": billing_day},
    )  # fmt: skip
    return found


def customer(of: BillingProfile) -> Customer:
    """What an invoice freezes of a customer."""
    return Customer(of.tenant_id, of.name, of.address, of.country, of.vat_id, of.email, of.region)


def next_invoice_number(of: Seller) -> tuple[str, str]:
    """The next invoice's number and the series it is from, by the seller's policy. LAST in a transaction."""
    if of.numbering != "customer":
        return f"{of.number_prefix}{next_in(of, 'invoice'):06d}", "invoice"
    payer = lock_profile()
    if payer.customer_number is None:
        payer.customer_number = next_in(of, "customer")
    series = f"invoice:{payer.tenant_id}"
    return f"{of.number_prefix.rstrip('-')}-{payer.customer_number:03d}-{next_in(of, series):03d}", series


def next_note_number(of: Seller) -> str:
    """The next credit note's number. LAST in a transaction, but before an invoice's where both are taken."""
    return f"{of.note_prefix}{next_in(of, 'credit_note'):06d}"


def next_in(of: Seller, series: str) -> int:
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
    return int(number or 0)
