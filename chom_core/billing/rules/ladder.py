"""The ladder of an unpaid invoice, as pure functions: which day brings what, and what is due next.

Days are the customer's: the same time on the wall clock, so many local days after the first refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import asdict

Action = Literal["retry", "warn", "suspend", "end"]
#: Who is warned later than planned still has this long.
LEAST_NOTICE = timedelta(hours=24)


class Terms(Struct, frozen=True):
    """A seller's policy: models.DunningPolicy says what each field means."""

    retry_days: tuple[int, ...] = (0, 3, 5, 7)
    contact_rung: int = 1
    warn_days: int = 3
    suspend_day: int = 14
    end_day: int = 30
    outcome: str = "keep"

    def data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {**asdict(self), "retry_days": list(self.retry_days)}


DEFAULT = Terms()


def terms(data: Mapping[str, Any]) -> Terms:
    """Terms from what JSON or a form holds; whether they can be is for the service to say."""
    return Terms(
        tuple(data["retry_days"]), data["contact_rung"], data["warn_days"], data["suspend_day"], data["end_day"],
        data["outcome"],
    )  # fmt: skip


def day(start: datetime, zone: str, days: int) -> datetime:
    """The same time on the wall clock of `zone`, `days` local days after `start`."""
    local = start.astimezone(ZoneInfo(zone))
    wall = (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone), fold=local.fold)
    return wall.astimezone(start.tzinfo)


class Standing(Struct, frozen=True):
    """How far an invoice is on its ladder."""

    retry_at: datetime | None
    warn_at: datetime
    told: bool
    suspend_at: datetime
    suspended: bool
    end_at: datetime


def planned(at: Standing) -> list[tuple[datetime, Action]]:
    """What is still to come, in the order of time. Nothing is suspended untold, and nothing ends that runs."""
    found: list[tuple[datetime, Action]] = []
    if at.retry_at is not None:
        found.append((at.retry_at, "retry"))
    if not at.suspended:
        found.append((at.suspend_at, "suspend") if at.told else (at.warn_at, "warn"))
    else:
        found.append((at.end_at, "end"))
    order: list[Action] = ["retry", "warn", "suspend", "end"]
    return sorted(found, key=lambda one: (one[0], order.index(one[1])))


def due(at: Standing, now: datetime) -> Action | None:
    """What is to be done now, the earliest first; None where nothing is due."""
    return next((action for instant, action in planned(at) if instant <= now), None)


def next_at(at: Standing) -> datetime:
    """When something falls due."""
    return planned(at)[0][0]


def rung_after(
    terms: Terms, start: datetime, zone: str, now: datetime, done: int
) -> tuple[int, datetime | None]:
    """The rung that follows `done` tries, and its instant (None: no more).

    Tries that were slept through are made up by one, not by several in a row.
    """
    for place, days in enumerate(terms.retry_days):
        instant = day(start, zone, days)
        if place >= done and instant > now:
            return place, instant
    return len(terms.retry_days), None


def suspend_after_notice(at: datetime, told_at: datetime, terms: Terms, zone: str) -> datetime:
    """The day of suspension when its date was told at `told_at`: later than planned where the notice came late."""
    return at if at - told_at >= LEAST_NOTICE else day(told_at, zone, terms.warn_days)
