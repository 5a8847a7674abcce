"""/staff/plugins: what is here, what it answers and costs, what is wrong with it, and for whom it is on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from chom_core.console.pages.base import act, administers, staff
from chom_core.console.service import extensions, organisations, switches
from chom_core.database import PLATFORM_ID, Tenant, bind_tenant, session
from chom_core.plugin_host import gate, registry, settings
from chom_core.values.errors import ChomError, NotFound
from chom_core.values.ids import parse_uuid
from chom_core.web import render
from chom_core.web.forms import Form

#: Organisations that a search on a plugin's page shows.
FOUND = 12


@staff.get("/plugins")
def plugins() -> str:
    """Every plugin: running, tripped, skipped with why, here but not installed."""
    skipped, available = extensions.absent()
    return render(
        "console/plugins.html",
        running=extensions.running(),
        skipped=skipped,
        available=available,
        tripped=extensions.tripped(),
    )


@staff.get("/plugins/<name>")
def plugin(name: str) -> str:
    """One plugin: what it answers, its switches, its state in the organisations that `?q=` finds."""
    return _page(name)


@staff.post("/plugins/<name>/switch", access="staff_admin")
def switch_everywhere(name: str) -> Response:
    """For everyone."""
    on, note = request.form.get("on") == "1", request.form.get("note", "")
    title = switches.manifest(name).title
    done = (_("%(title)s is on.", title=title) if on else _("%(title)s is off for everyone.", title=title))  # fmt: skip
    return act(
        lambda: switches.platform_switch(name, on=on, note=note), done, url_for("staff.plugin", name=name)
    )


@staff.post("/plugins/<name>/organisations/<uuid:tenant_id>", access="staff_admin")
def switch_for(name: str, tenant_id: UUID) -> Response:
    """For one organisation: on, off, or let plan and owner decide."""
    do, note = request.form.get("do", ""), request.form.get("note", "")
    where, title = organisations.find(tenant_id).name, switches.manifest(name).title

    def verb() -> None:
        if do == "unswitch":
            switches.unswitch(tenant_id, name, note=note)
        else:
            switches.staff_switch(tenant_id, name, on=do == "on", note=note)

    words = {"on": _("switched on"), "unswitch": _("left to plan and owner")}.get(do, _("switched off"))
    done = _("%(title)s for %(name)s: %(words)s.", title=title, name=where, words=words)
    return act(verb, done, _back(name, tenant_id))


@staff.post("/plugins/<name>/reset/<uuid:tenant_id>")
def reset_breaker(name: str, tenant_id: UUID) -> Response:
    """Let a tripped plugin in again."""
    done = _("%(title)s is asked again from now on.", title=switches.manifest(name).title)
    return act(lambda: switches.reset(tenant_id, name), done, _back(name, None))


@staff.post("/plugins/<name>/settings", access="staff_admin")
def save_settings(name: str) -> Any:
    """The settings of a platform-level plugin; those of others belong to organisations."""
    if switches.manifest(name).level != "platform" or settings.schema(name) is None:
        raise NotFound(_("This extension has no settings for the whole platform."))
    bind_tenant(PLATFORM_ID)
    form = _form(name)
    assert form is not None
    form.parse(request.form)
    if form.ok:
        try:
            switches.save_settings(name, form.values, PLATFORM_ID)
        except ChomError as error:
            form.refuse(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("staff.plugin", name=name), 303)
    return _page(name, form), form.status


def _page(name: str, form: Form | None = None) -> str:
    switches.manifest(name)
    found = extensions.extension(name)
    text = request.args.get("q", "").strip()[:100]
    near = parse_uuid(request.args.get("organisation", ""))
    return render(
        "console/plugin.html",
        one=found,
        plugin=found.plugin,
        stopped=switches.stopped(name) if found.plugin.level != "platform" else None,
        decision=switches.decision(PLATFORM_ID, name, "staff"),
        form=form or _form(name),
        tripped=extensions.tripped(name),
        needed_by=[str(o.plugin.title) for o in registry.loaded.values() if name in o.plugin.requires],
        search=text,
        rows=[] if found.plugin.level == "platform" else _states(name, text, near),
        may=administers(),
    )


def _states(name: str, text: str, near: UUID | None) -> list[dict[str, Any]]:
    """The organisations that were searched for, else those that somebody decided about, with state and decisions."""
    query = organisations.search(text)
    if not text:
        query = organisations.decided(name) if near is None else query.where(Tenant.id == near)
    rows = session().scalars(query.order_by(Tenant.name).limit(FOUND)).all()
    return [
        {
            "tenant": row,
            "state": gate.effective_state(row.id, name),
            "staff": switches.decision(row.id, name, "staff"),
        }
        for row in rows
    ]


def _form(name: str) -> Form | None:
    if switches.manifest(name).level != "platform":
        return None
    schema = settings.schema(name)
    if schema is None:
        return None
    values, stored = settings.shown(name, PLATFORM_ID)
    return Form(schema, values, stored=stored)


def _back(name: str, tenant_id: UUID | None) -> str:
    """Where the button stood: the organisation's page, the list, or the plugin's page with its search."""
    if request.form.get("from") == "organisation" and tenant_id is not None:
        return url_for("staff.organisation", organisation_id=tenant_id)
    if request.form.get("from") == "plugins":
        return url_for("staff.plugins")
    if text := request.form.get("q", "")[:100]:
        return url_for("staff.plugin", name=name, q=text)
    return url_for("staff.plugin", name=name, organisation=str(tenant_id or ""))
