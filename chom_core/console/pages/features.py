"""/organisation/features: an organisation's own features, why each is on or off, its switch and its settings."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from chom_core.console.service import features as service
from chom_core.console.service import switches
from chom_core.plugin_host import NavItem, settings
from chom_core.rest import organisation_id
from chom_core.values.errors import ChomError, NotFound
from chom_core.web import Pages, nav, render
from chom_core.web.forms import Form

pages = Pages("features", "chom_core.console", prefix="/organisation/features", access="admin")
nav.add(NavItem(_l("Features"), "features.index", "toggle-right", access="admin", weight=92))


@pages.get("/")
def index() -> str:
    """Every feature with its state and why."""
    return render("console/features.html", features=service.features(organisation_id()))


@pages.get("/<name>")
def show(name: str) -> str:
    """One feature: conditions, rights, what switching means, settings."""
    return _page(name)


@pages.post("/<name>/switch")
def switch(name: str) -> Any:
    """The organisation's own switch."""
    on, note = request.form.get("on") == "1", request.form.get("note", "").strip()[:200]
    scopes = request.form.getlist("scope")
    try:
        after = switches.owner_switch(organisation_id(), name, on=on, note=note, scopes=scopes)
    except ChomError as error:
        if error.status == 404:
            raise
        return _page(name, refused=error), error.status
    title = switches.own(name).title
    if after.on == on:
        flash(_("%(title)s is on.", title=title) if on else _("%(title)s is off.", title=title), "success")
    else:
        flash(f"{title}: {after.why}", "warning")
    return redirect(url_for("features.show", name=name), 303)


@pages.post("/<name>/settings")
def save_settings(name: str) -> Response | tuple[str, int]:
    """The feature's settings in this organisation."""
    form = _form(name)
    if form is None:
        raise NotFound(_("This feature has no settings."))
    form.parse(request.form)
    if form.ok:
        try:
            switches.save_settings(name, form.values, organisation_id())
        except ChomError as error:
            form.refuse(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("features.show", name=name), 303)
    return _page(name, form), form.status


def _page(name: str, form: Form | None = None, refused: ChomError | None = None) -> str:
    here = organisation_id()
    feature = service.feature(here, name)
    return render(
        "console/feature.html",
        feature=feature,
        plugin=feature.plugin,
        form=form or _form(name),
        means=service.consequences(here, name),
        refused=refused,
    )


def _form(name: str) -> Form | None:
    switches.own(name)
    schema = settings.schema(name)
    if schema is None:
        return None
    values, stored = settings.shown(name)
    return Form(schema, values, stored=stored)
