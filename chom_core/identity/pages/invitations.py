"""The page behind an invitation's link."""

from __future__ import annotations

from flask import flash, g
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from chom_core.identity import addresses, schemas, service
from chom_core.identity.pages.base import (
    HOME,
    Answer,
    address,
    back,
    client,
    enter,
    pages,
    renew,
    show,
    submit,
)
from chom_core.values.errors import ChomError
from chom_core.web.forms import Form


def _page(token: str, form: Form, error: ChomError | None = None) -> Answer:
    offer = service.invitation_of(token, address=address())
    person = g.get("person")
    mine = person is not None and addresses.fold(person.email) == addresses.fold(offer.email)
    about, label = schemas.ROLE_ABOUT[offer.role], schemas.ROLE_LABEL[offer.role]
    return show(
        "invitation.html",
        form,
        error,
        offer=offer,
        token=token,
        mine=mine,
        role_about=about,
        role_label=label,
    )


@pages.get("/invitations/<token>", access="public", tenant="none")
def invitation(token: str) -> Answer:
    """What is offered, and what to do: accept, log in first, or make an account."""
    return _page(token, Form(schemas.NewcomerSchema()))


@pages.post("/invitations/<token>", access="public", tenant="none")
def invitation_accept(token: str) -> Answer:
    """Join: as who is logged in, or with a new account for the invited address."""
    form = Form(schemas.NewcomerSchema())
    if "person" in g:
        renew(service.switch_organisation(service.accept_invitation(token)))
        flash(_("Welcome to the organisation."), "success")
        return back(HOME)

    def act() -> Response:
        person = service.accept_as_newcomer(token, form.values["name"], form.values["password"])
        enter(service.open_session(person, **client()))
        flash(_("Welcome, %(name)s.", name=person.name), "success")
        return back(HOME)

    return submit(form, act, lambda error: _page(token, form, error))


@pages.post("/invitations/<token>/decline", access="public", tenant="none")
def invitation_decline(token: str) -> Answer:
    """Say no."""
    service.decline_invitation(token)
    flash(_("The invitation is declined. Nothing else was changed."), "info")
    return back("/login" if "person" not in g else HOME)
