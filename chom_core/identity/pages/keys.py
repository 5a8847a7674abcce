"""API keys of the organisation."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import current_app, flash, g, render_template, request
from flask_babel import gettext as _

from chom_core.database import clock
from chom_core.identity import schemas, service
from chom_core.identity.models import ApiKey
from chom_core.identity.options import link
from chom_core.identity.pages.base import Answer, back, pages, show, submit
from chom_core.identity.roles import KEY_ROLES, grantable
from chom_core.plugin_host import gate
from chom_core.rest.access import routes
from chom_core.values.errors import ChomError, NotFound
from chom_core.web.forms import Form

KEYS = "/organisation/api-keys"


def _scopes() -> list[tuple[str, str]]:
    """Every scope that some route here asks for: the core's, and those of plugins that are on."""
    on = gate.enabled(g.organisation.id).on
    found = {
        one.access.scope
        for one in routes(current_app._get_current_object()).values()  # type: ignore[attr-defined]
        if one.access.scope and (one.plugin is None or one.plugin in on)
    }
    return [(scope, scope) for scope in sorted(found)]


def _form() -> Form:
    mine = grantable(g.organisation.role)
    roles = [(r.value, str(schemas.ROLE_LABEL[r])) for r in KEY_ROLES if r in mine]
    return Form(
        schemas.NewKeyFormSchema(),
        {"role": "viewer", "days": 365},
        choices={"role": roles, "scopes": _scopes()},
    )


def _page(form: Form, error: ChomError | None = None) -> Answer:
    labels = {r.value: label for r, label in schemas.ROLE_LABEL.items()}
    return show("api_keys.html", form, error, keys=service.api_keys(), labels=labels, now=clock.machine())


@pages.get(KEYS, access="admin")
def api_keys() -> Answer:
    """The keys, and the form for a new one."""
    return _page(_form())


@pages.post(KEYS, access="admin")
def api_keys_create() -> Answer:
    """Make a key and show its secret, this once: so the answer is a page, not a redirect."""
    form = _form()

    def act() -> str:
        values = form.values
        expires = clock.machine() + timedelta(days=values["days"]) if values["days"] else None
        made = service.create_api_key(
            values["name"], role=values["role"], scopes=values["scopes"], expires_at=expires
        )
        return render_template(
            "identity/api_key_made.html", key=made.row, secret=made.secret, me_url=link("/api/v1/me")
        )

    return submit(form, act, lambda error: _page(form, error))


def _find(key_id: UUID) -> ApiKey:
    found = next((key for key in service.api_keys() if key.id == key_id), None)
    if found is None:
        raise NotFound(
            _("This key does not exist, or was revoked already."), fix=_("Reload the list of keys.")
        )
    return found


@pages.get(f"{KEYS}/<uuid:key_id>/revoke", access="admin")
def api_key_revoke(key_id: UUID) -> Answer:
    """What revoking means, before it is done."""
    key = _find(key_id)
    danger = {
        "title": _("Revoke the key %(name)s", name=key.name),
        "name": key.prefix,
        "verb": _("Revoke"),
        "sentence": _("Programs that use it are refused from this moment on. This cannot be undone."),
        "loses": [],
        "depends": [],
        "stops_billing": [],
        "kept": [_("What was done with it, in the activity log")],
    }
    return render_template(
        "confirm.html", danger=danger, action=f"{KEYS}/{key_id}/revoke", cancel_url=KEYS, error=""
    )


@pages.post(f"{KEYS}/<uuid:key_id>/revoke", access="admin")
def api_key_revoke_post(key_id: UUID) -> Answer:
    """End the key."""
    if request.form.get("confirm_name", "").strip() != _find(key_id).prefix:
        flash(_("The prefix did not match, so nothing was changed."), "warning")
        return back(f"{KEYS}/{key_id}/revoke")
    service.revoke_api_key(key_id)
    flash(_("The key is revoked."), "success")
    return back(KEYS)
