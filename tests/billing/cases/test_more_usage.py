"""More cases of use, as OpenMeter and Lago test them: clocks that change, borders, packages, late and wrong events."""

from __future__ import annotations

from decimal import Decimal as D
from uuid import UUID

import pytest

from chom_core.billing.service import usage
from chom_core.billing.service.changes import ending
from chom_core.billing.service.offers import catalogue, versions
from chom_core.billing.service.usage import returns
from chom_core.database import PLATFORM_ID, transaction
from chom_core.values import Invalid
from tests.billing import till
from tests.billing.cases.test_charges import billed_early, growing, sold, use
from tests.billing.plans import at, bills, buy, lines, notes, of, plan, renew, stand
from tests.billing.shop import books_are_right
from tests.billing.usage import scene
from tests.conftest import Database, make_tenant


@pytest.fixture
def buyer(street: Database) -> UUID:
    return make_tenant("Northlight")


def used(tenant: UUID) -> list[int]:
    return [line.amount for line in lines(tenant, "usage")]


def test_a_mean_over_a_month_with_a_change_of_clocks(buyer: UUID) -> None:
    """March in New York has 743 hours: a level that doubles in their middle is 15 on the average, not a bit more."""
    plan("clocks", 0, timing="arrears", alignment="calendar")
    with transaction(PLATFORM_ID):
        versions.set_usage_price(catalogue.plan("clocks"), "storage_gb", "USD", versions.per_unit("1.00"))
    stand(buyer, "2024-03-01T05:00Z", zone="America/New_York")
    buy(buyer, "clocks")
    use(buyer, 10, "storage_gb", at=at("2024-03-01T05:00Z"))
    stand(buyer, "2024-03-17T00:00Z")
    use(buyer, 20, "storage_gb", at=at("2024-03-16T16:30Z"))
    assert renew(buyer, "2024-04-01T04:00Z") == 1
    assert used(buyer) == [1500]
    assert lines(buyer, "usage")[0].details["quantity"] == "15"


def test_an_event_at_the_border_belongs_to_the_month_that_begins(buyer: UUID) -> None:
    sold(buyer, "border", "1.00")
    stand(buyer, "2024-02-01T00:00:01Z")
    use(buyer, 2, at=at("2024-01-31T23:59:59.999999Z"))
    use(buyer, 5, at=at("2024-02-01T00:00:00Z"))
    assert renew(buyer) == 1
    assert used(buyer) == [200]
    assert renew(buyer, "2024-03-01") == 1
    assert used(buyer) == [200, 500]


def test_who_comes_twice_counts_once_a_month_and_again_the_next(
    buyer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.kinds(monkeypatch)
    sold(buyer, "unique", "1.00", meter="t.unique")
    for key in ("ann", "bob", "ann"):
        use(buyer, 1, "t.unique", key=key)
    renew(buyer, "2024-02-01")
    for key in ("ann", "ann"):
        use(buyer, 1, "t.unique", key=key)
    renew(buyer, "2024-03-01")
    assert used(buyer) == [200, 100]


def test_packages_are_begun_beyond_what_is_included(buyer: UUID) -> None:
    sold(buyer, "package", "15", model="package", package_size=D(10), included=D(5))
    found = [money.amount for money in growing(buyer, 0, 5, "5.000001", 15, "15.000001", 25)]
    assert found == [0, 0, 1500, 1500, 3000, 3000]


@pytest.mark.parametrize("ends", [("10", "10"), ("10", "5"), ("0", "5"), ("-1", "5")])
def test_tiers_of_no_width_are_refused(street: Database, ends: tuple[str, str]) -> None:
    plan("narrow", 0)
    tiers = [*({"up_to": end, "unit": "1", "flat": "0"} for end in ends), {"up_to": None, "unit": "1"}]
    with transaction(PLATFORM_ID), pytest.raises(Invalid):
        versions.set_usage_price(catalogue.plan("narrow"), "traffic_gb", "USD", tiers, model="graduated")


def test_a_late_event_that_crosses_the_allowance_costs_what_is_beyond(buyer: UUID) -> None:
    sold(buyer, "late", "1.00", included=D(100))
    use(buyer, 99)
    renew(buyer, "2024-02-01")
    stand(buyer, "2024-02-02")
    use(buyer, 3, at=at("2024-01-31T12:00Z"))
    renew(buyer, "2024-03-01")
    assert used(buyer) == [200]
    assert renew(buyer, "2024-04-01") == 0 or used(buyer) == [200]
    books_are_right()


def test_what_was_billed_early_and_taken_back_is_credited(buyer: UUID) -> None:
    """A limit billed 100.00; then an event turns out to be wrong. The month costs 40.00: 60.00 are the customer's."""
    sold(buyer, "back", "1.00", limit=10000)
    use(buyer, 40)
    with transaction(buyer):
        usage.record(usage.NewEvent("wrong", "traffic_gb", D(60)))
    assert billed_early(buyer) == 1
    with transaction(buyer):
        usage.correct("wrong", "right", None)
    renew(buyer, "2024-02-01")
    for _ in range(2):
        with transaction(buyer):
            returns.give_back()
    assert ([note.total for note in notes(buyer)], till.left(buyer)) == ([6000], 6000)
    assert [row.total for row in bills(buyer) if row.total] == [10000]
    with transaction(buyer):
        assert all(not line.amount for line in usage.estimate(of(buyer)))
    books_are_right()


def test_a_limit_that_every_month_reaches_bills_each_once(buyer: UUID) -> None:
    sold(buyer, "again", "1.00", limit=1000)
    for month in ("01", "02"):
        stand(buyer, f"2024-{month}-10")
        use(buyer, 25)
        assert [billed_early(buyer), billed_early(buyer)] == [1, 0]
        use(buyer, 1)
        renew(buyer, "2024-02-01" if month == "01" else "2024-03-01")
    assert used(buyer) == [2500, 100, 2500, 100]


def test_what_came_late_for_before_a_pause_is_billed_when_it_goes_on(buyer: UUID) -> None:
    """Paid afterwards, it owes nothing for the pause: what is billed on the first day is late use alone."""
    sold(buyer, "rested", "1.00")
    use(buyer, 10)
    with transaction(buyer):
        ending.pause(of(buyer).id, resume_at=at("2024-02-20"))
    renew(buyer, "2024-02-01")
    use(buyer, 5, at=at("2024-01-31T12:00Z"))
    renew(buyer, "2024-02-20")
    renew(buyer, "2024-03-20")
    assert (of(buyer).status, used(buyer)) == ("active", [1000, 500])
    books_are_right()
