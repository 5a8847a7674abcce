"""Organisations: a new one, switching between them, the profile, leaving."""

from __future__ import annotations

from flask import flash, g, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from chom_core.identity import schemas, service
from chom_core.identity.pages.base import (
    HOME,
    Answer,
    back,
    brought,
    local,
    pages,
    renew,
    show,
    submit,
    zone_choices,
)
from chom_core.identity.roles import may_manage
from chom_core.values.errors import NotFound
from chom_core.values.ids import parse_uuid
from chom_core.web.forms import Form


@pages.get("/organisations/new", access="person")
def organisation_new() -> Answer:
    """The form for another organisation."""
    form = Form(
        schemas.OrganisationFormSchema(), {"zone": g.person.zone}, choices=zone_choices(g.person.zone)
    )
    return show("organisation_new.html", form)


@pages.post("/organisations/new", access="person")
def organisation_new_post() -> Answer:
    """Make it and work in it from now on."""
    form = Form(schemas.OrganisationFormSchema(), choices=zone_choices(g.person.zone))

    def act() -> Response:
        row = service.create_organisation(**form.values, brought=brought())
        renew(service.switch_organisation(row.id))
        flash(_("%(name)s is ready.", name=row.name), "success")
        return back(HOME)

    return submit(form, act, lambda error: show("organisation_new.html", form, error))


@pages.post("/organisations/switch", access="person")
def organisation_switch() -> Answer:
    """Work in another organisation. The session's token and the form token are new: a form of the old organisation
    that is still open somewhere cannot act in the new one."""
    wanted = parse_uuid(request.values.get("id", ""))
    if wanted is None:
        raise NotFound(
            _("No organisation was chosen."), fix=_("Choose one in the menu on top of the sidebar.")
        )
    renew(service.switch_organisation(wanted))
    return back(local(request.form.get("next", "")))


@pages.get("/organisation")
def organisation() -> Answer:
    """The organisation's profile."""
    form = Form(schemas.OrganisationFormSchema(), g.organisation, choices=zone_choices(g.organisation.zone))
    return show("organisation.html", form, editable=may_manage(g.organisation.role))


@pages.post("/organisation", access="admin")
def organisation_post() -> Answer:
    """Save name and zone."""
    form = Form(schemas.OrganisationFormSchema(), choices=zone_choices(g.organisation.zone))

    def act() -> Response:
        service.update_organisation(**form.values)
        flash(_("Saved."), "success")
        return back("/organisation")

    return submit(form, act, lambda error: show("organisation.html", form, error, editable=True))


@pages.get("/organisation/leave")
def leave() -> Answer:
    """What leaving means, before it is done."""
    danger = {
        "title": _("Leave %(name)s", name=g.organisation.name),
        "name": g.organisation.name,
        "verb": _("Leave"),
        "sentence": _("You lose access at once. To come back, somebody must invite you."),
        "loses": [_("Your role: %(role)s", role=g.organisation.role), _("API keys you made here")],
        "depends": [],
        "stops_billing": [],
        "kept": [_("Everything the organisation owns")],
    }
    return render_template(
        "confirm.html", danger=danger, action="/organisation/leave", cancel_url="/organisation", error=""
    )


@pages.post("/organisation/leave")
def leave_post() -> Answer:
    """Leave the organisation."""
    if request.form.get("confirm_name", "").strip() != g.organisation.name:
        flash(_("The name did not match, so nothing was changed."), "warning")
        return back("/organisation/leave")
    service.leave()
    flash(_("You have left %(name)s.", name=g.organisation.name), "success")
    others = service.organisations_of(g.person.id)
    return back(HOME if others else "/organisations/new")
