"""The pages of budgets."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from chom_sdk import Conflict, Invalid, Money, Pages, provisioning, render
from chom_sdk.ui import Chart, Form, Series

from . import holding, service, spending
from .models import EVERYTHING, Budget
from .schemas import BudgetIn, OverrideIn
from .spending import State

pages = Pages("budgets", __name__, prefix="/budgets", access="billing")
Answer = str | tuple[str, int] | AnyResponse


@pages.get("/")
def index() -> str:
    return render("budgets/index.html", states=spending.states(service.budgets()))


@pages.get("/new")
def new() -> str:
    return render("budgets/form.html", form=_form(None), budget=None)


@pages.post("/new")
def create() -> Answer:
    return _save(None)


@pages.get("/<uuid:budget_id>")
def detail(budget_id: UUID) -> str:
    return _detail(service.get(budget_id), Form(OverrideIn()))


@pages.get("/<uuid:budget_id>/edit")
def edit(budget_id: UUID) -> str:
    found = service.get(budget_id)
    return render("budgets/form.html", form=_form(found), budget=found)


@pages.post("/<uuid:budget_id>/edit")
def change(budget_id: UUID) -> Answer:
    return _save(service.get(budget_id))


@pages.post("/<uuid:budget_id>/remove")
def remove(budget_id: UUID) -> AnyResponse:
    service.remove(budget_id)
    flash(_("The budget is gone. What it paused is started."), "success")
    return redirect(url_for(".index"), 303)


@pages.post("/<uuid:budget_id>/override")
def override(budget_id: UUID) -> Answer:
    found = service.get(budget_id)
    form = Form(OverrideIn()).parse(request.form)
    if form.ok:
        try:
            service.override(budget_id, **form.values)
        except Invalid as error:
            form.refuse(error)
        else:
            flash(_("The limit is lifted. Paused services are started."), "success")
            return redirect(url_for(".detail", budget_id=budget_id), 303)
    return _detail(found, form), form.status


@pages.post("/<uuid:budget_id>/override/end")
def end_override(budget_id: UUID) -> AnyResponse:
    service.end_override(budget_id)
    flash(_("The limit holds again."), "success")
    return redirect(url_for(".detail", budget_id=budget_id), 303)


def _save(budget: Budget | None) -> Answer:
    form = _form(budget).parse(request.form)
    if form.ok:
        try:
            saved = service.change(budget.id, form.values) if budget else service.create(form.values)
        except (Invalid, Conflict) as error:
            form.refuse(error)
        else:
            flash(_("The budget is saved."), "success")
            return redirect(url_for(".detail", budget_id=saved.id), 303)
    return render("budgets/form.html", form=form, budget=budget), form.status


def _form(budget: Budget | None) -> Form:
    groups = provisioning.service_groups()
    group = next((one for one in groups if budget and one.id == budget.project_id), None)
    every = provisioning.services(ids=group.service_ids if group else None)
    choices = {
        "project_id": [(one.id, one.title) for one in groups],
        "pause_services": [(one.id, f"{one.title or one.name} ({one.kind_title})") for one in every],
    }
    values = None
    if budget is not None:
        values = {
            "project_id": None if budget.project_id == EVERYTHING else budget.project_id,
            "amount": Money(budget.amount, budget.currency).major,
            "at_limit": budget.at_limit,
            "pause_services": budget.pause_services,
        }
    return Form(BudgetIn(), values, choices=choices)


def _detail(budget: Budget, form: Form) -> str:
    (state,) = spending.states([budget])
    held = [one.service_id for one in holding.paused(budget.id)]
    return render(
        "budgets/detail.html", state=state, ahead=spending.look_ahead(state), chart=_chart(state), form=form,
        alerts=[(one, Money(one.spent, budget.currency)) for one in service.alerts(budget.id)],
        paused=provisioning.services(ids=held) if held else [],
    )  # fmt: skip


def _chart(state: State) -> Chart:
    """Each day's spend as a bar, their sum as a line, the budget as a limit. Days to come are unknown."""
    days = [state.month.start + timedelta(days=n) for n in range((state.month.end - state.month.start).days)]
    by_day, sums, total = state.by_day(), [], Money.zero(state.budget.currency)
    for day in days:
        total = total + by_day.get(day, Money.zero(state.budget.currency))
        sums.append(float(total.major) if day <= state.month.today else None)
    bars = [
        float(by_day[day].major) if day in by_day else 0.0 if day <= state.month.today else None
        for day in days
    ]
    return Chart(
        _("Spend by day, before tax"),
        [str(format_date(day, "d MMM")) for day in days],  # type: ignore[no-untyped-call]
        [Series(_("That day"), bars, "bar"), Series(_("Sum so far"), sums, "line", "info")],
        unit=state.budget.currency, time=False, limit=float(state.cap.major), limit_label=_("Budget"),
    )  # fmt: skip
