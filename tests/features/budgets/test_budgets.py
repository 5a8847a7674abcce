"""What budgets do, as people and programs see it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from chom_budgets import holding, service, spending
from chom_budgets.models import Alert
from sqlalchemy import select

from chom_core.database import clock, transaction
from chom_core.provisioning.models import Operation, Service
from chom_core.work import stand
from chom_sdk import Invalid, Money, Refused, Role, billing
from chom_sdk.testing import Organisation, World

LATER = datetime.fromisoformat("2027-03-30T12:00:00+00:00")


def usd(major: str) -> Money:
    return Money.of(major, "USD")


def budget(organisation: Organisation, amount: str = "100.00", at_limit: str = "tell", **more: Any) -> UUID:
    values = {"project_id": None, "amount": Decimal(amount), "at_limit": at_limit, "pause_services": []}
    with organisation.acting():
        return service.create(values | more).id


def look(organisation: Organisation) -> None:
    with organisation.acting():
        holding.look()


def told(organisation: Organisation) -> list[int]:
    with organisation.acting() as here:
        return list(here.scalars(select(Alert.percent).order_by(Alert.id)))


def state(organisation: Organisation) -> spending.State:
    with organisation.acting():
        return spending.states(service.budgets())[0]


def test_chom_11(northlight: Organisation) -> None:
    """Spend steps 49.99, 50.00, 92.00, 100.00, 100.00 of a cap of 100."""
    stand(northlight.id, LATER)
    budget(northlight)
    fired, suspended, seen = [], [], 0
    for step in ("49.99", "0.01", "42.00", "8.00", ""):
        if step:
            northlight.invoice(usd(step))
        look(northlight)
        fired.append(told(northlight)[seen:])
        seen += len(fired[-1])
        suspended.append(state(northlight).exhausted)
    assert fired == [[], [50], [75, 90], [100], []]
    assert suspended == [False, False, False, True, True]


def test_the_next_month_begins_at_zero_and_tells_again(chom: World, northlight: Organisation) -> None:
    stand(northlight.id, LATER)
    budget(northlight)
    northlight.invoice(usd("60.00"))
    chom.run_jobs()
    assert told(northlight) == [50]
    northlight.move_clock(LATER + timedelta(days=2))
    assert state(northlight).spent == usd("0.00")
    northlight.invoice(usd("75.00"))
    chom.run_jobs()
    assert told(northlight) == [50, 50, 75]
    mails = [
        mail.subject for mail in chom.mails if mail.to.startswith("billing@") and "budget" in mail.subject
    ]
    assert mails == [
        "50 % of the budget are used: The whole organisation",
        "75 % of the budget are used: The whole organisation",
    ]


def test_a_raised_budget_tells_again_what_is_ahead(northlight: Organisation) -> None:
    stand(northlight.id, LATER)
    made = budget(northlight)
    northlight.invoice(usd("80.00"))
    look(northlight)
    with northlight.acting():
        service.change(
            made,
            {"project_id": None, "amount": Decimal(200), "at_limit": "tell", "pause_services": []},
        )
    look(northlight)
    assert told(northlight) == []
    northlight.invoice(usd("70.00"))
    look(northlight)
    assert told(northlight) == [50, 75]


# -- blocking ----------------------------------------------------------------------------------------------------------


def buy(organisation: Organisation, amount: str = "79.00", plan: str = "pro") -> Any:
    """The hosting plan, as a person buys it at the checkout."""
    from chom_core.billing.service.buying import checkout
    from chom_core.billing.service.buying.purchases import Click
    from chom_core.values import BillingPeriod, uuid7
    from chom_core.values.billing import Order

    card = {"test_card": "4242424242424242"}
    with transaction(organisation.id):
        return checkout.buy(
            Order(plan, BillingPeriod.MONTHLY, "USD", 1, ""), Click(uuid7(), "1", usd(amount), card=card)
        )


def charges() -> list[int]:
    from chom_sandbox_gateway import book

    return [one.amount for one in book.charges() if one.status == "taken"]


def test_a_purchase_that_would_pass_the_budget_is_refused_before_any_card(northlight: Organisation) -> None:
    made = budget(northlight, at_limit="block")
    northlight.invoice(usd("30.00"))
    with pytest.raises(Refused, match=r"\$30\.00 of \$100\.00"):
        buy(northlight)
    assert charges() == []
    with northlight.acting():
        service.override(made, clock.now().date() + timedelta(days=1), "A launch that cannot wait")
    assert buy(northlight).state == "done"
    assert charges() == [7900]


def test_up_to_the_budget_everything_may_be_bought(northlight: Organisation) -> None:
    budget(northlight, "109.00", at_limit="block")
    northlight.invoice(usd("30.00"))
    assert buy(northlight).state == "done"
    assert state(northlight).spent == usd("109.00")
    assert state(northlight).exhausted


def test_a_budget_that_only_tells_blocks_nothing(northlight: Organisation) -> None:
    budget(northlight, "10.00")
    assert buy(northlight).state == "done"


def test_while_a_budget_cannot_be_asked_nothing_is_bought(
    northlight: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chom_core.values import PluginFailed

    def broken(budgets: object) -> None:
        raise RuntimeError("the disk is gone")

    budget(northlight, "500.00", at_limit="block")
    monkeypatch.setattr(spending, "states", broken)
    with pytest.raises(PluginFailed):
        buy(northlight)
    assert charges() == []


# -- pausing -----------------------------------------------------------------------------------------------------------


def operations(organisation: Organisation, service_id: UUID) -> list[str]:
    with transaction(organisation.id) as here:
        query = select(Operation.action).where(Operation.service_id == service_id).order_by(Operation.id)
        return list(here.scalars(query))


def done(organisation: Organisation, service_id: UUID, status: str) -> None:
    """The node has done what it was asked."""
    with transaction(organisation.id) as here:
        for row in here.scalars(select(Operation).where(Operation.service_id == service_id)):
            row.status = "succeeded"
        here.get_one(Service, service_id).status = status


def test_only_chosen_services_are_paused_once_and_started_again(
    chom: World, northlight: Organisation
) -> None:
    stand(northlight.id, LATER)
    shop, site = northlight.service("shop"), northlight.service("site")
    made = budget(northlight, at_limit="pause", pause_services=[shop])
    northlight.invoice(usd("99.99"))
    look(northlight)
    assert operations(northlight, shop) == []
    northlight.invoice(usd("0.01"))
    look(northlight)
    look(northlight)
    assert (operations(northlight, shop), operations(northlight, site)) == (["stop"], [])
    done(northlight, shop, "stopped")
    look(northlight)
    with northlight.acting():
        service.override(made, LATER.date(), "One more day")
    look(northlight)
    look(northlight)
    assert operations(northlight, shop) == ["stop", "start"]
    done(northlight, shop, "active")
    northlight.move_clock(LATER + timedelta(days=1))
    look(northlight)
    assert operations(northlight, shop) == ["stop", "start", "stop"]
    done(northlight, shop, "stopped")
    with northlight.acting():
        assert len(holding.paused(made)) == 1
        service.remove(made)
    assert operations(northlight, shop) == ["stop", "start", "stop", "start"]


def test_one_that_was_stopped_by_hand_is_left_as_it_is(northlight: Organisation) -> None:
    stand(northlight.id, LATER)
    shop = northlight.service("shop")
    done(northlight, shop, "stopped")
    made = budget(northlight, at_limit="pause", pause_services=[shop])
    northlight.invoice(usd("100.00"))
    look(northlight)
    with northlight.acting():
        service.override(made, LATER.date(), "Go on")
    look(northlight)
    assert operations(northlight, shop) == []


def test_pausing_needs_services_of_ones_own(
    northlight: Organisation, other_organisation: Organisation
) -> None:
    theirs = other_organisation.service("secret")
    for chosen in ([], [theirs]):
        with pytest.raises(Invalid) as wrong:
            budget(northlight, at_limit="pause", pause_services=chosen)
        assert "pause_services" in wrong.value.fields


# -- projects ----------------------------------------------------------------------------------------------------------


def test_a_projects_budget_counts_its_own_services(northlight: Organisation) -> None:
    stand(northlight.id, LATER)
    shop = northlight.service("shop", price=usd("9.00"))
    site = northlight.service("site", price=usd("9.00"))
    made = northlight.api("POST", "/projects/", json={"name": "Client ABC"}).json["id"]
    northlight.api("PUT", f"/projects/{made}/services/{shop}")
    answer = northlight.api("POST", "/budgets/", json={"project_id": made, "amount": "20"})
    assert answer.status_code == 201
    northlight.invoice(usd("15.00"), shop)
    northlight.invoice(usd("50.00"), site)
    northlight.invoice(usd("50.00"))
    found = state(northlight)
    assert (found.title, found.spent, found.percent) == ("Client ABC", usd("15.00"), 75)
    northlight.disable("projects")
    assert state(northlight).spent == usd("0.00")
    assert northlight.client().get("/budgets/").status_code == 200


# -- pages and API -----------------------------------------------------------------------------------------------------


def test_people_set_a_budget_and_see_how_it_stands(chom: World, northlight: Organisation) -> None:
    stand(northlight.id, LATER)
    shop = northlight.service("shop")
    form = {"amount": "100", "at_limit": "pause"}
    refused = northlight.post("/budgets/new", form)
    assert refused.status_code == 422
    assert "Choose at least one" in refused.text
    made = northlight.post("/budgets/new", {**form, "pause_services": str(shop)}, role=Role.BILLING)
    assert made.status_code == 303
    assert northlight.post("/budgets/new", {"amount": "5", "at_limit": "tell"}).status_code == 422
    assert northlight.client(Role.MEMBER).get(made.location).status_code == 403
    northlight.invoice(usd("91.00"))
    look(northlight)
    page = northlight.client().get(made.location).text
    assert "%%" not in page + northlight.client().get("/budgets/").text
    for words in ("$91.00 of $100.00", "an estimate", "data-chart", "90", "Lift the limit"):
        assert words in page
    assert "$91.00 of $100.00" in northlight.client().get("/home").text
    assert "$91.00 of $100.00" in northlight.client().get("/billing").text
    far = {"until": "2029-01-01", "reason": "Launch"}
    assert northlight.post(f"{made.location}/override", far).status_code == 422
    near = {"until": "2027-04-01", "reason": "Launch"}
    assert northlight.post(f"{made.location}/override", near).status_code == 303
    assert "Launch" in northlight.client().get(made.location).text
    assert "Launch" in northlight.client().get("/organisation/activity").text
    assert northlight.post(f"{made.location}/override/end").status_code == 303
    assert northlight.post(f"{made.location}/remove").status_code == 303
    assert northlight.client().get(made.location).status_code == 404


def test_programs_do_the_same_over_the_api(northlight: Organisation) -> None:
    stand(northlight.id, LATER)
    made = northlight.api("POST", "/budgets/", json={"amount": "100.00", "at_limit": "block"})
    assert (made.status_code, made.json["percent"], made.json["month"]) == (201, 0, "2027-03-01")
    where = f"/budgets/{made.json['id']}"
    northlight.invoice(usd("33.00"))
    now = northlight.api("GET", where).json
    assert (now["spent"], now["percent"], now["crossing"]) == ({"amount": 3300, "currency": "USD"}, 33, None)
    assert northlight.api("POST", "/budgets/", json={"amount": "5"}).status_code == 409
    lifted = northlight.api("PUT", f"{where}/override", json={"until": "2027-03-31", "reason": "Launch"})
    assert (lifted.status_code, lifted.json["override_until"]) == (200, "2027-03-31")
    assert northlight.api("DELETE", f"{where}/override").status_code == 204
    for bad in ("NaN", "-1", "0", "0.001", "9" * 40, "x"):
        assert (bad, northlight.api("PUT", where, json={"amount": bad}).status_code) == (bad, 422)
    assert (
        northlight.api(
            "PUT", f"{where}/override", json={"until": "9999-12-31", "reason": "x" * 9}
        ).status_code
        == 422
    )
    assert northlight.api("DELETE", where).status_code == 204


def test_spend_counts_on_the_organisations_own_days(northlight: Organisation) -> None:
    """23:30 UTC on the 31st is next month already in Auckland."""
    from chom_core.database import Tenant

    with transaction() as here:
        here.get_one(Tenant, northlight.id).zone = "Pacific/Auckland"
    stand(northlight.id, datetime.fromisoformat("2027-03-31T23:30:00+00:00"))
    budget(northlight)
    northlight.invoice(usd("10.00"))
    with northlight.acting():
        month = billing.spend_by_day()
        before = billing.spend_by_day(date(2027, 3, 5))
    assert (month.today, month.total, before.total) == (date(2027, 4, 1), usd("10.00"), usd("0.00"))
