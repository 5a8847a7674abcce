"""The tax report of a seller: the platform's over all its customers, a reseller's over its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from msgspec import Struct
from sqlalchemy import select

from chom_core.billing.models import Seller
from chom_core.billing.reads import taxed
from chom_core.billing.service.partners import customers
from chom_core.database import PLATFORM_ID, Tenant, clock, everyone, here, session
from chom_core.values.errors import Invalid
from chom_core.values.money import Money
from chom_core.values.period import Period

#: Days that one report holds.
MOST = 800


class Found(Struct, frozen=True):
    """The documents, and what the ledger says of the same span."""

    documents: list[taxed.Taxed]
    ledger: Mapping[str, Money]


def span_of(first: date | None, last: date | None) -> Period:
    """From the beginning of one day to the end of the other, by the clock of the current organisation.

    The quarter of years before the current one where neither is named. Raises Invalid.
    """
    zone = ZoneInfo(session().get_one(Tenant, here()).zone)
    if first is None and last is None:
        first, last = quarter(clock.now().astimezone(zone).date(), -1)
    if first is None or last is None or last < first or (last - first).days >= MOST:
        raise Invalid(
            _("From when until when?"), fix=_("Name two days, at most %(most)s days apart.", most=MOST),
            fields={"to": [_("Not before the first day.")]},
        )  # fmt: skip
    if last.year > 9000:
        raise Invalid(fields={"to": [_("That is too far away.")]})
    return Period(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def quarter(of: date, by: int = 0) -> tuple[date, date]:
    """The first and the last day of the quarter of `of`, or of the one `by` quarters later."""
    count = of.year * 4 + (of.month - 1) // 3 + by
    first, following = (date(one // 4, one % 4 * 3 + 1, 1) for one in (count, count + 1))
    return first, following - timedelta(days=1)


def collect(span: Period) -> Found:
    """What the current organisation sold as a seller: all that is taxed, its customers' documents."""
    mine = session().scalars(select(Seller.id).where(Seller.reseller_id == here())).first()
    if mine is None:
        return Found([], {})
    if here() == PLATFORM_ID:
        with everyone("tax report") as all_of_them:
            found = list(taxed.documents(all_of_them, mine, span))
            return Found(found, taxed.on_ledger(all_of_them, mine, span))
    by_customer = customers.of_each(
        lambda: (list(taxed.documents(session(), mine, span)), taxed.on_ledger(session(), mine, span))
    )
    every = sorted(
        (one for _customer, (found, _ledger) in by_customer for one in found), key=lambda one: one.at
    )
    ledger = taxed.sums(money for _customer, (_found, sums) in by_customer for money in sums.values())
    return Found(every, ledger)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
