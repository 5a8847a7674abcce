"""/staff/work and /staff/schedules: what failed and why, try again, what waits and runs, and what runs by itself."""

from __future__ import annotations

from uuid import UUID

from flask import flash, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from chom_core.console.pages.base import act, administers, staff
from chom_core.console.service import work as service
from chom_core.database import session
from chom_core.values.ids import parse_uuid
from chom_core.web import render
from chom_core.web.tables import Filter, ListPage, Sort, moment
from chom_core.work import JobRow
from chom_core.work.handlers import POOLS

_ENDED = func.coalesce(JobRow.finished_at, JobRow.created_at)
LIST = ListPage(
    "staff_work",
    sorts={
        "ended": Sort(_ENDED, moment, lambda row: row.finished_at or row.created_at),
        "kind": Sort(JobRow.kind),
    },
    default="-ended",
    filters=(
        Filter("q", _l("Kind, organisation or error")),
        Filter("state", _l("State"), (("failed", _l("Failed")), ("dead", _l("Out of attempts")))),
        Filter("pool", _l("Pool"), tuple((pool, pool) for pool in POOLS)),
    ),
)


@staff.get("/work")
def work() -> Response:
    """Failed and dead jobs with their errors, above them the queues."""
    view = LIST.read(request)
    chosen = {name: view.filters.get(name, "") for name in ("state", "pool")}
    query = service.broken_jobs(search=view.filters.get("q", ""), **chosen)
    page = view.page(query, JobRow.id, lambda statement: session().scalars(statement).all())
    running = service.running_jobs()
    html = render(
        "console/work.html",
        view=view,
        page=page,
        pools=service.pools(),
        running=running,
        names=service.organisations([*page.rows, *running]),
        total=session().scalar(select(func.count()).select_from(query.subquery())),
    )
    return view.remember(make_response(html))


@staff.post("/work/retry")
def retry() -> Response:
    """Put the chosen jobs back in line."""
    ids = [found for text in request.form.getlist("id") if (found := parse_uuid(text))]
    if not ids:
        flash(_("Choose at least one job."), "warning")
        return redirect(url_for("staff.work"), 303)
    done, wrong = service.retry_jobs(ids)
    if done:
        flash(ngettext("%(num)d job is back in line.", "%(num)d jobs are back in line.", done), "success")
    for words in dict.fromkeys(wrong):
        flash(words, "error")
    return redirect(url_for("staff.work"), 303)


@staff.get("/schedules")
def schedules() -> str:
    """Every schedule: when next, when last, what went wrong."""
    return render("console/schedules.html", schedules=service.schedules(), may=administers())


@staff.post("/schedules/<uuid:schedule_id>/run", access="staff_admin")
def run_schedule(schedule_id: UUID) -> Response:
    """Run one now; its next time stays."""
    return act(
        lambda: service.run_now(schedule_id), _("It is in line to run now."), url_for("staff.schedules")
    )
