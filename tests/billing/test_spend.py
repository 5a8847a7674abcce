"""What a month costs by day: use on the days it was used, billed or not, and every cent once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from chom_core.billing import reads
from chom_core.billing.models import Subscription
from chom_core.billing.service import usage
from chom_core.billing.service.subscribing import renewal
from chom_core.billing.service.usage.ingest import NewEvent
from chom_core.database import session, transaction
from chom_core.work import stand
from tests.billing import till
from tests.billing.shop import buy
from tests.billing.test_renewal import stand_at

BEGIN = datetime(2027, 3, 20, 12, tzinfo=UTC)


def used(tenant: UUID, at: datetime, value: int) -> None:
    with transaction(tenant):
        usage.record(NewEvent(f"{at}", "traffic_gb", Decimal(value), at))


def month(tenant: UUID, day: date) -> reads.MonthSpend:
    with transaction(tenant):
        return reads.spend_by_day(day)


def by_kind(found: reads.MonthSpend) -> dict[tuple[int, str], int]:
    return {(one.day.day, one.kind): one.amount.amount for one in found.entries}


def test_use_counts_on_its_days_before_and_after_it_is_billed(buyer: UUID) -> None:
    """Pro has 500 GB, and 3 cents for each beyond: 620 GB are $3.60, a half of them in either month."""
    stand(buyer, BEGIN)
    buy(buyer)
    stand_at(buyer, BEGIN + timedelta(days=4))
    used(buyer, datetime(2027, 3, 22, 9, tzinfo=UTC), 310)
    stand_at(buyer, BEGIN + timedelta(days=15))
    used(buyer, datetime(2027, 4, 2, 9, tzinfo=UTC), 310)
    march, april = date(2027, 3, 1), date(2027, 4, 1)
    before = by_kind(month(buyer, march)), by_kind(month(buyer, april))
    assert before == ({(20, "plan"): 7900, (22, "usage"): 180}, {(2, "usage"): 180})
    with transaction(buyer) as here:
        end = here.scalars(select(Subscription)).one().current_period_end
    stand_at(buyer, end)
    with transaction(buyer):
        assert renewal.renew_due() == 1
    after = by_kind(month(buyer, march)), by_kind(month(buyer, april))
    assert after == (before[0], before[1] | {(end.day, "plan"): 7900})


def test_a_credit_note_takes_off_on_its_own_day_and_a_void_invoice_counts_for_nothing(buyer: UUID) -> None:
    from chom_core.billing.service.invoicing import credit_notes, voiding

    stand(buyer, BEGIN)
    kept, gone = till.invoice(buyer, 5000, tax="19"), till.invoice(buyer, 700)
    with transaction(buyer):
        voiding.void(gone)
    stand_at(buyer, BEGIN + timedelta(days=2))
    with transaction(buyer):
        credit_notes.issue(kept, None, "due", reason="test", key="n1")
    assert by_kind(month(buyer, BEGIN.date())) == {(20, "plan"): 5000, (22, "credit"): -5000}


def test_the_estimate_knows_use_and_renewals(buyer: UUID) -> None:
    stand(buyer, BEGIN)
    buy(buyer)
    stand_at(buyer, BEGIN + timedelta(days=4))
    used(buyer, datetime(2027, 3, 22, 9, tzinfo=UTC), 620)
    with transaction(buyer):
        found = reads.estimate()
        assert reads.projected_credit().amount == -360
        assert session().scalars(select(Subscription)).one().current_period_end == found.renewals[0].at
    assert (found.used.amount, [one.amount.amount for one in found.renewals], found.total.amount) == (
        360,
        [7900],
        8260,
    )
