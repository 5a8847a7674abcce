"""Changing what was recorded: an event is never altered; another stands in for it."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select, update

from chom_core.billing.models import UsageEvent
from chom_core.billing.service.usage import events, metering, rollups
from chom_core.billing.service.usage.ingest import AHEAD, BACK, subscribed_at
from chom_core.database import afresh, clock, session
from chom_core.values.errors import Conflict, Invalid, NotFound
from chom_core.values.ids import uuid7


def correct(event_id: str, correction_id: str, value: Decimal | None, *, key: str = "") -> UUID:
    """Let `correction_id` stand in for the event, at its time, with another value; None: it never happened.

    Returns the correction's row. The same call again changes nothing; the id with another body, or an event that was
    corrected before, is Conflict. What is older than the window is Invalid: its invoice is corrected by a credit note.
    """
    original = session().scalar(afresh(select(UsageEvent).where(UsageEvent.event_id == event_id)))
    if original is None:
        raise NotFound(_("There is no such usage event."), fix=_("Check its id."))
    before = session().scalar(select(UsageEvent).where(UsageEvent.event_id == correction_id))
    if before is not None:
        return _again(before, original, value)
    _may(original)
    _check(original, correction_id, value, key)
    made = UsageEvent(
        id=uuid7(), tenant_id=original.tenant_id, created_at=clock.now(), event_id=correction_id, meter=original.meter,
        subject=original.subject, at=original.at, value=value if value is not None else Decimal(0),
        key=key or original.key, properties={}, reason="" if value is not None else "withdrawn", corrects=original.id,
    )  # fmt: skip
    session().add(made)
    session().flush()
    replaced = update(UsageEvent).where(UsageEvent.id == original.id).values(replaced_by=made.id)
    session().execute(replaced)
    session().expire(original)
    rollups.refresh([(made.meter, made.subject, made.at.astimezone(UTC).date())])
    return made.id


def rematch() -> int:
    """Count what was unmatched and now has something to count towards, where it is not too late. Returns how many."""
    known, now = metering.meters(), clock.now()
    waiting = select(UsageEvent).where(
        UsageEvent.reason.in_(("unknown_meter", "no_subscription")),
        UsageEvent.meter.in_(list(known)),
        UsageEvent.at.between(now - BACK, now + AHEAD),
        UsageEvent.replaced_by.is_(None),
    )
    rows = session().scalars(waiting.with_for_update()).all()
    found = [row for row in rows if _fits(row) and subscribed_at(row.at)]
    for row in found:
        row.reason = ""
    session().flush()
    rollups.refresh({(row.meter, row.subject, row.at.astimezone(UTC).date()) for row in found})
    return len(found)


def _again(before: UsageEvent, original: UsageEvent, value: Decimal | None) -> UUID:
    same = before.corrects == original.id and (
        before.reason == "withdrawn" if value is None else before.reason == "" and before.value == value
    )
    if not same:
        raise Conflict(
            _("This id was used for another event."),
            fix=_("Give the correction an id of its own. Nothing was written."),
        )
    return before.id


def _may(original: UsageEvent) -> None:
    if original.replaced_by is not None:
        latest = session().get(UsageEvent, original.replaced_by)
        raise Conflict(
            _("This event was corrected before."),
            fix=_("Correct «%(event)s» instead.", event=latest.event_id if latest else ""),
        )
    if original.reason:
        raise Conflict(
            _("This event does not count (%(reason)s).", reason=original.reason),
            fix=_("There is nothing to correct."),
        )
    if not clock.now() - BACK <= original.at <= clock.now() + AHEAD:
        raise Invalid(
            _("This event is too old to be corrected."),
            fix=_("Ask for a credit note on the invoice that billed it."),
        )


def _check(original: UsageEvent, correction_id: str, value: Decimal | None, key: str) -> None:
    wrong: dict[str, list[str]] = {}
    if not (0 < len(correction_id) <= 100 and correction_id.isprintable()):
        wrong["id"] = [_("1 to 100 printable characters.")]
    meter = metering.meters().get(original.meter)
    fault = "" if value is None else events.value_fault(
        value, signed=meter is not None and meter.aggregation == "level"
    )  # fmt: skip
    if fault:
        wrong["value"] = [fault]
    if key and not (original.key and len(key) <= events.KEY and key.isprintable()):
        wrong["key"] = [_("Only what counts different keys takes one.")]
    if wrong:
        raise Invalid(fields=wrong)


def _fits(row: UsageEvent) -> bool:
    meter = metering.meters()[row.meter]
    keyed = (meter.aggregation == "unique") == bool(row.key)
    return keyed and not events.value_fault(row.value, signed=meter.aggregation == "level")
