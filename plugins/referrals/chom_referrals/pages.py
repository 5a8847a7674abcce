"""The pages of referrals: the link itself, what an organisation sees, and the staff's desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from chom_sdk import (
    Conflict,
    Invalid,
    Pages,
    billing,
    clock,
    csv_response,
    organisation_id,
    render,
    session,
    settings,
)
from chom_sdk.ui import Form

from . import attribution, codes, commissions, numbers
from .models import Code, Commission, Referral
from .schemas import AgreedIn, CodeIn
from .terms import Terms, of_settings

link = Pages("referral_link", __name__, prefix="/r", access="public", tenant="none")
pages = Pages("referrals", __name__, prefix="/referrals", access="viewer")
desk = Pages("referrals_staff", __name__, prefix="/staff/referrals", access="staff", tenant="session")
Answer = str | tuple[str, int] | AnyResponse


@link.get("/<word>")
def follow(word: str) -> AnyResponse:
    """A followed link: counted, remembered in the browser, and on to the landing page. The last one wins."""
    values, code = settings.read("referrals"), codes.active(word)
    answer = make_response(redirect(values["landing"], 303))
    answer.headers["Cache-Control"] = "no-store"
    if code is not None:
        source = codes.clicked(code, _source())
        answer.set_cookie(
            attribution.COOKIE, attribution.cookie(code, source), httponly=True, samesite="Lax",
            secure=request.is_secure, max_age=timedelta(days=values["window_days"]),
        )  # fmt: skip
    return answer


def _source() -> str:
    """Where a click came from: `?from=newsletter`, else the site that links."""
    named = request.args.get("from", "").strip().lower()[:60]
    host = urlsplit(request.referrer or "").hostname or ""
    return "".join(c for c in named if c.isalnum() or c in "-_.") or host[:60] or codes.DIRECT


@pages.get("/")
def index() -> str:
    """The dashboard: links, what they bring, what was earned."""
    mine = codes.mine()
    if not mine:
        return render("referrals/welcome.html", programmes=_programmes())
    here = organisation_id()
    parties = (commissions.party(here, True), commissions.party(here, False))
    payouts = [one for party in parties for one in billing.payouts(party=party, limit=20)]
    return render(
        "referrals/index.html", codes=mine, counts=numbers.counts(code.id for code in mine),
        summary=numbers.summary(mine), charts=numbers.charts(mine), payouts=payouts, referred=_referred(50),
        links={code.id: _link(code) for code in mine}, as_credit=numbers.as_credit,
        minimum=settings.read("referrals")["minimum"],
    )  # fmt: skip


@pages.get("/new", access="admin")
def new() -> str:
    form = Form(CodeIn(), {"programme": request.args.get("programme", "customer")})
    return render("referrals/form.html", form=form, programmes=_programmes())


@pages.post("/new", access="admin")
def create() -> Answer:
    form = Form(CodeIn()).parse(request.form)
    if form.ok:
        try:
            made = codes.create(form.values)
        except (Conflict, Invalid) as error:
            form.refuse(error)
        else:
            waits = made.status == "requested"
            flash(
                _("Staff read your application and answer soon.") if waits else _("Your link is ready."),
                "success",
            )
            return redirect(url_for(".index"), 303)
    return render("referrals/form.html", form=form, programmes=_programmes()), form.status


@pages.get("/codes/<uuid:code_id>")
def detail(code_id: UUID) -> str:
    """One link: its words to share, and its numbers."""
    code = codes.get(code_id)
    return render("referrals/detail.html", code=code, link=_link(code), count=numbers.counts([code.id])[code.id],
                  terms=_terms(code), charts=numbers.charts([code])[:1])  # fmt: skip


@pages.post("/codes/<uuid:code_id>", access="admin")
def rename(code_id: UUID) -> AnyResponse:
    codes.rename(code_id, request.form.get("alias", ""))
    flash(_("Saved."), "success")
    return redirect(url_for(".detail", code_id=code_id), 303)


@pages.get("/leaderboard")
def leaderboard() -> str:
    """Who brings the most, by the names they chose."""
    return render("referrals/leaderboard.html", leaders=numbers.leaders())


@pages.get("/earnings.csv", access="billing")
def earnings_csv() -> Response:
    """Every commission of the organisation."""
    query = select(Commission, Referral.label).join(Referral, Referral.id == Commission.referral_id)
    rows = session().execute(query.where(Commission.referrer_id == organisation_id()).order_by(Commission.id))
    lines = (
        (one.earned_at.isoformat(), label, one.nth, billing_money(one.amount, one.currency),
         billing_money(one.taken_back, one.currency), one.currency, one.available_at.isoformat())
        for one, label in rows
    )  # fmt: skip
    heads = (
        _("Earned"),
        _("From"),
        _("Invoice"),
        _("Amount"),
        _("Taken back"),
        _("Currency"),
        _("Available"),
    )
    return csv_response("earnings", heads, lines)


@pages.post("/payout", access="owner")
def payout() -> AnyResponse:
    """Pay out now what is available."""
    if commissions.pay_me():
        flash(_("Your payout has begun."), "success")
    else:
        flash(_("There is not enough to pay out yet."), "info")
    return redirect(url_for(".index"), 303)


@desk.get("/")
def overview() -> str:
    """Applications, links and their numbers, and who tried to send themselves."""
    found = codes.every()
    refused = session().scalars(
        select(Referral).where(Referral.status == "refused").order_by(Referral.id.desc()).limit(50)
    )
    words = {code.id: code.code for code in found}
    return render("referrals/staff.html", codes=found, counts=numbers.counts(code.id for code in found),
                  refused=list(refused), words=words, leaders=numbers.leaders(10))  # fmt: skip


@desk.post("/codes/<uuid:reference>", access="staff_admin")
def decide(reference: UUID) -> AnyResponse:
    """Approve, refuse or suspend a link; with a share agreed."""
    form = Form(AgreedIn()).parse(request.form)
    if not form.ok:
        raise Invalid(_("The share is a percentage from 0 to 100."), fields=form.errors)
    made = codes.decide(reference, request.form.get("status", ""), form.values["percent"])
    flash(_("%(code)s is saved.", code=made.code), "success")
    return redirect(url_for(".overview"), 303)


@desk.post("/payouts", access="staff_admin")
def run() -> AnyResponse:
    """The payout run of this month now, not on its day. Nobody is paid twice by it."""
    count = commissions.pay_all(settings.read("referrals"), f"{clock.now():%Y-%m}")
    flash(_("The run looks at %(count)s payees; payouts appear in a moment.", count=count), "info")
    return redirect(url_for(".overview"), 303)


def billing_money(cents: int, currency: str) -> str:
    from chom_sdk import Money

    return str(Money(cents, currency).major)


def _link(code: Code) -> str:
    return url_for("referral_link.follow", word=code.code, _external=True)


def _programmes() -> dict[str, Terms]:
    values = settings.read("referrals")
    return {name: of_settings(values, name) for name in ("customer", "affiliate", "partner")}


def _terms(code: Code) -> Terms:
    return of_settings(settings.read("referrals"), code.programme, code.percent)


def _referred(most: int) -> list[Any]:
    query = select(Referral).where(Referral.referrer_id == organisation_id(), Referral.status != "refused")
    return list(session().scalars(query.order_by(Referral.id.desc()).limit(most)))
