"""What auto top-up does: charges once, tries again once a day, pauses, and tells."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from chom_auto_topup import charging, service
from chom_auto_topup.models import Attempt
from chom_sandbox_gateway import book
from chom_sandbox_gateway.gateway import Sandbox

from chom_core.database import engine
from chom_sdk import Money, Role, Unavailable, billing, clock, transaction
from chom_sdk.testing import Organisation, World

DECLINED, BANK = "4000000000000002", "4000002760003184"


RULE = {"enabled": True, "threshold": Decimal(10), "amount": Decimal(50), "cap": None, "method_id": None}


def rule(organisation: Organisation, **more: object) -> None:
    """At $10 or less, charge $50; the look that this asks for is not run yet."""
    with organisation.acting():
        service.save(RULE | more)


def usd(major: str) -> Money:
    return Money.of(major, "USD")


def credit(organisation: Organisation) -> Money:
    with organisation.acting():
        return billing.account_credit().account


def charged() -> list[int]:
    """What the bank really took, in minor units."""
    return [one.amount for one in book.charges() if one.status == "taken"]


def attempts(organisation: Organisation) -> list[tuple[str, int]]:
    with organisation.acting():
        return [(one.status, one.amount) for one in reversed(service.history())]


def status(organisation: Organisation) -> str:
    with organisation.acting():
        return service.standing().status


def default_card(organisation: Organisation, number: str) -> None:
    """Only this card is on file from now on."""
    with organisation.acting():
        old = [card.id for card in billing.cards()]
    organisation.card(number)
    for card in old:
        organisation.post(f"/billing/methods/{card}/remove")


def check(organisation: Organisation) -> None:
    with transaction(organisation.id):
        charging.check()


def test_chom_12(chom: World, northlight: Organisation) -> None:
    """A debit takes credit below the threshold; the card fails, then pays on the retry; the job runs twice."""
    default_card(northlight, DECLINED)
    rule(northlight)
    northlight.credit(usd("12.00"))
    chom.run_jobs()
    assert attempts(northlight) == []
    start = clock.machine() + timedelta(minutes=1)
    northlight.move_clock(start)
    northlight.invoice(usd("5.00"))
    assert credit(northlight) == usd("7.00")
    chom.run_jobs()
    check(northlight)
    assert attempts(northlight) == [("declined", 5000)]
    default_card(northlight, "4242424242424242")
    northlight.move_clock(start + timedelta(days=1, hours=1))
    chom.run_jobs()
    check(northlight)
    check(northlight)
    chom.run_jobs()
    assert attempts(northlight) == [("declined", 5000), ("succeeded", 5000)]
    assert charged() == [5000]
    assert credit(northlight) == usd("57.00")


def test_wal_04(chom: World, northlight: Organisation) -> None:
    """10 of credit, an invoice of 6 is paid from it, 4 are left: one top-up of 10."""
    northlight.credit(usd("10.00"))
    with northlight.acting():
        service.save(
            {"enabled": True, "threshold": Decimal(5), "amount": Decimal(10), "cap": None, "method_id": None}
        )
    chom.run_jobs()
    northlight.invoice(usd("6.00"))
    assert credit(northlight) == usd("4.00")
    chom.run_jobs()
    assert charged() == [1000]
    assert credit(northlight) == usd("14.00")
    told = [mail for mail in chom.mails if "credit were added" in mail.subject]
    assert {mail.to for mail in told} and "ending in 4242" in told[0].text


def test_fifty_at_once_charge_once(chom: World, northlight: Organisation) -> None:
    rule(northlight)
    engine.configure(chom.server.settings(chom.database).database_url, pool_size=60)
    with ThreadPoolExecutor(50) as pool:
        for done in [pool.submit(check, northlight) for _ in range(50)]:
            done.result()
    assert charged() == [5000]
    assert attempts(northlight) == [("succeeded", 5000)]
    chom.run_jobs()
    assert charged() == [5000]
    assert credit(northlight) == usd("50.00")


@contextmanager
def answers_lost(times: int = 1) -> Iterator[list[str]]:
    """The bank takes the money, and its answer never comes: so many times."""
    lost: list[str] = []
    real = Sandbox.charge

    def charge(self: Sandbox, request: Any) -> Any:
        answer = real(self, request)
        if len(lost) < times:
            lost.append(request.key)
            raise ConnectionError("the line went dead")
        return answer

    with patch.object(Sandbox, "charge", charge):
        yield lost


def test_a_lost_answer_is_asked_for_again_and_charged_once(chom: World, northlight: Organisation) -> None:
    rule(northlight)
    with answers_lost() as lost:
        with pytest.raises(Unavailable):
            check(northlight)
        assert attempts(northlight) == [("charging", 5000)]
        assert charged() == [5000]
        check(northlight)
    assert len(lost) == 1
    assert charged() == [5000]
    assert attempts(northlight) == [("succeeded", 5000)]
    chom.run_jobs()
    assert credit(northlight) == usd("50.00")


def test_a_lost_answer_stays_one_charge_where_the_rule_changes_meanwhile(
    chom: World, northlight: Organisation
) -> None:
    rule(northlight)
    with answers_lost(), pytest.raises(Unavailable):
        check(northlight)
    rule(northlight, amount=Decimal("80.00"), threshold=Decimal("20.00"))
    chom.run_jobs()
    assert charged() == [5000]
    assert credit(northlight) == usd("50.00")


def test_after_three_refusals_it_pauses_tells_and_goes_on_by_hand(
    chom: World, northlight: Organisation
) -> None:
    default_card(northlight, DECLINED)
    rule(northlight)
    start = clock.machine() + timedelta(minutes=1)
    for day in range(6):
        northlight.move_clock(start + timedelta(days=day))
        chom.run_jobs()
    assert attempts(northlight) == [("declined", 5000)] * 3
    assert status(northlight) == "paused"
    chom.run_jobs()
    assert {mail.subject for mail in chom.mails if mail.to.startswith("owner@")} == {
        "An automatic top-up was declined",
        "Automatic top-ups are paused",
    }
    assert "Top-ups are paused" in northlight.client().get("/auto-top-up/").text
    default_card(northlight, "4242424242424242")
    assert northlight.post("/auto-top-up/resume").status_code == 303
    chom.run_jobs()
    assert (charged(), status(northlight)) == ([5000], "on")


def test_a_bank_that_wants_approval_is_a_refusal(chom: World, northlight: Organisation) -> None:
    default_card(northlight, BANK)
    rule(northlight)
    chom.run_jobs()
    assert attempts(northlight) == [("declined", 5000)]
    assert charged() == []


def test_without_a_card_it_says_so(chom: World, northlight: Organisation) -> None:
    with northlight.acting():
        cards = [card.id for card in billing.cards()]
    rule(northlight)
    for card in cards:
        northlight.post(f"/billing/methods/{card}/remove")
    chom.run_jobs()
    with northlight.acting():
        (only,) = service.history()
        assert only.status == "declined"
        assert "not on file" in only.message


def test_the_monthly_limit_is_never_passed_and_told_once(chom: World, northlight: Organisation) -> None:
    rule(northlight, cap=Decimal("75.00"))
    chom.run_jobs()
    assert charged() == [5000]
    for _again in range(3):
        northlight.invoice(usd("45.00")) if credit(northlight) > usd("45.00") else check(northlight)
        chom.run_jobs()
    assert charged() == [5000]
    mails = [mail for mail in chom.mails if "was not topped up" in mail.subject and "owner@" in mail.to]
    assert len(mails) == 1


def test_at_most_three_a_day(chom: World, northlight: Organisation) -> None:
    rule(northlight)
    northlight.invoice(usd("1000.00"))
    chom.run_jobs()
    assert charged() == [5000] * 3


def test_off_charges_nothing(chom: World, northlight: Organisation) -> None:
    rule(northlight, enabled=False)
    chom.run_jobs()
    check(northlight)
    assert charged() == []


def test_people_set_the_rule_on_its_page(chom: World, northlight: Organisation) -> None:
    form = {"enabled": "true", "threshold": "10", "amount": "50", "cap": "200"}
    assert northlight.post("/auto-top-up/", form, role=Role.BILLING).status_code == 303
    assert northlight.client(Role.MEMBER).get("/auto-top-up/").status_code == 403
    wrong = northlight.post("/auto-top-up/", form | {"amount": "0.001", "cap": "20"})
    assert wrong.status_code == 422
    small = northlight.post("/auto-top-up/", form | {"cap": "20"})
    assert small.status_code == 422
    assert "At least one top-up" in small.text
    assert northlight.post("/auto-top-up/", form | {"method_id": str(northlight.id)}).status_code == 422
    chom.run_jobs()
    page = northlight.client().get("/auto-top-up/").text
    assert "Charged" in page
    assert "$50.00 whenever credit is at or below $10.00" in northlight.client().get("/billing").text


def test_programs_do_the_same_over_the_api(chom: World, northlight: Organisation) -> None:
    assert northlight.api("GET", "/auto-top-up/").status_code == 404
    made = northlight.api("PUT", "/auto-top-up/", json={"threshold": "10", "amount": "50.00"})
    assert (made.status_code, made.json["status"], made.json["amount"]) == (200, "on", "50.00")
    chom.run_jobs()
    listed = northlight.api("GET", "/auto-top-up/history").json["items"]
    assert [(one["status"], one["amount"], one["currency"]) for one in listed] == [("succeeded", 5000, "USD")]
    assert northlight.api("POST", "/auto-top-up/resume").status_code == 409
    for bad in ("NaN", "-1", "1e400", "0", "9" * 40, "x"):
        answer = northlight.api("PUT", "/auto-top-up/", json={"threshold": "10", "amount": bad})
        assert (bad, answer.status_code) == (bad, 422)
    assert northlight.api("GET", "/auto-top-up/").json["amount"] == "50.00"


def test_keys_are_of_the_crossing_and_the_try(chom: World, northlight: Organisation) -> None:
    rule(northlight)
    chom.run_jobs()
    northlight.invoice(usd("45.00"))
    chom.run_jobs()
    with northlight.acting() as here:
        keys = [one.key for one in here.query(Attempt).order_by(Attempt.id)]
    assert keys == [f"auto/{northlight.id}/0.0", f"auto/{northlight.id}/1.0"]


def test_a_disputed_payment_pauses_until_a_person_goes_on(chom: World, northlight: Organisation) -> None:
    rule(northlight)
    chom.run_jobs()
    with northlight.acting():
        charge = service.history()[0]
        billing.disputed(charge.payment_id, "dp_auto", usd("50"), "open")
    for _ in range(2):
        chom.run_jobs()
    with northlight.acting():
        assert service.standing().status == "paused"
        assert len(service.history()) == 1  # the credit is held and low, and no card is asked
        service.resume()
    chom.run_jobs()
    with northlight.acting():
        assert service.standing().status == "on"
        assert len(service.history()) == 2
