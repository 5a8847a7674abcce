"""Sums by day, kept equal to the raw events: refreshed where adding up is not enough, rebuilt and checked on demand.

Everything a meter needs of a day is in one row of `usage_day`, whatever the order in which events came, so a month is
thirty rows. Events that only add (the common case) are added by the statement that inserts them (ingest.py);
here a day is counted anew from its events.
"""

# ruff: noqa: S608 (statements are put together from constants of this file)

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from chom_core.billing.service.usage import metering
from chom_core.database import current, session

#: One day of one subject: (meter, subject, UTC day).
Day = tuple[str, UUID, date]
#: Counted events only; «until» is the next event of the day, or the end of the day or of what is asked.
SUMMARY = """
select tenant_id, meter, subject, day, count(*)::int as events, sum(value) as total, max(value) as highest,
       (array_agg(value order by at desc, event_id collate "C" desc))[1] as last_value, max(at) as last_at,
       (array_agg(event_id order by at desc, event_id collate "C" desc))[1] as last_id, min(at) as first_at,
       sum(case when meter = any(cast(:weighted as text[])) then value * extract(epoch from until - at) else 0 end)
         as area
from (
  select e.tenant_id, e.event_id, e.meter, e.subject, e.at, e.value, (e.at at time zone 'UTC')::date as day,
         coalesce(lead(e.at) over (partition by e.tenant_id, e.meter, e.subject, (e.at at time zone 'UTC')::date
                                   order by e.at, e.event_id collate "C"),
                  least((date_trunc('day', e.at at time zone 'UTC') + interval '1 day') at time zone 'UTC',
                        cast(:upper as timestamptz))) as until
  from core.usage_event e where e.reason = '' and e.replaced_by is null and {where}
) counted group by tenant_id, meter, subject, day
"""
_COLUMNS = "events, total, highest, last_value, last_at, last_id, first_at, area"
_GIVEN = """
given as (select * from unnest(cast(:meters as text[]), cast(:subjects as uuid[]), cast(:days as date[]))
          as g(meter, subject, day))
"""
_OF_DAYS = """
e.tenant_id = :tenant and exists (select from given g where g.meter = e.meter and g.subject = e.subject
and e.at >= g.day::timestamp at time zone 'UTC' and e.at < (g.day + 1)::timestamp at time zone 'UTC')
"""
# An empty row is made where there is none: it is the lock that keeps two countings of one day apart. The day is read
# by the next statement, which therefore sees what the holder before us has committed.
_LOCK = f"""
with {_GIVEN}
insert into core.usage_day as d (id, created_at, tenant_id, meter, subject, day, {_COLUMNS})
select gen_random_uuid(), now(), :tenant, meter, subject, day, 0, 0, 0, 0, day::timestamp at time zone 'UTC',
       '', day::timestamp at time zone 'UTC', 0
from given order by meter, subject, day
on conflict (tenant_id, meter, subject, day) do update set events = d.events
"""
_SET = ", ".join(f"{name} = s.{name}" for name in _COLUMNS.split(", "))
_COUNT = f"""
with {_GIVEN}, summary as ({SUMMARY.format(where=_OF_DAYS)})
update core.usage_day d set {_SET} from summary s
where d.tenant_id = :tenant and (d.meter, d.subject, d.day) = (s.meter, s.subject, s.day)
"""
_NONE_LEFT = f"""
with {_GIVEN}
delete from core.usage_day d using given g
where d.tenant_id = :tenant and (d.meter, d.subject, d.day) = (g.meter, g.subject, g.day)
and not exists (select from core.usage_event e where e.tenant_id = :tenant and e.meter = d.meter
  and e.subject = d.subject and e.reason = '' and e.replaced_by is null
  and e.at >= d.day::timestamp at time zone 'UTC' and e.at < (d.day + 1)::timestamp at time zone 'UTC')
"""
_FORGET_KEYS = f"""
with {_GIVEN}
delete from core.usage_key k using given g
where k.tenant_id = :tenant and (k.meter, k.subject, k.day) = (g.meter, g.subject, g.day)
"""
_KEYS = """
select distinct e.tenant_id, e.meter, e.subject, (e.at at time zone 'UTC')::date as day, e.key
from core.usage_event e where e.reason = '' and e.replaced_by is null and e.key <> '' and {where}
"""
_WRITE_KEYS = f"""
with {_GIVEN}
insert into core.usage_key (id, created_at, tenant_id, meter, subject, day, key)
select gen_random_uuid(), now(), tenant_id, meter, subject, day, key from ({_KEYS.format(where=_OF_DAYS)}) k
on conflict do nothing
"""


