"""The verbs of branding: which brand speaks, saving one, and its style sheet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from flask_babel import gettext as _
from sqlalchemy import or_, select, text, update

from chom_core.audit import record
from chom_core.branding import themes, tokens
from chom_core.branding.models import BrandHost, BrandRow
from chom_core.branding.tokens import Tokens
from chom_core.database import PLATFORM_ID, Tenant, current, session, transaction
from chom_core.database.unit import current_or_none
from chom_core.plugin_host import hooks
from chom_core.values.branding import Brand, BrandQuery
from chom_core.values.errors import Invalid, Refused

log = structlog.get_logger("chom.branding")
_PARTS = ("light", "dark", "fonts", "layout")
_TEXTS = tuple(f.name for f in fields(Brand) if f.name not in (*_PARTS, "words", "reseller_id"))
#: (organisation or None, host) → (generation, brand). A process forgets the whole of it when it grows beyond reason.
_cache: dict[tuple[UUID, str], tuple[int, Brand]] = {}
_MOST = 5000
#: Variables that the kit derives at the root; a box with tokens of its own derives them again.
_DERIVED = """.brand-preview {
  --tblr-primary: var(--chom-primary); --tblr-primary-fg: var(--chom-on-primary);
  --tblr-body-color: var(--chom-text); --tblr-secondary-color: var(--chom-text-2);
  --tblr-bg-surface: var(--chom-surface); --tblr-border-color: var(--chom-line);
  --tblr-border-radius: calc(var(--chom-radius) * .75); --tblr-border-radius-lg: var(--chom-radius);
  --tblr-card-bg: var(--chom-surface); --tblr-card-color: var(--chom-text);
  color: var(--chom-text); background: var(--chom-surface);
  font-family: var(--chom-font), system-ui, sans-serif; border-radius: var(--chom-radius);
}
.brand-preview .link-sample { color: var(--chom-link); text-decoration: underline; }
.brand-preview[data-bs-theme=light] { color-scheme: light; }
.brand-preview[data-bs-theme=dark] { color-scheme: dark; }
"""
_OWNER = """
select t.id, t.generation from core.tenant t where t.id = coalesce(
  (select reseller_id from core.brand_host where host = %s), %s)
