"""Logging in and out, and the forgotten password."""

from __future__ import annotations

from flask import flash, g, render_template, request
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from chom_core.identity import schemas, service
from chom_core.identity.pages.base import (
    HOME,
    PENDING,
    Answer,
    address,
    back,
    client,
    enter,
    local,
    pages,
    show,
    submit,
)
from chom_core.values.errors import ChomError
from chom_core.web.forms import Form


@pages.get("/login", access="public", tenant="none")
def login() -> Answer:
    """The log-in form. `?next=` is where to go afterwards."""
    target = local(request.args.get("next", ""))
    if "person" in g:
        return back(target)
    return show(
        "login.html", Form(schemas.LogInSchema(), {"email": request.args.get("email", "")}), next=target
    )


@pages.post("/login", access="public", tenant="none")
def login_post() -> Answer:
    """Check the password, end the browser's old session, begin a new one."""
    form = Form(schemas.LogInSchema())
    target = local(request.form.get("next", ""))

    def act() -> Response:
        try:
            made = service.log_in(form.values["email"], form.values["password"], **client())
        except service.Unverified as waiting:
            cookie[PENDING] = form.values["email"]
            flash(f"{waiting.detail} {waiting.fix}", "warning")
            return back("/verify")
        service.log_out()
        enter(made)
        return back("/organisations/new" if made.tenant_id is None and target == HOME else target)

    return submit(form, act, lambda error: show("login.html", form, error, next=target))


@pages.post("/logout", access="public", tenant="none")
def logout() -> Answer:
    """End this session, here and in the database."""
    service.log_out()
    cookie.clear()
    g.pop("csrf_token", None)
    flash(_("You are logged out."), "info")
    return back("/login")


@pages.get("/forgot", access="public", tenant="none")
def forgot() -> Answer:
    """Ask for a link to set a new password."""
    return show("forgot.html", Form(schemas.EmailSchema(), {"email": request.args.get("email", "")}), sent="")


@pages.post("/forgot", access="public", tenant="none")
def forgot_post() -> Answer:
    """The same answer for every address."""
    form = Form(schemas.EmailSchema())

    def again(error: ChomError | None) -> Answer:
        return show("forgot.html", form, error, sent="")

    def act() -> str:
        service.forgot_password(form.values["email"], address=address())
        return render_template("identity/forgot.html", form=form, sent=form.values["email"])

    return submit(form, act, again)


@pages.get("/reset/<token>", access="public", tenant="none")
def reset(token: str) -> Answer:
    """The form behind the mailed link."""
    service.reset_link_is_open(token)
    return show("reset.html", Form(schemas.NewPasswordSchema()), token=token)


@pages.post("/reset/<token>", access="public", tenant="none")
def reset_post(token: str) -> Answer:
    """Set the password; every session ends, so that whoever had the old one is out."""
    form = Form(schemas.NewPasswordSchema())

    def act() -> Response:
        service.reset_password(token, form.values["password"], address=address())
        cookie.clear()
        g.pop("csrf_token", None)
        flash(_("Your new password is set. Log in with it."), "success")
        return back("/login")

    return submit(form, act, lambda error: show("reset.html", form, error, token=token))
