"""What one has bought: change it with a preview, add to it, pause it, end it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from chom_core.billing import reads
from chom_core.billing.pages.base import allowance_words, pages, per, period_of, period_words
from chom_core.billing.reads import plans as plan_reads
from chom_core.billing.service.buying import checkout as verbs
from chom_core.billing.service.changes import changing, ending
from chom_core.billing.service.changes.payments import Changed, Paying
from chom_core.billing.service.changes.reckoning import Wanted
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing import renewal, subscriptions
from chom_core.values.billing import PlanShape
from chom_core.values.errors import ChomError, Invalid
from chom_core.values.ids import parse_uuid
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.web import away, render

_ONE = "/billing/subscriptions/<uuid:subscription_id>"


@pages.get(_ONE)
def subscription(subscription_id: UUID) -> Any:
    """Its parts, its price, what is to change, and how to pause or end it."""
    return _page(subscription_id)


@pages.get(f"{_ONE}/plan")
def plan(subscription_id: UUID) -> Any:
    """The plans it could have, by billing period, with what each saves."""
    of = plan_reads.subscription(subscription_id)
    period = period_of(request.args.get("period", of.period.value))
    switch = [
        (period_words(one), f"/billing/subscriptions/{of.id}/plan?period={one.value}", one is period,
         f"−{int(one.discount * 100)} %" if one.discount else "")
        for one in BillingPeriod
    ]  # fmt: skip
    return render(
        "billing/plan.html",
        of=of,
        offers=[reads.offer(one, period, of.currency) for one in plan_reads.comparable(of)],
        mine=subscriptions.main_item(subscriptions.subscription(subscription_id)).plan_code,
        period=period,
        per=per(period),
        switch=switch,
        allowance_words=allowance_words,
    )


@pages.get(f"{_ONE}/change/<code>")
def plan_preview(subscription_id: UUID, code: str) -> Any:
    """What the change comes to, before it is confirmed."""
    period = period_of(request.args.get("period", ""))
    return _preview(subscription_id, Wanted("plan", None, code, period))


@pages.get(f"{_ONE}/items/<uuid:item_id>")
def quantity_preview(subscription_id: UUID, item_id: UUID) -> Any:
    """What another quantity comes to."""
    return _preview(
        subscription_id, Wanted("quantity", item_id, quantity=_number(request.args.get("quantity", "")))
    )


@pages.get(f"{_ONE}/add/<code>")
def add_preview(subscription_id: UUID, code: str) -> Any:
    """What an add-on comes to for the rest of the period."""
    return _preview(subscription_id, Wanted("add", None, code, quantity=1))


@pages.post(f"{_ONE}/change")
def change(subscription_id: UUID) -> Any:
    """Confirmed: charged what the preview said, or nothing."""
    form = request.form
    wanted = _wanted()
    of = subscriptions.subscription(subscription_id)
    paying = Paying(
        expected=Money(_number(form.get("expected", ""), -1), of.currency),
        method_id=parse_uuid(form.get("method", "")),
        attempt=form.get("attempt", "")[:40],
        return_url=request.host_url.rstrip("/") + "/checkout/confirm?payment=PAYMENT",
    )
    now = form.get("now") == "1"
    instant = _instant(form.get("at", "")) if now else None
    try:
        outcome = changing.change(
            subscription_id, wanted, when="now" if now else "period_end", at=instant, paying=paying
        )
    except ChomError as error:
        return _preview(subscription_id, wanted, error), error.status
    return _onward(subscription_id, outcome)


@pages.post(f"{_ONE}/schedule")
def schedule(subscription_id: UUID) -> Any:
    """Change it on a day to come."""
    of = subscriptions.subscription(subscription_id)
    try:
        local = datetime.fromisoformat(request.form.get("at", ""))
        instant = local.replace(tzinfo=ZoneInfo(of.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            _("When?"), fix=_("Give a day and a time to come."), fields={"at": [_("A day and a time.")]}
        ) from None
    row = changing.schedule_change(subscription_id, _wanted(), instant)
    from chom_core.web.formats import day

    flash(_("It changes on %(day)s. You can take it back until then.", day=day(row.effective_at)), "success")
    return redirect(url_for("billing.subscription", subscription_id=subscription_id), 303)


@pages.post("/billing/changes/<uuid:change_id>/cancel")
def cancel_change(change_id: UUID) -> Any:
    """Take a change back."""
    row = changing.cancel_change(change_id)
    flash(_("It stays as it is."), "success")
    return redirect(url_for("billing.subscription", subscription_id=row.subscription_id), 303)


@pages.post(f"{_ONE}/items/<uuid:item_id>/remove")
def remove(subscription_id: UUID, item_id: UUID) -> Any:
    """An add-on goes at the end of the period."""
    changing.change(subscription_id, Wanted("remove", item_id))
    flash(_("It goes at the end of the period."), "success")
    return redirect(url_for("billing.subscription", subscription_id=subscription_id), 303)


@pages.post(f"{_ONE}/pause")
def pause(subscription_id: UUID) -> Any:
    """Pause it, from the end of the period or now."""
    ending.pause(subscription_id, now=request.form.get("now") == "1")
    flash(_("It will be paused.") if request.form.get("now") != "1" else _("It is paused."), "success")
    return redirect(url_for("billing.subscription", subscription_id=subscription_id), 303)


@pages.post(f"{_ONE}/resume")
def resume(subscription_id: UUID) -> Any:
    """It goes on, and is charged."""
    ending.resume(subscription_id)
    flash(_("It goes on. A new period began."), "success")
    return redirect(url_for("billing.subscription", subscription_id=subscription_id), 303)


def change_words(change: plan_reads.ChangeInfo) -> str:
    """A change in words."""
    if change.kind == "plan":
        period = period_words(BillingPeriod(change.period)).lower() if change.period else ""
        return str(_("Plan %(plan)s %(period)s", plan=change.plan, period=period)).strip()
    count = change.quantity or 1
    return {
        "quantity": str(_("Quantity %(count)s", count=count)),
        "add": str(_("%(count)s × %(plan)s added", count=count, plan=change.plan)),
        "remove": str(_("An add-on removed")),
        "pause": str(_("Paused")),
        "resume": str(_("Resumed")),
    }[change.kind]


def _page(subscription_id: UUID) -> str:
    of = plan_reads.subscription(subscription_id)
    row = subscriptions.subscription(subscription_id)
    going_on = of.status in ("active", "trialing") and of.cancel_at is None
    total = sum((item.price for item in of.items), start=Money.zero(of.currency))
    have = {item.plan for item in of.items}
    addons = [one for one in catalogue.plans(PlanShape.ADDON, currency=of.currency) if one.code not in have]
    return render(
        "billing/subscription.html",
        of=of,
        total=total,
        per=per(of.period),
        words=period_words,
        going_on=going_on,
        next_total=renewal.next_bill(row).total if going_on else Money.zero(of.currency),
        addons=[reads.offer(one, of.period, of.currency) for one in addons] if going_on else [],
        history=plan_reads.history(subscription_id),
        change_words=change_words,
    )


def _preview(subscription_id: UUID, wanted: Wanted, error: ChomError | None = None) -> str:
    seen = changing.preview_change(subscription_id, wanted)
    of = plan_reads.subscription(subscription_id)
    main = next(item for item in of.items if item.shape != "addon")
    item = next((one for one in of.items if one.id == wanted.item_id), main)
    title = catalogue.plan(wanted.plan_code).title if wanted.plan_code else item.title
    names = {
        "plan": _("Change %(old)s to %(new)s", old=main.title, new=title),
        "quantity": _("%(count)s × %(title)s", count=wanted.quantity, title=title),
        "add": _("Add %(title)s", title=title),
    }
    hidden = {
        "kind": wanted.kind, "plan": wanted.plan_code, "period": wanted.period.value if wanted.period else "",
        "item": str(wanted.item_id or ""), "quantity": str(wanted.quantity or ""), "at": seen.at.isoformat(),
        "now": "1" if seen.now else "0", "expected": str(seen.bill.total.amount), "attempt": verbs.new_id().hex,
    }  # fmt: skip
    return render(
        "billing/plan_change.html",
        of=of,
        seen=seen,
        title=names[wanted.kind],
        hidden=hidden,
        error=error,
        methods=methods.methods(),
        action=f"/billing/subscriptions/{subscription_id}/change",
    )


def _onward(subscription_id: UUID, outcome: Changed) -> Any:
    if outcome.state == "action":
        return redirect(outcome.url, 303) if outcome.url.startswith("/") else away(outcome.url)
    words = {
        "done": (_("It is changed."), "success"),
        "scheduled": (_("It changes at the end of the period. You can take it back until then."), "success"),
        "declined": (
            f"{outcome.message} {_('Nothing was charged, nothing has changed.')} {outcome.fix}",
            "error",
        ),
        "pending": (_("The payment is on its way. It changes as soon as the bank has answered."), "info"),
    }
    flash(*words[outcome.state])
    return redirect(url_for("billing.subscription", subscription_id=subscription_id), 303)


def _wanted() -> Wanted:
    form = request.form
    kind = form.get("kind", "plan")
    if kind not in ("plan", "quantity", "add"):
        raise Invalid(_("What shall change?"), fields={"kind": [_("plan, quantity or add.")]})
    period = form.get("period", "")
    return Wanted(
        kind,
        parse_uuid(form.get("item", "")),
        form.get("plan", "")[:60],
        BillingPeriod(period) if period in list(BillingPeriod) else None,
        _number(form.get("quantity", "")) or None,
    )


def _number(text: str, otherwise: int = 0) -> int:
    return int(text) if text.isdecimal() and len(text) < 16 else otherwise


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
