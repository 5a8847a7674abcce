"""The ladder on the test clock: asked on days 0, 3, 5 and 7, told before anything stops, back by itself when paid."""

from __future__ import annotations

from datetime import timedelta

from chom_sandbox_gateway import book

from chom_core.billing.service.invoicing import sellers
from chom_core.database import transaction
from tests.billing.dunning.scene import Debtor
from tests.billing.shop import GOOD, books_are_right


def test_the_whole_ladder(debtor: Debtor) -> None:
    """Journey 7: retries on days 0, 3, 5, 7; the date is told; suspended on day 14; given up on day 30."""
    debtor.buy()
    with transaction(debtor.id):
        sellers.update_profile({"email": "books@northlight.example"})
    assert debtor.statuses() == {"alpha": "active"}
    seen = {}
    for day in (0, 1, 3, 4, 5, 7, 10, 11, 13, 14, 29, 30, 40):
        debtor.day(day, minutes=90)
        seen[day] = (
            len(debtor.asked()),
            len(debtor.told()),
            debtor.statuses()["alpha"],
            debtor.bill().status,
        )
    assert seen == {
        0: (1, 1, "active", "open"),
        1: (1, 1, "active", "open"),
        3: (2, 2, "active", "open"),
        4: (2, 2, "active", "open"),
        5: (3, 3, "active", "open"),
        7: (4, 4, "active", "open"),
        10: (4, 4, "active", "open"),
        11: (4, 5, "active", "open"),
        13: (4, 5, "active", "open"),
        14: (4, 6, "suspended", "open"),
        29: (4, 6, "suspended", "open"),
        30: (4, 7, "suspended", "uncollectible"),
        40: (4, 7, "suspended", "uncollectible"),
    }
    assert debtor.told() == ["payment.failed"] * 4 + ["dunning.warning", "dunning.suspended", "dunning.ended"]
    assert len(debtor.mails("mara@people.example")) == 7
    second = debtor.mails("books@northlight.example")
    assert [mail.type for mail in second] == ["payment.failed"] * 3 + [
        "dunning.warning", "dunning.suspended", "dunning.ended",
    ]  # fmt: skip
    assert debtor.subscription().status == "past_due"
    assert len(book.charges()) == 1 + 4
    books_are_right()


def test_every_notice_says_when_it_stops(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(11, minutes=90)
    stops = debtor.ladder().suspend_at
    assert abs(stops - debtor.due - timedelta(days=14)) < timedelta(hours=2)
    words = f"{stops:%b} {stops.day}, {stops.year}"
    mails = debtor.mails("mara@people.example")
    assert len(mails) == 5
    assert all(words in mail.text for mail in mails)
    assert words in mails[-1].subject


def test_payment_at_any_rung_brings_everything_back(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(20)
    assert debtor.statuses() == {"alpha": "suspended"}
    debtor.pay(GOOD)
    assert debtor.statuses() == {"alpha": "active"}
    assert debtor.bill().status == "paid"
    assert debtor.ladder().status == "settled"
    assert debtor.subscription().status == "active"
    assert debtor.told()[-1] == "dunning.restored"
    count = len(debtor.told())
    debtor.day(29)
    assert len(debtor.told()) == count
    books_are_right()
