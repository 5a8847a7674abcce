"""What a reseller sees of its customers' unpaid invoices and decides about them; never of another's, never by share."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.audit.models import AuditEntry
from chom_core.billing.models import Dunning, Invoice
from chom_core.billing.reads import dunning as reads
from chom_core.billing.service.dunning import desk, rows
from chom_core.billing.service.invoicing import sellers
from chom_core.billing.service.partners import customers as below
from chom_core.billing.service.partners import terms
from chom_core.database import PLATFORM_ID, here, transaction
from chom_core.values import NotFound
from chom_core.work.models import JobRow
from tests.billing.payouts.test_reselling_pages import piet
from tests.billing.payouts.test_selling import LADDER
from tests.billing.payouts.test_wholesale import brightside, customers, invoice, usd
from tests.billing.test_credit_pages import dana
from tests.billing.test_pages import app
from tests.conftest import make_tenant
from tests.identity.conftest import Browser

__all__ = ["app", "brightside", "dana", "piet"]
LIST = "/billing/reselling/unpaid"


def owing(customer: UUID) -> UUID:
    """An invoice of $39.00 that went on its ladder."""
    made = invoice(customer, usd("39.00"), pay=False)
    with transaction(customer) as unit:
        return rows.begin(unit.get_one(Invoice, made)).id


def ladder(customer: UUID) -> Dunning:
    with transaction(customer) as unit:
        return unit.scalars(select(Dunning)).one()


@pytest.fixture
def late(brightside: UUID) -> tuple[UUID, str]:
    """A customer of Brightside's that owes it, and the address of that ladder."""
    customer, _other = customers(brightside, 2)
    return customer, f"{LIST}/{customer}/{owing(customer)}"


@pytest.fixture
def strangers(brightside: UUID) -> list[str]:
    """Addresses that name a ladder of the platform's customer, of another reseller's, and of Brightside itself."""
    other = make_tenant("Otherside", kind="reseller")
    with transaction(other):
        sellers.ensure_seller("Otherside Ltd")
    theirs, ours = make_tenant("Theirs", parent=other), make_tenant("Platforms")
    return [f"{LIST}/{one}/{owing(one)}" for one in (theirs, ours, brightside)]


def test_a_reseller_sees_who_owes_what_and_what_comes(piet: Browser, late: tuple[UUID, str]) -> None:
    customer, at = late
    page = piet.get(LIST).text
    assert "Customer0" in page and "Customer1" not in page and "$39.00" in page and at in page
    assert "Asked 0 times" in page
    one = piet.get(at).text
    assert "Customer0" in one and "INV-000001" in one and "Waive the debt" in one
    with transaction(customer):
        assert reads.unpaid(ladder(customer).invoice_id) is not None


def test_it_decides_and_the_customers_log_says_who(piet: Browser, late: tuple[UUID, str]) -> None:
    customer, at = late
    before = ladder(customer).suspend_at
    assert piet.post(f"{at}/retry", {"attempt": "once"}, page=at).status_code == 303
    assert "Say why." in piet.post(f"{at}/extend", {"days": "10"}, page=at, follow_redirects=True).text
    assert ladder(customer).suspend_at == before
    piet.post(f"{at}/extend", {"days": "10", "reason": "Their bank moved"}, page=at)
    assert (ladder(customer).suspend_at - before).days == 10
    piet.post(f"{at}/waive", {"reason": "Our fault"}, page=at)
    assert ladder(customer).status == "waived"
    assert "Everybody has paid" in piet.get(LIST).text
    with transaction(customer) as unit:
        assert unit.scalars(select(Invoice.status)).all() == ["paid"]
        told = unit.execute(select(AuditEntry.action, AuditEntry.actor_name)).all()
        assert unit.scalars(select(JobRow.tenant_id).where(JobRow.kind == desk.ASK)).all() == [customer]
    assert {action for action, _who in told} >= {"dunning.retried", "dunning.extended", "dunning.waived"}
    assert {who for action, who in told if action.startswith("dunning.")} == {"Piet"}


def test_nobody_elses(piet: Browser, late: tuple[UUID, str], strangers: list[str], brightside: UUID) -> None:
    page = piet.get(LIST).text
    assert "Theirs" not in page and "Platforms" not in page
    with transaction(brightside):
        assert [one.customer for one in reads.customers_unpaid()] == ["Customer0"]
    for at in strangers:
        assert piet.get(at).status_code == 404
        for act in ("retry", "extend", "waive"):
            fields = {"attempt": "a", "days": "9", "reason": "r"}
            assert piet.post(f"{at}/{act}", fields, page=LIST).status_code == 404
        tenant = UUID(at.split("/")[-2])
        assert (ladder(tenant).status, ladder(tenant).told_at) == ("open", None)


def test_a_customers_ladder_under_another_customers_name_is_not_there(
    piet: Browser, late: tuple[UUID, str], brightside: UUID
) -> None:
    _customer, at = late
    with transaction(brightside):
        other = below.of_each(here)[1][1]
    assert piet.get(at.replace(at.split("/")[-2], str(other))).status_code == 404


def test_by_share_it_only_looks(piet: Browser, brightside: UUID) -> None:
    with transaction(brightside):
        terms.choose("share")
    (customer,) = customers(brightside, 1)
    at = f"{LIST}/{customer}/{owing(customer)}"
    assert at in piet.get(LIST).text and "Retry now" not in piet.get(LIST).text
    assert "Waive the debt" not in piet.get(at).text
    assert piet.post(f"{at}/waive", {"reason": "r"}, page=at).status_code == 409
    assert ladder(customer).status == "open"


def test_its_ladder_is_for_its_customers_not_for_itself(brightside: UUID, late: tuple[UUID, str]) -> None:
    with transaction(PLATFORM_ID):
        desk.set_policy(LADDER | {"retry_days": [0, 1], "suspend_day": 3})
    with transaction(brightside):
        desk.set_policy(LADDER | {"suspend_day": 300, "end_day": 600})
    owing(brightside)
    (customer,) = customers(brightside, 1)
    owing(customer)
    assert ladder(brightside).terms["suspend_day"] == 3
    assert ladder(customer).terms["suspend_day"] == 300
    assert ladder(late[0]).terms["suspend_day"] == 14, "what was told is kept"


def test_in_the_units_of_customers_each_is_alone(brightside: UUID) -> None:
    found = customers(brightside, 3)
    with transaction(brightside):
        assert [(one.id, seen) for one, seen in below.of_each(here)] == [(one, one) for one in found]
        assert here() == brightside
        with pytest.raises(NotFound), below.looking(PLATFORM_ID):
            raise AssertionError