"""


def brand_for(host: str = "", tenant_id: UUID | None = None) -> Brand:
    """The brand for an organisation (default: the unit's), or where there is none for a host, or the platform's.

    A customer wears its reseller's brand, a reseller without one the platform's. Cached under the generation of the
    organisation: nothing is read again until something of it changes.
    """
    unit = current_or_none()
    wanted = tenant_id or (unit.tenant_id if unit else None)
    host = host.partition(":")[0].lower()
    if wanted is not None and unit is not None and unit.tenant_id == wanted and unit.session.in_transaction():
        generation = unit.generation
    else:
        wanted, generation = _look_up(host, wanted)
    key = (wanted, host)
    known = _cache.get(key)
    if known is not None and known[0] == generation:
        return known[1]
    brand = _find(BrandQuery(host, wanted))
    if len(_cache) >= _MOST:
        _cache.clear()
    _cache[key] = (generation, brand)
    return brand


def _look_up(host: str, wanted: UUID | None) -> tuple[UUID, int]:
    if current_or_none() is None:
        with transaction():
            return _look_up(host, wanted)
    connection = session().connection()
    if wanted is None:
        row = connection.exec_driver_sql(_OWNER, (host, PLATFORM_ID)).one_or_none()
    else:
        row = connection.execute(
            text("select id, generation from core.tenant where id = :i"), {"i": wanted}
        ).one_or_none()
    return (row[0], row[1]) if row is not None else (PLATFORM_ID, 0)


def _find(query: BrandQuery) -> Brand:
    saved = _saved(query.tenant_id or PLATFORM_ID)
    with transaction(query.tenant_id or PLATFORM_ID):
        for plugin, brand, _error in hooks.branding_brand(query):
            if not isinstance(brand, Brand):
                continue
            try:
                resolve(brand)
            except Invalid as error:
                log.warning("a plugin's brand was refused", plugin=plugin, fields=error.fields)
                continue
            return brand
    return saved


def _saved(tenant_id: UUID) -> Brand:
    """The saved brand of the organisation's reseller, else the platform's, else the house's own."""
    with transaction() as reading:
        row = reading.execute(
            select(Tenant.kind, Tenant.parent_id).where(Tenant.id == tenant_id)
        ).one_or_none()
    owner = PLATFORM_ID if row is None else (row[1] if row[0] == "customer" else tenant_id)
    for reseller_id in dict.fromkeys((owner or PLATFORM_ID, PLATFORM_ID)):
        with transaction(reseller_id) as reading:
            found = reading.scalar(select(BrandRow).where(BrandRow.reseller_id == reseller_id))
            if found is not None:
                return _value(found)
    return Brand()


def _value(row: BrandRow) -> Brand:
    parts: dict[str, Any] = {part: dict(row.tokens.get(part, {})) for part in _PARTS}
    texts: dict[str, Any] = {name: getattr(row, name) for name in _TEXTS}
    return Brand(**texts, **parts, words=dict(row.words), reseller_id=row.reseller_id)


def own_brand() -> Brand:
    """The saved brand of the unit's organisation itself (a reseller or the platform), or a new one to fill in."""
    row = session().scalar(select(BrandRow).where(BrandRow.reseller_id == current().tenant_id))
    return _value(row) if row is not None else Brand(reseller_id=current().tenant_id)


def resolve(brand: Brand) -> Tokens:
    """The brand's tokens over its theme's: whole, validated, readable. Raises Invalid naming what is not."""
    own = tokens.check(Tokens(brand.light, brand.dark, brand.fonts, brand.layout))
    whole = tokens.lay(themes.installed().get(brand.theme).tokens, own)
    tokens.check_contrast(whole)
    return whole


def save_brand(brand: Brand) -> Brand:
    """Save `brand` as that of the unit's organisation, which must be a reseller or the platform.

    Raises Invalid where a token is hostile or unreadable, Refused for a customer. Bumps the generation of everyone
    who wears it.
    """
    tenant_id = current().tenant_id
    kind = session().scalar(select(Tenant.kind).where(Tenant.id == tenant_id))
    if tenant_id is None or kind not in ("reseller", "platform"):
        raise Refused(_("Only a reseller or the platform has a brand of its own."))
    if brand.theme not in themes.installed().found and brand.theme != "default":
        raise Invalid(fields={"theme": [_("This theme is not installed. Choose one of the list.")]})
    resolve(brand)
    row = session().scalar(select(BrandRow).where(BrandRow.reseller_id == tenant_id))
    before = asdict(_value(row)) if row is not None else {}
    if row is None:
        row = BrandRow(reseller_id=tenant_id, name=brand.name)
        session().add(row)
    for name in _TEXTS:
        setattr(row, name, getattr(brand, name))
    row.tokens = {part: dict(getattr(brand, part)) for part in _PARTS}
    row.words = dict(brand.words)
    session().flush()
    _changed(tenant_id)
    after = {k: v for k, v in asdict(brand).items() if before.get(k) != v and k != "reseller_id"}
    record(
        "brand.saved", ("brand", tenant_id, brand.name), before={k: before.get(k) for k in after}, after=after
    )
    return _value(row)


def reset_brand() -> None:
    """Forget the unit's organisation's own brand: it wears its parent's again."""
    tenant_id = current().tenant_id
    row = session().scalar(select(BrandRow).where(BrandRow.reseller_id == tenant_id))
    if row is not None and tenant_id is not None:
        session().delete(row)
        session().flush()
        _changed(tenant_id)
        record("brand.reset", ("brand", tenant_id, row.name))


def set_hosts(hosts: Iterable[str]) -> None:
    """Make `hosts` the names under which the unit's organisation's brand is shown to visitors."""
    tenant_id = current().tenant_id
    kept = {host.partition(":")[0].lower() for host in hosts}
    for row in session().scalars(select(BrandHost).where(BrandHost.reseller_id == tenant_id)):
        if row.host in kept:
            kept.discard(row.host)
        else:
            session().delete(row)
    taken = session().scalar(
        select(BrandHost.host).where(BrandHost.host.in_(kept), BrandHost.reseller_id != tenant_id)
    )
    if taken:
        raise Invalid(fields={"hosts": [_("%(host)s belongs to somebody else here.", host=taken)]})
    session().add_all(BrandHost(host=host, reseller_id=tenant_id) for host in sorted(kept))
    session().flush()


def _changed(tenant_id: UUID) -> None:
    """Bump the generation of everyone who wears this brand: the platform's may be anybody's."""
    statement = update(Tenant).values(generation=Tenant.generation + 1)
    if tenant_id != PLATFORM_ID:
        statement = statement.where(or_(Tenant.id == tenant_id, Tenant.parent_id == tenant_id))
    session().execute(statement.execution_options(synchronize_session=False))


def sheet(brand: Brand) -> tuple[str, str]:
    """The brand's style sheet and its version (a hash of it). A brand whose theme went bad shows the kit's own look."""
    return _sheet(brand.theme, *(tuple(sorted(getattr(brand, part).items())) for part in _PARTS))


@lru_cache(maxsize=512)
def _sheet(theme: str, *parts: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    try:
        looks: dict[str, Any] = dict(zip(_PARTS, map(dict, parts), strict=True))
        body = tokens.css(resolve(Brand(theme=theme, **looks)))
    except Invalid as error:
        log.warning("brand tokens refused", theme=theme, fields=error.fields)
        body = tokens.css(themes.base())
    return body, hashlib.sha256(body.encode()).hexdigest()[:12]


def preview(brand: Brand) -> tuple[str, dict[str, Any]]:
    """The sheet of a brand that is not saved, for `.brand-preview` alone, and what is wrong with it by field."""
    try:
        return tokens.css(resolve(brand), ".brand-preview.brand-preview") + _DERIVED, {}
    except Invalid as error:
        return "", error.fields
