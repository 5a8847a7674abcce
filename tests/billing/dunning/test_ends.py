"""How a ladder ends, by the seller's terms; and that a reseller's bill darkens nobody else's site."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, update

from chom_core.billing.models import Dunning, DunningStep
from chom_core.billing.rules import ladder
from chom_core.billing.service.dunning import desk, rows, terms_checks
from chom_core.database import PLATFORM_ID, Tenant, transaction
from chom_core.provisioning.models import Node, Service
from chom_core.values.errors import Invalid
from tests.billing.dunning.scene import Debtor
from tests.billing.shop import GOOD, books_are_right

TERMS = {
    "retry_days": [0, 1], "contact_rung": 0, "warn_days": 1, "suspend_day": 3, "end_day": 6, "outcome": "cancel",
}  # fmt: skip


@pytest.fixture
def strict(house: None) -> None:
    with transaction(PLATFORM_ID):
        desk.set_policy(TERMS)


def test_the_sellers_terms_and_the_end_of_the_subscription(strict: None, debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(2.5)
    assert len(debtor.asked()) == 2
    assert debtor.told() == ["payment.failed"] * 2 + ["dunning.warning"]
    debtor.day(4)
    assert debtor.statuses() == {"alpha": "suspended"}
    debtor.day(7)
    assert debtor.subscription().status == "cancelled"
    assert debtor.subscription().cancel_reason == "unpaid"
    assert debtor.bill().status == "uncollectible"
    assert debtor.statuses() == {"alpha": "suspended"}
    debtor.pay(GOOD)
    assert debtor.bill().status == "paid"
    assert debtor.statuses() == {"alpha": "suspended"}, "its subscription is over"
    books_are_right()


def test_terms_of_the_first_day_hold(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(1)
    with transaction(PLATFORM_ID):
        desk.set_policy(TERMS)
    debtor.day(12)
    assert debtor.statuses() == {"alpha": "active"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("retry_days", [3, 0]), ("retry_days", []), ("retry_days", [0, 5]), ("suspend_day", 0), ("end_day", 2),
        ("warn_days", 9), ("outcome", "burn"), ("contact_rung", -1),
    ],
)  # fmt: skip
def test_terms_that_cannot_be(house: None, field: str, value: object) -> None:
    with transaction(PLATFORM_ID), pytest.raises(Invalid) as refused:
        desk.set_policy({**TERMS, field: value})
    assert field in refused.value.fields


def test_what_cannot_be_is_said_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    def translated(text: str, **facts: object) -> str:
        return f"auf Deutsch: {text % facts}"

    monkeypatch.setattr(terms_checks, "_", translated)
    wrong = {
        "retry_days": [1],
        "contact_rung": 21,
        "warn_days": 0,
        "suspend_day": 0,
        "end_day": -1,
        "outcome": "burn",
    }
    told = terms_checks.errors(ladder.terms(wrong))
    assert told.keys() == TERMS.keys()
    assert all(text.startswith("auf Deutsch: ") for texts in told.values() for text in texts)
    assert told["contact_rung"] == ["auf Deutsch: Between 0 and 20."]


def test_more_time_brings_services_back_until_then(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(15)
    assert debtor.statuses() == {"alpha": "suspended"}
    with transaction(debtor.id):
        desk.extend(debtor.ladder().id, 10, "They moved banks")
    debtor.settle()
    assert debtor.statuses() == {"alpha": "active"}
    debtor.day(21)
    assert debtor.statuses() == {"alpha": "active"}
    debtor.day(24)
    assert debtor.told()[-1] == "dunning.warning"
    debtor.day(26)
    assert debtor.statuses() == {"alpha": "suspended"}


def test_waiving_takes_the_debt_off_and_everything_runs(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(16)
    with transaction(debtor.id):
        first = desk.waive(debtor.ladder().id, "Our fault")
        assert desk.waive(first.id, "Our fault").id == first.id
    debtor.settle()
    assert debtor.statuses() == {"alpha": "active"}
    assert debtor.bill().status == "paid"
    assert debtor.bill().amount_noted == debtor.bill().total
    assert debtor.ladder().status == "waived"
    assert debtor.subscription().status == "active"
    books_are_right()


def test_retry_now_is_one_attempt_for_one_press(debtor: Debtor) -> None:
    debtor.buy()
    debtor.day(1)
    for _ in range(3):
        with transaction(debtor.id):
            desk.retry_now(debtor.ladder().id, "press-1")
        debtor.settle()
    assert debtor.asked() == ["declined", "declined"]
    assert debtor.ladder().rung == 1, "the ladder goes on as planned"


def test_a_resellers_bill_darkens_no_customers_site(strict: None, debtor: Debtor) -> None:
    """The reseller's own service stops; its customer's runs, and the reseller's features stay."""
    debtor.buy()
    debtor.day(0.1)
    with transaction() as here:
        here.execute(update(Tenant).where(Tenant.id == debtor.id).values(kind="reseller"))
        customer = Tenant(name="Bright", slug="bright", kind="customer", parent_id=debtor.id)
        here.add(customer)
        here.flush()
        theirs: UUID = customer.id
        site = here.scalars(select(Node)).first()
        assert site
        node = site.id
    with transaction(theirs) as here:
        here.add(Service(tenant_id=theirs, kind="toy", family="site", name="theirs", status="active", node_id=node,
                         marker="m", paid_by="item:x"))  # fmt: skip
    with transaction(theirs) as here:
        assert rows.open_ones() == []
    debtor.day(7)
    assert debtor.statuses() == {"alpha": "suspended"}
    assert debtor.subscription().status == "past_due", (
        "a reseller's subscription is never ended by the ladder"
    )
    with transaction(debtor.id) as here:
        assert here.scalars(select(DunningStep.kind).where(DunningStep.kind == "end")).one()
        assert here.scalars(select(Dunning.status)).one() == "ended"
    with transaction(theirs) as here:
        assert here.scalars(select(Service.status)).one() == "active"
