"""What a visitor of the demo gets on top: «Enter as …», the movable clock, a button that kills the worker, a banner.

These pages exist only where `settings.demo` is set; nobody must prove who they are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from chom_core import config
from chom_core.database import Tenant, clock, current, session
from chom_core.demo import chaos, company, history, jobs
from chom_core.demo.place import Place
from chom_core.identity import service as identity
from chom_core.identity.pages.base import client, enter, local
from chom_core.identity.schemas import ROLE_LABEL
from chom_core.values.errors import Invalid, NotFound
from chom_core.web import Pages, banners, formats, live, render
from chom_core.web.layout import Banner
from chom_core.work import JobRow, enqueue, stand

pages = Pages("demo", "chom_core.demo", prefix="/demo", access="public")
STEPS = (1, 7, 31, 366)


@pages.get("/")
def index() -> str:
    """«Enter as …»: everybody of the demo's company, by organisation."""
    found = company.company()
    return render(
        "demo/index.html", company=found, cards=_cards(), mail_url="/demo/mail", roles=ROLE_LABEL, history=_history()
    )  # fmt: skip


@pages.get("/history")
def history_live() -> Response:
    """The fragment that follows the company's fourteen months."""
    now = _history()
    return live.respond(
        lambda: render("demo/history.html", history=now), seq=now.done, final=now.state != "running",
        version=now.left,
    )  # fmt: skip


def _history() -> history.Told:
    return history.told(Place(config.settings().data_folder))


@pages.post("/enter")
def enter_as() -> Response:
    """Log this browser in as one of the demo's people."""
    persona = company.company().persona(request.form.get("email", ""))
    person = identity.find_person(persona.email) if persona else None
    if persona is None or person is None:
        raise NotFound(_("There is nobody of this name in the demo."), fix=_("Choose one of the cards."))
    identity.log_out()
    enter(identity.open_session(person, **client()))
    flash(_("You are %(name)s now. %(about)s", name=persona.name, about=persona.about), "info")
    return redirect(
        local(request.form.get("next", ""), "/staff" if persona.staff and _has_staff() else "/home"), 303
    )


def _has_staff() -> bool:
    from flask import current_app

    return any(str(rule) in ("/staff", "/staff/") for rule in current_app.url_map.iter_rules())


@pages.get("/clock", access="viewer")
def clock_page() -> str:
    """Where this organisation's clock stands, and buttons that move it."""
    return render("demo/clock.html", **_clock(), steps=[(days, _ahead(days)) for days in STEPS])


@pages.get("/clock/live", access="viewer")
def clock_live() -> Response:
    """The fragment that follows a moving clock."""
    shown = _clock()
    return live.respond(
        lambda: render("demo/clock_live.html", **shown), seq=shown["seq"], final=not shown["moving"],
        version=shown["standing"],
    )  # fmt: skip


@pages.post("/clock", access="viewer")
def move_clock() -> Response:
    """Move it on by some days, or give it back to real time."""
    unit = current()
    assert unit.tenant_id is not None
    if request.form.get("to") == "real":
        stand(unit.tenant_id, None)
        flash(_("This organisation runs on real time again."), "success")
        return redirect(url_for("demo.clock_page"), 303)
    days = request.form.get("days", "")
    if not days.isdecimal() or int(days) not in STEPS:
        raise Invalid(_("Choose one of the steps."))
    begin, to = jobs.target(int(days), unit.clock_at)
    args = {
        "tenant_id": str(unit.tenant_id),
        "from": begin.isoformat() if begin else "",
        "to": to.isoformat(),
    }
    enqueue(jobs.ADVANCE, args, tenant_id=None, key=f"demo-clock:{unit.tenant_id}:{to.isoformat()}")
    return redirect(url_for("demo.clock_page"), 303)


def _clock() -> dict[str, Any]:
    """Where the clock stands, and the newest move with its state."""
    tenant_id = current().tenant_id
    query = (
        select(JobRow)
        .where(JobRow.kind == jobs.ADVANCE, JobRow.args["tenant_id"].astext == str(tenant_id))
        .order_by(JobRow.id.desc())
        .limit(1)
    )
    job = session().scalar(query)
    standing = session().scalar(select(Tenant.clock_at).where(Tenant.id == tenant_id))
    return {
        "standing": standing,
        "job": job,
        "moving": job is not None and job.state in ("ready", "running"),
        "to": job.args["to"] if job else "",
        "seq": int(standing.timestamp()) if standing else 0,
        "now": clock.now(),
    }


def _ahead(days: int) -> str:
    words = {
        1: _("One day"),
        7: _("One week"),
        31: _("31 days: past the next invoice"),
        366: _("A year and a day"),
    }
    return str(words[days])


@pages.get("/chaos", access="person", tenant="none")
def chaos_page() -> str:
    """The button that kills the worker, with what to look at."""
    return render("demo/chaos.html")


@pages.post("/chaos", access="person", tenant="none")
def kill_worker() -> Response:
    """Kill it now."""
    count = chaos.kill_worker(Place(config.settings().data_folder))
    flash(
        _("The worker is dead (%(count)s processes, SIGKILL). It is being started again; what it was doing goes on "
          "where its journal stands, within half a minute.", count=count),
        "warning",
    )  # fmt: skip
    return redirect(local(request.form.get("next", ""), url_for("demo.chaos_page")), 303)


def _cards() -> tuple[tuple[str, str], ...]:
    """Numbers of the cards that every sandbox knows, and what they do."""
    return (
        ("4242 4242 4242 4242", _("pays")),
        ("4000 0000 0000 0002", _("is declined")),
        ("4000 0027 6000 3184", _("asks for a second step at the bank")),
        ("4000 0000 0000 0259", _("pays, and its bank takes it back")),
    )


def banner() -> Iterable[Banner]:
    """The bar on every page of a demo, and where the clock stands if it was moved."""
    if "demo" not in current_app.blueprints:
        return
    words = _("Sandbox: test cards only, mail stays here, nothing costs money.")
    organisation = g.get("organisation")
    if organisation is not None:
        unit = current()
        if unit.tenant_id and unit.clock_at:
            words = f"{words} {_('Here it is %(when)s.', when=formats.moment(unit.clock_at))}"
    yield Banner(words, "info", "flask", _("Demo: people, clock, mail"), url_for("demo.index"))


banners.add(banner)
