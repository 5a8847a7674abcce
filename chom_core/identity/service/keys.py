"""API keys: made (the secret is shown once), listed, revoked."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from chom_core.audit import Subject
from chom_core.database import clock, current, session
from chom_core.identity import addresses, tokens
from chom_core.identity.models import ApiKey
from chom_core.identity.roles import KEY_ROLES
from chom_core.identity.service.who import here, must_cover, must_manage, record, role_named, tell
from chom_core.values.errors import Invalid, NotFound, Refused
from chom_core.values.principal import Role

_SCOPE = re.compile(r"[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*")
MOST_SCOPES = 100


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `secret` is shown now and never again: only its digest is kept."""

    row: ApiKey
    secret: str = field(repr=False)


def api_keys() -> list[ApiKey]:
    """The current organisation's keys that have not been revoked, the newest first."""
    query = select(ApiKey).where(ApiKey.tenant_id == here(), ApiKey.revoked_at.is_(None))
    return list(session().scalars(query.order_by(ApiKey.id.desc())))


def create_api_key(
    name: str, *, role: Role | str, scopes: Collection[str] = (), expires_at: datetime | None = None
) -> NewKey:
    """Make a key of the current organisation. It may do what `role` may; with `scopes`, only within them."""
    tenant_id, wanted = here(), role_named(role)
    must_cover(must_manage(tenant_id), wanted)
    name, fault = addresses.display_name(name, 80)
    wrong = {"name": [fault]} if fault else {}
    chosen = sorted(set(scopes))
    if wanted not in KEY_ROLES:
        wrong["role"] = [_("A key cannot be an owner; choose admin or less.")]
    if len(chosen) > MOST_SCOPES or any(len(one) > 80 or not _SCOPE.fullmatch(one) for one in chosen):
        wrong["scopes"] = [_("Choose scopes of the list, such as services:read.")]
    if expires_at is not None and expires_at <= clock.machine():
        wrong["expires_at"] = [_("Choose a time in the future.")]
    if wrong:
        raise Invalid(fields=wrong)
    _within_own_scopes(chosen)
    secret, prefix = tokens.new_key()
    row = ApiKey(
        tenant_id=tenant_id,
        name=name,
        prefix=prefix,
        secret_hash=tokens.digest(secret),
        role=wanted.value,
        scopes=chosen,
        created_by=current().principal.person_id,
        expires_at=expires_at,
    )
    session().add(row)
    session().flush()
    subject = Subject("api_key", row.id, row.name)
    facts = {"prefix": prefix, "role": wanted, "scopes": chosen, "expires_at": expires_at}
    record("api_key.created", subject, after=facts)
    tell("api_key.created", subject, {"organisation_id": str(tenant_id), "name": name}, tenant_id=tenant_id)
    return NewKey(row, secret)


def revoke_api_key(key_id: UUID) -> None:
    """End a key at once. The row stays, for the log."""
    tenant_id = here()
    mine = must_manage(tenant_id)
    query = select(ApiKey).where(
        ApiKey.id == key_id, ApiKey.tenant_id == tenant_id, ApiKey.revoked_at.is_(None)
    )
    row = session().scalar(query.with_for_update())
    if row is None:
        raise NotFound(
            _("This key does not exist, or was revoked already."), fix=_("Reload the list of keys.")
        )
    must_cover(mine, Role(row.role))
    row.revoked_at = clock.machine()
    session().flush()
    subject = Subject("api_key", row.id, row.name)
    record("api_key.revoked", subject, before={"prefix": row.prefix, "role": row.role})
    tell(
        "api_key.revoked", subject, {"organisation_id": str(tenant_id), "name": row.name}, tenant_id=tenant_id
    )


def _within_own_scopes(scopes: list[str]) -> None:
    """A key that is limited to scopes gives none it lacks; nor no scopes at all, which would mean every one."""
    who = current().principal
    if who.kind != "key" or not who.scopes:
        return
    beyond = [one for one in scopes if one not in who.scopes]
    if beyond or not scopes:
        raise Refused(
            _("This key may not give scopes it lacks: %(scopes)s.", scopes=", ".join(beyond) or _("all")),
            fix=_("Make the key in the browser, or with a key that has them."),
        )