def refresh(days: Collection[Day]) -> None:
    """Count these days of the current organisation anew from their events."""
    if not days:
        return
    ordered = sorted(days)
    given: dict[str, Any] = {
        "tenant": current().tenant_id,
        "weighted": metering.of_kind("time_weighted"),
        "upper": "infinity",
        "meters": [meter for meter, _subject, _day in ordered],
        "subjects": [subject for _meter, subject, _day in ordered],
        "days": [day for _meter, _subject, day in ordered],
    }
    for statement in (_LOCK, _COUNT, _NONE_LEFT, _FORGET_KEYS, _WRITE_KEYS):
        session().execute(text(statement), given)


_EVERY_DAY = text(
    "select distinct meter, subject, (at at time zone 'UTC')::date from core.usage_event where tenant_id = :tenant"
    " union select meter, subject, day from core.usage_day where tenant_id = :tenant"
)


def rebuild() -> int:
    """Count every day of the current organisation anew; returns how many days. What was right stays as it is."""
    rows = session().execute(_EVERY_DAY, {"tenant": current().tenant_id}).all()
    refresh([(meter, subject, day) for meter, subject, day in rows])
    return len(rows)


_DIFFERENT = f"""
select coalesce(d.tenant_id, s.tenant_id) as tenant_id, coalesce(d.meter, s.meter) as meter,
       coalesce(d.subject, s.subject) as subject, coalesce(d.day, s.day) as day,
       coalesce(d.events, 0) as kept, coalesce(s.events, 0) as counted, d.total as kept_total, s.total as total
from core.usage_day d full join ({SUMMARY.format(where="true")}) s
  on (d.tenant_id, d.meter, d.subject, d.day) = (s.tenant_id, s.meter, s.subject, s.day)
where (d.events, d.total, d.highest, d.last_value, d.last_at, d.last_id, d.first_at)
      is distinct from (s.events, s.total, s.highest, s.last_value, s.last_at, s.last_id, s.first_at)
   or (d.meter = any(cast(:weighted as text[])) and d.area <> s.area)
"""
_OTHER_KEYS = f"""
select tenant_id, meter, subject, day, count(*) as keys from (
  (select tenant_id, meter, subject, day, key from core.usage_key except {_KEYS.format(where="true")})
  union all
  ({_KEYS.format(where="true")} except select tenant_id, meter, subject, day, key from core.usage_key)
) k group by 1, 2, 3, 4
"""


def check(here: Session) -> list[str]:
    """Where the sums by day differ from the raw events, of all that `here` sees; empty where all is well."""
    given = {"weighted": metering.of_kind("time_weighted"), "upper": "infinity"}
    found = [
        f"usage of {row.meter} on {row.day} by {row.subject} (organisation {row.tenant_id}): the day says"
        f" {row.kept} events, {row.kept_total}; its events are {row.counted}, {row.total}"
        for row in here.execute(text(_DIFFERENT), given)
    ]
    return found + [
        f"keys of {row.meter} on {row.day} by {row.subject} (organisation {row.tenant_id}): {row.keys} differ"
        for row in here.execute(text(_OTHER_KEYS))
    ]
