"""Organisations: made, renamed, and listed for the people in them."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select

from chom_core.audit import Subject
from chom_core.database import PLATFORM_ID, Tenant, current, session
from chom_core.identity import addresses
from chom_core.identity.models import Membership
from chom_core.identity.service.who import bump, here, lock_organisation, me, must_manage, record, tell
from chom_core.plugin_host import gate
from chom_core.values.errors import Invalid
from chom_core.values.principal import Principal, Role


class OrganisationOption(Struct, frozen=True):
    """An organisation a person belongs to, as the switcher shows it: it posts to `url`."""

    id: UUID
    name: str
    slug: str
    kind: str
    role: Role

    @property
    def url(self) -> str:
        return f"/organisations/switch?id={self.id}"


def create_organisation(
    name: str,
    *,
    zone: str = "UTC",
    owner: UUID | None = None,
    kind: str = "customer",
    parent_id: UUID = PLATFORM_ID,
    principal: Principal | None = None,
    brought: Mapping[str, Mapping[str, str]] | None = None,
) -> Tenant:
    """Make an organisation; `owner` (default: who acts) becomes its owner. Kind: customer or reseller.

    `brought`: what the browser brought along (`arrivals.brought`), told in `organisation.created`.
    """
    name, fault = addresses.display_name(name)
    if fault:
        raise Invalid(fields={"name": [fault]})
    owner = owner or me()
    row = Tenant(name=name, slug=_slug(name), kind=kind, parent_id=parent_id)
    row.zone = "UTC" if addresses.zone_fault(zone) else zone
    session().add(row)
    session().flush()
    session().add(Membership(person_id=owner, tenant_id=row.id, role=Role.OWNER.value))
    session().flush()
    gate.refresh(row.id)  # what is on for everyone is on here from the first event
    subject = Subject("organisation", row.id, row.name)
    after = {"name": row.name, "kind": kind, "zone": row.zone}
    record("organisation.created", subject, after=after, tenant_id=row.id, principal=principal)
    payload: dict[str, Any] = {
        "organisation_id": str(row.id),
        "name": row.name,
        "kind": kind,
        "owner_id": str(owner),
    }
    if brought:
        payload["brought"] = dict(brought)
    tell("organisation.created", subject, payload, tenant_id=row.id)
    return row


def update_organisation(*, name: str | None = None, zone: str | None = None) -> Tenant:
    """Change the current organisation's name or zone. Its slug stays: addresses that people keep must not break."""
    tenant_id = here()
    must_manage(tenant_id)
    row = lock_organisation(tenant_id)
    before = {"name": row.name, "zone": row.zone}
    faults: dict[str, str] = {}
    if name is not None:
        row.name, faults["name"] = addresses.display_name(name)
    if zone is not None:
        row.zone, faults["zone"] = zone, addresses.zone_fault(zone)
    wrong = {field: [fault] for field, fault in faults.items() if fault}
    if wrong:
        session().expire(row)
        raise Invalid(fields=wrong)
    after = {"name": row.name, "zone": row.zone}
    if after != before:
        session().flush()
        bump(tenant_id)
        subject = Subject("organisation", tenant_id, row.name)
        record("organisation.changed", subject, before=before, after=after)
        tell(
            "organisation.changed", subject, {"organisation_id": str(tenant_id), **after}, tenant_id=tenant_id
        )
    return row


def organisations_of(person_id: UUID) -> list[OrganisationOption]:
    """The organisations a person belongs to, by name."""
    query = (
        select(Tenant.id, Tenant.name, Tenant.slug, Tenant.kind, Membership.role)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.person_id == person_id)
        .order_by(Tenant.name, Tenant.id)
    )
    return [
        OrganisationOption(row.id, row.name, row.slug, row.kind, Role(row.role))
        for row in session().execute(query)
    ]


def organisation() -> Tenant:
    """The current organisation's row, to read."""
    row = session().get(Tenant, here())
    assert row is not None, current()
    return row


def _slug(name: str) -> str:
    """Letters, digits and hyphens of the name; something random behind it where the name is taken or says nothing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-")
    taken = session().scalar(select(Tenant.id).where(Tenant.slug == base)) is not None
    return base if len(base) > 2 and not taken else f"{base or 'organisation'}-{secrets.token_hex(3)}"
