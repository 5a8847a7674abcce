"""What makes an event well formed, and towards what it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import text

from chom_core.billing.models.usage import ORGANISATION
from chom_core.billing.service.usage import metering
from chom_core.database import current, session
from chom_core.plugin_host import Meter
from chom_core.values.errors import Invalid, NotFound

if TYPE_CHECKING:
    from chom_core.billing.service.usage.ingest import EventLike

#: Beyond these a time is a mistake, not a late event: such an event is refused and not kept.
PAST, FUTURE = timedelta(days=400), timedelta(days=1)
LARGEST = Decimal(10) ** 15
PLACES = 9
KEY, PROPERTIES, NAME, TEXT = 120, 10, 40, 200
_METER = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_OWN = text("select id from core.service where tenant_id = :tenant and id = any(:subjects)")
#: What is read or counted is never negative; only a change of a level can be.
_SIGNED = "level"


def reasons(events: Sequence[EventLike], now: datetime, back: timedelta, ahead: timedelta) -> list[str]:
    """For each event why it will not count, empty where it may. Raises Invalid or NotFound with every fault."""
    known = metering.meters()
    oldest, newest, first, last = now - back, now + ahead, now - PAST, now + FUTURE
    wrong: dict[str, list[str]] = {}
    found, subjects = [], set()
    for place, event in enumerate(events):
        meter, at = known.get(event.meter), event.at
        faults = _faults(event, meter)
        if at is not None and (at.tzinfo is None or not first <= at <= last):
            faults["at"] = [_("A time with its zone, within a year of now.")]
        if event.subject is not None and event.subject != ORGANISATION:
            subjects.add(event.subject)
        for name, words in faults.items():
            wrong[f"events.{place}.{name}"] = words
        outside = not faults and at is not None and not oldest <= at <= newest
        found.append("unknown_meter" if meter is None else "outside_window" if outside else "")
    foreign = _foreign(subjects)
    if foreign and not wrong:
        raise NotFound(
            _("A service of these events does not exist."),
            fix=_("Name your own services, or leave the subject out. Nothing was written."),
            fields=_named(events, foreign),
        )
    if wrong or foreign:
        raise Invalid(
            _("Some events are not in order. None of them was recorded."),
            fields=wrong | _named(events, foreign),
        )
    return found


def _faults(event: EventLike, meter: Meter | None) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    value, key = event.value, event.key
    if not (0 < len(event.id) <= 100 and event.id.isprintable()):
        wrong["id"] = [_("1 to 100 printable characters.")]
    if meter is None and (len(event.meter) > 80 or not _METER.fullmatch(event.meter)):
        wrong["meter"] = [_("The name of a meter, such as traffic_gb.")]
    fault = value_fault(value, signed=meter is None or meter.aggregation == _SIGNED)
    if fault:
        wrong["value"] = [fault]
    if key or (meter is not None and meter.aggregation == "unique"):
        if meter is not None and meter.aggregation != "unique":
            wrong["key"] = [_("Only a meter that counts different keys takes one.")]
        elif not (0 < len(key) <= KEY and key.isprintable()):
            wrong["key"] = [_("What is counted: 1 to %(most)s printable characters.", most=KEY)]
    if event.properties and not _small(event.properties):
        wrong["properties"] = [_("Up to ten names with short texts, whole numbers or yes and no.")]
    return wrong


def value_fault(value: Decimal, *, signed: bool) -> str:
    """What is wrong with a value; empty where it is fine."""
    if not value.is_finite() or abs(value) >= LARGEST:
        return str(_("A number below a thousand million million."))
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -PLACES:
        return str(_("At most %(most)s decimals.", most=PLACES))
    if value < 0 and not signed:
        return str(_("Not below zero. To take something back, send a correction."))
    return ""


def _small(properties: Mapping[str, Any]) -> bool:
    return len(properties) <= PROPERTIES and all(
        isinstance(name, str)
        and 0 < len(name) <= NAME
        and name.isprintable()
        and (
            (isinstance(value, str) and len(value) <= TEXT and value.isprintable())
            or (isinstance(value, int) and abs(value) < 2**53)
        )
        for name, value in properties.items()
    )


def _foreign(subjects: set[UUID]) -> set[UUID]:
    if not subjects:
        return set()
    given = {"tenant": current().tenant_id, "subjects": list(subjects)}
    return subjects - set(session().scalars(_OWN, given))


def _named(events: Sequence[EventLike], foreign: set[UUID]) -> dict[str, list[str]]:
    return {
        f"events.{place}.subject": [_("There is no such service.")]
        for place, event in enumerate(events)
        if event.subject in foreign
    }


def same(event: EventLike, row: Any, *, timed: bool) -> bool:
    """Is this the event that is kept in `row`? One sent without a time is known by the rest."""
    return bool(
        (row.meter, row.subject, row.value, row.key)
        == (event.meter, event.subject or ORGANISATION, event.value, event.key)
        and (not timed or row.at == event.at)
    )
