"""What referrals answer: the newcomer's discount, who sent a browser, and what goes when an organisation does."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, delete, or_, select

from chom_sdk import Erasure, Exporting, Money, hookimpl, session
from chom_sdk.billing import LineProposal, LinesQuery
from chom_sdk.identity import Arrival
from chom_sdk.ui import PageSlot, Panel

from . import attribution, codes, commissions
from .models import Code, Commission, Referral
from .terms import Terms

_REDUCED = ("plan", "service", "addon")
#: A period that starts an hour off (summer time) is still inside, or still outside.
_SLACK = Decimal("0.05")


@hookimpl
def arrival_facts(arrival: Arrival) -> Mapping[str, str] | None:
    """Which link this browser followed last."""
    held = arrival.cookies.get(attribution.COOKIE, "")
    return attribution.read_cookie(held) if held else None


@hookimpl
def billing_lines(query: LinesQuery) -> tuple[LineProposal, ...] | None:
    """The newcomer's reduced months: each line's share of them, so that a year is not three years at a discount."""
    referral = commissions.of_newcomer(query.customer.tenant_id)
    if referral is None:
        return None
    terms = Terms.of_json(referral.terms)
    if not terms.referee_percent or not terms.referee_months:
        return None
    lines = [line for line in query.lines if line.kind in _REDUCED]
    start = referral.discount_from or min((line.period_start or query.at for line in lines), default=query.at)
    until = months_after(start, terms.referee_months)
    less = Money.zero(query.currency)
    for line in lines:
        share = inside(line.period_start or query.at, line.period_end, until)
        less = less + line.amount.times(terms.referee_percent / 100 * share)
    if less.amount <= 0:
        return None
    percent = f"{terms.referee_percent.normalize():f}"
    words = _("%(percent)s %% off your first %(months)s months", percent=percent, months=terms.referee_months)
    return (LineProposal(words, -less),)


@hookimpl
def slot_home(slot: PageSlot) -> Panel | None:
    """How the organisation's links do."""
    links = [code for code in codes.mine() if code.status == "active"]
    if not links:
        return None
    return Panel(
        "referrals/home_panel.html",
        {"code": links[0], "conversions": commissions.conversions(links[0].owner_id)},
    )


@hookimpl
def plugin_export(export: Exporting) -> Mapping[str, list[dict[str, Any]]] | None:
    """The organisation's links, who came by them (as a hint), what they earned, and who sent itself."""
    here = export.tenant_id
    made: dict[str, Select[Any]] = {
        "codes": select(Code).where(Code.owner_id == here),
        "referrals": select(Referral).where(or_(Referral.referrer_id == here, Referral.referred_id == here)),
        "commissions": select(Commission).where(Commission.referrer_id == here),
    }
    hidden = {"referred_id", "referrer_id", "owner_id"}
    return {
        name: [
            {c.key: _plain(getattr(row, c.key)) for c in row.__table__.columns if c.key not in hidden}
            for row in session().scalars(query)
        ]
        for name, query in made.items()
    }


@hookimpl
def plugin_erase_tenant(erasure: Erasure) -> None:
    """Its links and what came by them, and that it was sent by somebody. The ledger keeps what was earned."""
    here = erasure.tenant_id
    session().execute(delete(Referral).where(or_(Referral.referrer_id == here, Referral.referred_id == here)))
    session().execute(delete(Code).where(Code.owner_id == here))


def months_after(start: datetime, months: int) -> datetime:
    """The same day `months` later, or the last of that month."""
    year, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + year, month + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))


def inside(start: datetime, end: datetime | None, until: datetime) -> Decimal:
    """Which part of [start, end) lies before `until`, from 0 to 1. A thing done once lies on one side."""
    if end is None or end <= start:
        return Decimal(int(start < until))
    share = Decimal((min(end, until) - start).total_seconds()) / Decimal((end - start).total_seconds())
    if share < _SLACK:
        return Decimal(0)
    return Decimal(1) if share > 1 - _SLACK else share


def _plain(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)
