"""Signing up, and the mail that proves the address."""

from __future__ import annotations

from flask import flash, g, render_template, request
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from chom_core.database import session
from chom_core.identity import addresses, schemas, service
from chom_core.identity.models import Person
from chom_core.identity.pages.base import (
    HOME,
    PENDING,
    Answer,
    address,
    back,
    brought,
    client,
    enter,
    local,
    pages,
    show,
    submit,
)
from chom_core.values.errors import ChomError
from chom_core.web.forms import Form


@pages.get("/signup", access="public", tenant="none")
def signup() -> Answer:
    """The sign-up form. `?email=` fills it in, `?next=` is where to go once logged in."""
    if "person" in g:
        return back(local(request.args.get("next", "")))
    form = Form(schemas.SignUpSchema(), {"email": request.args.get("email", "")})
    return show("signup.html", form, next=request.args.get("next", ""))


@pages.post("/signup", access="public", tenant="none")
def signup_post() -> Answer:
    """Take the form. Whether the address has an account already, the answer is the same page."""
    form = Form(schemas.SignUpSchema())

    def act() -> Response:
        email = service.sign_up(**form.values, address=address(), brought=brought())
        cookie[PENDING] = email
        if request.form.get("next"):
            cookie["next"] = local(request.form["next"])
        return back("/verify")

    def again(error: ChomError | None) -> Answer:
        return show("signup.html", form, error, next=request.form.get("next", ""))

    return submit(form, act, again)


@pages.get("/verify", access="public", tenant="none")
def verify_wait() -> Answer:
    """«Look into your mail», with the mail once more."""
    email = str(cookie.get(PENDING, ""))
    return show("verify_wait.html", Form(schemas.EmailSchema(), {"email": email}), email=email)


@pages.post("/verify", access="public", tenant="none")
def verify_resend() -> Answer:
    """Send the mail again."""
    form = Form(schemas.EmailSchema())

    def act() -> Response:
        service.resend_verification(form.values["email"], address=address())
        cookie[PENDING] = form.values["email"]
        flash(_("If this address waits for its confirmation, the mail is on its way again."), "info")
        return back("/verify")

    return submit(form, act, lambda error: show("verify_wait.html", form, error, email=""))


@pages.get("/verify/<token>", access="public", tenant="none")
def verify(token: str) -> Answer:
    """A button: mail scanners open links, and must not use them up."""
    return render_template("identity/verify.html", token=token)


@pages.post("/verify/<token>", access="public", tenant="none")
def verify_post(token: str) -> Answer:
    """Prove the address. The browser that signed up is logged in; another one is asked for the password, since the
    link alone does not show that whoever opens it chose that password."""
    done = service.verify_email(token, address=address())
    same = addresses.fold(str(cookie.get(PENDING, ""))) == addresses.fold(done.email)
    target = local(str(cookie.get("next", "")))
    if not same:
        flash(_("Your e-mail address is confirmed. Log in to go on."), "success")
        return back("/login")
    person = session().get_one(Person, done.person_id)
    enter(service.open_session(person, **client(), tenant_id=done.tenant_id))
    flash(_("Welcome, %(name)s. Your e-mail address is confirmed.", name=person.name), "success")
    return back(target if done.tenant_id or target != HOME else "/organisations/new")
