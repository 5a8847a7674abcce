"""Cases PRO-08, PRO-12, PRO-15, PRO-17: what unused days give back, with their tax.

PRO-02/03/04/06/11/14 are in test_subscriptions. CHOM sells no weeks: PRO-17's seven days are the first stub of a
calendar month. PRO-12, days without service, is staff's credit note over days.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from chom_core.billing.service.changes import ending
from chom_core.billing.service.credit import giving
from chom_core.database import transaction
from chom_core.values import BillingPeriod, Invalid, Money
from tests.billing import plans
from tests.billing.plans import at, bills, buy, lines, notes, of, plan, stand, upgrade
from tests.billing.shop import books_are_right
from tests.conftest import Database, make_tenant

DAILY = {"proration": "day"}


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


def test_pro_08(buyer: UUID) -> None:
    plan("pro-08", 1200, prices={BillingPeriod.ANNUAL: Money(12000, "USD")}, **DAILY)
    stand(buyer, "2014-02-01")
    buy(buyer, "pro-08")
    stand(buyer, "2014-02-23T10:00Z")
    assert upgrade(buyer, "pro-08", period=BillingPeriod.ANNUAL, when="now").state == "done"
    assert [line.amount for line in lines(buyer, "credit")] == [-257]
    assert lines(buyer, "plan")[0].amount - 257 == 943
    books_are_right()


def test_pro_12(buyer: UUID) -> None:
    plan("pro-12", 1200, **DAILY)
    stand(buyer, "2014-01-01")
    buy(buyer, "pro-12")
    invoice_id = bills(buyer)[0].id
    for _ in range(2):
        with transaction(buyer):
            giving.idle(
                invoice_id, date(2013, 12, 20), date(2014, 1, 24), reason="Not set up yet", key="idle"
            )
    assert [note.total for note in notes(buyer)] == [929]
    with transaction(buyer), pytest.raises(Invalid):
        giving.idle(invoice_id, date(2014, 3, 1), date(2014, 3, 9), reason="No such days", key="idle 2")
    books_are_right()


@pytest.mark.parametrize(
    ("code", "cents", "alignment", "start", "tax", "expected"),
    [
        pytest.param("pro-15", 20000, "calendar", "2023-04-01T09:00Z", "25", (19333, 4833, 24166), id="PRO-15"),
        pytest.param("pro-17", 13281, "calendar", "2023-05-25T09:00Z", "23.33", (2571, 600, 3171), id="PRO-17"),
    ],
)  # fmt: skip
def test_case_cancelled_on_the_first_day(
    buyer: UUID, monkeypatch: pytest.MonkeyPatch, code: str, cents: int, alignment: str, start: str, tax: str,
    expected: tuple[int, int, int],
) -> None:  # fmt: skip
    plans.taxed(monkeypatch, tax)
    plan(code, cents, alignment=alignment, **DAILY)
    stand(buyer, start)
    buy(buyer, code)
    assert lines(buyer, "plan")[0].amount == (2999 if code == "pro-17" else cents)
    with transaction(buyer):
        assert ending.cancel_now(of(buyer).id) == Money(expected[-1], "USD")
    (note,) = notes(buyer)
    assert (note.subtotal, note.tax, note.total) == expected
    books_are_right()


def test_what_is_billed_afterwards_counts_the_day_of_a_cancellation(buyer: UUID) -> None:
    """As in advance, where the day on which a plan is cancelled is not given back."""
    plan("after", 3100, timing="arrears", **DAILY)
    stand(buyer, "2024-01-01T00:00Z")
    buy(buyer, "after")
    stand(buyer, "2024-01-10T09:00Z")
    with transaction(buyer):
        ending.cancel_now(of(buyer).id)
    assert [line.amount for line in lines(buyer, "plan")] == [1000]
    assert lines(buyer, "plan")[0].period_end == at("2024-01-10T09:00Z")
    books_are_right()
