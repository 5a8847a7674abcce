"""When a cron line is next due, in an IANA zone, across the nights when clocks change.

As Debian's cron does it: a line for a time of day runs once on both nights (the skipped 02:30 at 03:00, the doubled
one the first time); a line with a star for hour or minute follows elapsed time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from chom_core.values.errors import Invalid


def next_after(cron: str, zone: str, instant: datetime) -> datetime:
    """The first time `cron` is due in `zone` strictly after `instant`; both in UTC."""
    try:
        local = instant.astimezone(ZoneInfo(zone))
        for due in CronSim(cron, local):
            # The line may name a local time that has passed already: the first of two 02:30, seen from the second hour.
            found = due.astimezone(UTC)
            if found > instant:
                return found
    except CronSimError as error:
        raise Invalid(
            f"«{cron}» is not a cron line: {error}.", fix="Five fields, as in «30 2 * * *»."
        ) from None
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(
            f"«{zone}» is not a time zone.", fix="Use an IANA name, as in «Europe/Berlin»."
        ) from None
    raise Invalid(f"«{cron}» never comes due.")
