"""What the pages and the API count: clicks, sign-ups, conversions, earnings, and who leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Date, cast, func, select

from chom_sdk import Money, billing, clock, organisation_id, session, settings
from chom_sdk.billing import Payable
from chom_sdk.ui import Chart, Series

from .commissions import CREDIT, conversions, party
from .models import ClickDay, Code, Commission, Referral
from .terms import Tier, tier

WEEKS = 12


@dataclass(frozen=True, slots=True)
class Count:
    """A link's numbers."""

    clicks: int = 0
    sign_ups: int = 0
    conversions: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """How an organisation's referrals do."""

    clicks: int
    sign_ups: int
    conversions: int
    tier: Tier
    owed: list[Payable]
    sources: dict[str, int]

    @property
    def rate(self) -> float:
        """Conversions per click, in percent."""
        return round(100 * self.conversions / self.clicks, 1) if self.clicks else 0.0


def counts(code_ids: Iterable[UUID]) -> dict[UUID, Count]:
    """The numbers of these links."""
    wanted = list(code_ids)
    clicks = dict(
        session()
        .execute(
            select(ClickDay.code_id, func.sum(ClickDay.clicks))
            .where(ClickDay.code_id.in_(wanted))
            .group_by(ClickDay.code_id)
        )
        .all()
    )
    joined = session().execute(
        select(Referral.code_id, func.count(), func.count().filter(Referral.status == "converted"))
        .where(Referral.code_id.in_(wanted), Referral.status != "refused")
        .group_by(Referral.code_id)
    )
    signed = {code: (int(all_), int(paid)) for code, all_, paid in joined}
    return {one: Count(int(clicks.get(one, 0)), *signed.get(one, (0, 0))) for one in wanted}


def summary(codes: Sequence[Code]) -> Summary:
    """Over all links of the current organisation."""
    here, by_code = organisation_id(), counts(code.id for code in codes).values()
    sources = session().execute(
        select(ClickDay.source, func.sum(ClickDay.clicks))
        .where(ClickDay.code_id.in_([code.id for code in codes]))
        .group_by(ClickDay.source)
        .order_by(func.sum(ClickDay.clicks).desc())
        .limit(10)
    )
    owed = [
        one for as_credit in (True, False) for one in billing.payable(party(here, as_credit), "affiliate")
    ]
    paid = conversions(here)
    return Summary(
        sum(one.clicks for one in by_code), sum(one.sign_ups for one in by_code), paid,
        tier(settings.read("referrals"), paid), owed, {name: int(count) for name, count in sources},
    )  # fmt: skip


def as_credit(one: Payable) -> bool:
    """Whether these earnings are paid out as credit."""
    return one.party.startswith(CREDIT)


def charts(codes: Sequence[Code]) -> list[Chart]:
    """The last twelve weeks: people on their way, and what they earned."""
    start = _monday(clock.now().date()) - timedelta(weeks=WEEKS - 1)
    weeks = [start + timedelta(weeks=n) for n in range(WEEKS)]
    ids, here = [code.id for code in codes], organisation_id()
    clicks = _by_week(
        select(ClickDay.day, func.sum(ClickDay.clicks))
        .where(ClickDay.code_id.in_(ids), ClickDay.day >= start)
        .group_by(ClickDay.day),
        weeks,
    )
    joined = _by_week(_days(Referral.attributed_at, Referral.referrer_id == here, start), weeks)
    paid = _by_week(_days(Referral.converted_at, Referral.referrer_id == here, start), weeks)
    x = [datetime.combine(week, time(), UTC).timestamp() for week in weeks]
    made = [
        Chart(
            _("Clicks, sign-ups and conversions by week"), x,
            [Series(_("Clicks"), clicks, "bar", "neutral"), Series(_("Sign-ups"), joined, "line", "info"),
             Series(_("Conversions"), paid, "line", "good")],
        )
    ]  # fmt: skip
    return made + _earned(here, start, weeks, x)


def _earned(here: UUID, start: date, weeks: list[date], x: list[float]) -> list[Chart]:
    """One chart for each currency."""
    net = Commission.amount - Commission.taken_back
    day = cast(func.timezone("UTC", Commission.earned_at), Date)
    mine = (Commission.referrer_id == here, day >= start)
    currencies = session().scalars(
        select(Commission.currency).where(*mine).distinct().order_by(Commission.currency)
    )
    found = []
    for code in currencies.all():
        rows = _by_week(
            select(day, func.sum(net)).where(*mine, Commission.currency == code).group_by(day), weeks
        )
        values = [float(Money(cents, code).major) for cents in rows]
        found.append(Chart(_("Earnings by week"), x, [Series(_("Earned"), values, "bar", "good")], unit=code))
    return found


def _days(column: Any, mine: Any, start: date) -> Any:
    day = cast(func.timezone("UTC", column), Date)
    return select(day, func.count()).where(mine, Referral.status != "refused", day >= start).group_by(day)


def _by_week(query: Any, weeks: list[date]) -> list[int]:
    sums = dict.fromkeys(weeks, 0)
    for day, count in session().execute(query):
        sums[_monday(day)] = sums.get(_monday(day), 0) + int(count)
    return [sums[week] for week in weeks]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def leaders(most: int = 20) -> list[tuple[str, int, str]]:
    """Alias, conversions and tier of who wants to be seen, best first. Links of one organisation count together."""
    number = func.count(Referral.id.distinct())
    names = select(Code.owner_id, func.min(Code.alias).label("alias")).where(
        Code.alias != "", Code.status == "active"
    )
    named = names.group_by(Code.owner_id).subquery()
    rows = session().execute(
        select(named.c.alias, number)
        .join(Referral, Referral.referrer_id == named.c.owner_id)
        .where(Referral.status == "converted")
        .group_by(named.c.owner_id, named.c.alias)
        .order_by(number.desc(), named.c.alias)
        .limit(most)
    )
    values = settings.read("referrals")
    return [(alias, int(count), tier(values, int(count)).name) for alias, count in rows]
