"""The link, the way to a sign-up by it, the pages, the API and the staff's desk."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from chom_referrals import attribution, codes, commissions
from chom_referrals.models import ClickDay, Code, Referral
from sqlalchemy import func, select

from chom_sdk import Money, Role, billing, clock, transaction
from chom_sdk.testing import Organisation, World
from chom_sdk.testing.sales import books


@pytest.fixture
def code(northlight: Organisation) -> Code:
    with northlight.acting():
        return codes.create({"programme": "customer", "code": "north-1", "alias": "Mara"})


def clicks() -> list[tuple[str, int]]:
    with transaction() as here:
        return [
            tuple(row)
            for row in here.execute(select(ClickDay.source, ClickDay.clicks).order_by(ClickDay.source))
        ]


def test_a_link_is_counted_and_remembered(chom: World, code: Code) -> None:
    browser = chom.app.test_client()
    answer = browser.get("/r/NORTH-1?from=News letter", headers={"Referer": "https://blog.example/x"})
    assert (answer.status_code, answer.location) == (303, "/signup")
    assert attribution.COOKIE in answer.headers["Set-Cookie"]
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    browser.get("/r/north-1", headers={"Referer": "https://blog.example/x"})
    browser.get("/r/north-1")
    assert clicks() == [("blog.example", 1), ("direct", 1), ("newsletter", 1)]


def test_an_unknown_link_still_leads_on_and_writes_nothing(chom: World, code: Code) -> None:
    answer = chom.app.test_client().get("/r/nobody")
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers or attribution.COOKIE not in answer.headers["Set-Cookie"]
    assert clicks() == []


def test_strangers_cannot_fill_the_table(chom: World, code: Code) -> None:
    browser = chom.app.test_client()
    for number in range(40):
        browser.get(f"/r/north-1?from=s{number}")
    with transaction() as here:
        assert here.scalar(select(func.count(ClickDay.id))) == codes.MOST_SOURCES + 1
        assert here.scalar(select(func.sum(ClickDay.clicks))) == 40


def test_a_forged_cookie_is_nobodys(chom: World, code: Code) -> None:
    with chom.app.app_context():
        good = attribution.cookie(code, "x")
        assert attribution.read_cookie(good)["code"] == "NORTH-1"  # type: ignore[index]
        assert attribution.read_cookie(good[:-2] + "xx") is None
        assert attribution.read_cookie("{}") is None


def test_signing_up_by_a_link_attributes_in_whatever_browser_the_mail_is_opened(
    chom: World, northlight: Organisation, code: Code
) -> None:
    browser = chom.app.test_client()
    browser.get("/r/north-1?from=blog")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/signup").text)
    assert token
    form = {
        "email": "kim@new.test",
        "name": "Kim",
        "password": "a long pass phrase",
        "organisation": "Kim's shop",
    }
    assert browser.post("/signup", data=form | {"csrf_token": token[1]}).status_code == 303
    chom.run_jobs()
    link = re.search(r"/verify/[\w-]+", next(m for m in chom.mails if m.to == "kim@new.test").text)
    assert link
    other = chom.app.test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', other.get(link[0]).text)
    assert token
    assert other.post(link[0], data={"csrf_token": token[1]}).status_code == 303
    chom.run_jobs()
    with transaction() as here:
        made = here.scalars(select(Referral)).one()
    assert (made.referrer_id, made.source, made.label, made.status) == (
        northlight.id,
        "blog",
        "K•••",
        "pending",
    )
    page = northlight.client().get("/referrals/").text
    assert "K•••" in page
    assert "Kim" not in page


def test_a_customer_gets_a_link_on_the_form(northlight: Organisation) -> None:
    assert "Get a link" in northlight.client().get("/referrals/").text
    assert northlight.post("/referrals/new", {"programme": "customer", "code": "mine-1"}).status_code == 303
    assert "http://chom.test/r/MINE-1" in northlight.client().get("/referrals/").text.replace(
        "localhost", "chom.test"
    )
    again = northlight.post("/referrals/new", {"programme": "customer", "code": "MINE-1"})
    assert again.status_code == 422
    assert "This code is taken." in again.text


def test_staff_approve_an_affiliate(chom: World, northlight: Organisation) -> None:
    northlight.post("/referrals/new", {"programme": "affiliate", "code": "aff-1", "about": "A <b>blog</b>"})
    page = chom.staff_client.get("/staff/referrals/").text
    assert "A &lt;b&gt;blog" in page
    with transaction() as here:
        reference = here.scalars(select(Code.id)).one()
    form = {"status": "active", "percent": "22.5", "csrf_token": chom.csrf(chom.staff_client)}
    assert chom.staff_client.post(f"/staff/referrals/codes/{reference}", data=form).status_code == 303
    with transaction() as here:
        made = here.get_one(Code, reference)
        assert (made.status, str(made.percent)) == ("active", "22.5000")
    chom.run_jobs()
    assert "Your link AFF-1 is active" in [mail.subject for mail in chom.mails]
    wrong = chom.staff_client.post(f"/staff/referrals/codes/{reference}", data=form | {"percent": "NaN"})
    assert wrong.status_code == 422


def test_the_leaderboard_shows_chosen_names_only(
    northlight: Organisation, other_organisation: Organisation, code: Code
) -> None:
    with other_organisation.acting() as here:
        attribution.attribute(other_organisation.id, "Pinecrest", _brought())
        here.scalars(select(Referral)).one().status = "converted"
    page = northlight.client(Role.VIEWER).get("/referrals/leaderboard").text
    assert "Mara" in page
    assert "Pinecrest" not in page
    northlight.post(f"/referrals/codes/{code.id}", {"alias": ""})
    assert "Mara" not in northlight.client().get("/referrals/leaderboard").text


def test_the_api_tells_the_same(
    northlight: Organisation, other_organisation: Organisation, code: Code
) -> None:
    with other_organisation.acting():
        attribution.attribute(other_organisation.id, "Pinecrest", _brought())
    summary = northlight.api("GET", "/referrals/").json
    assert (summary["sign_ups"], summary["conversions"], summary["tier"]) == (1, 0, "bronze")
    listed = northlight.api("GET", "/referrals/codes").json["items"]
    assert [(one["code"], one["sign_ups"]) for one in listed] == [("NORTH-1", 1)]
    referred = northlight.api("GET", "/referrals/referred").json["items"]
    assert [one["label"] for one in referred] == ["P•••"]
    assert "referred_id" not in referred[0]
    made = northlight.api("POST", "/referrals/codes", json={"code": "api-1"})
    assert (made.status_code, made.json["status"]) == (201, "active")
    assert northlight.api("POST", "/referrals/codes", json={"code": "../x"}).status_code == 422
    assert other_organisation.api("GET", "/referrals/codes").json["items"] == []
    assert northlight.api("GET", "/referrals/payouts").json["items"] == []


def _brought() -> dict[str, str]:
    return {"code": "NORTH-1", "at": str(int(clock.now().timestamp())), "source": "x"}


def test_erasing_an_organisation_takes_its_links_and_what_it_was_sent_by(
    chom: World, northlight: Organisation, other_organisation: Organisation, code: Code
) -> None:
    with other_organisation.acting():
        attribution.attribute(other_organisation.id, "Pinecrest", _brought())
    other_organisation.erase()
    with northlight.acting() as here:
        assert here.scalars(select(Referral)).all() == []
        assert here.scalars(select(Code.id)).all() == [UUID(str(code.id))]
    northlight.erase()
    with northlight.acting() as here:
        assert here.scalars(select(Code)).all() == []


def test_staff_pay_by_hand_what_a_referrer_asked_for(
    chom: World, northlight: Organisation, other_organisation: Organisation
) -> None:
    with northlight.acting():
        billing.earn(commissions.party(northlight.id, False), "affiliate", Money.of("60.00", "USD"), "k", "s")
    assert northlight.post("/referrals/payout").status_code == 303
    with northlight.acting():
        payout = billing.payouts()[0]
    page = chom.staff_client.get("/staff/payouts").text
    assert "$60.00" in page
    form = {"act": "paid", "words": "SEPA 4711", "csrf_token": chom.csrf(chom.staff_client)}
    strange = f"/staff/organisations/{other_organisation.id}/payouts/{payout.id}"
    assert chom.staff_client.post(strange, data=form).status_code == 404
    at = f"/staff/organisations/{northlight.id}/payouts/{payout.id}"
    assert chom.staff_client.post(at, data=form | {"words": ""}).status_code == 303
    with northlight.acting():
        assert billing.payouts()[0].status == "pending"
    for _turn in range(2):
        assert chom.staff_client.post(at, data=form).status_code == 303
    chom.run_jobs()
    with northlight.acting():
        assert [(one.status, one.reference) for one in billing.payouts()] == [("posted", "SEPA 4711")]
    assert "$60.00 of your earnings was paid out" in [mail.subject for mail in chom.mails]
    assert "SEPA 4711" in northlight.api("GET", "/referrals/payouts").text
    assert books(chom) == []
