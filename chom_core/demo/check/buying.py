"""Sign up, prove the address, choose a plan, be declined, pay with a second step, get the invoice."""

from __future__ import annotations

import re

from chom_core.demo.check.browser import CheckFailed, Page
from chom_core.demo.check.journey import EMAIL, NAME, ORGANISATION, Journey
from chom_core.demo.post import text_of
from chom_core.demo.say import plain

DECLINED, SECOND_STEP = "4000000000000002", "4000002760003184"
PLAN, PRICE = "Starter", "$29.00"


def sign_up(journey: Journey) -> None:
    """From the front page to a mailed link to the first page inside."""
    me = journey.me
    with journey.step(f"the front page, and signing up as {EMAIL}"):
        front = me.get("/").says("Sandbox")
        page = me.get(front.link("Sign up"))
        form = page.form("/signup")
        values = {"email": EMAIL, "name": NAME, "password": journey.password, "organisation": ORGANISATION}
        sent = me.submit(page, form, values)
        sent.says("mail")
    with journey.step("the mail came by SMTP; its link proves the address"):
        mail = text_of(journey.mail("confirm"))
        link = re.search(rf"{re.escape(journey.url)}/verify/\S+", mail)
        if link is None:
            raise CheckFailed(f"the mail holds no link to {journey.url}/verify/…:\n{mail}")
        page = me.get(link[0])
        me.submit(page, page.form("/verify/")).says(f"Welcome, {NAME}", ORGANISATION)


def choose(journey: Journey) -> str:
    """The prices, and the plan's checkout. Answers the checkout's address."""
    with journey.step(f"prices: {PLAN} is {PRICE} a month, and a year saves 15 %"):
        page = journey.me.get("/prices").says(PLAN, PRICE, "Enterprise")
        journey.me.get(page.link("Yearly")).says("$295.80")
        return page.link(PLAN, href="/checkout/")


def declined(journey: Journey, checkout: str) -> None:
    """A card that is declined is refused in words, and leaves nothing active."""
    with journey.step("the declined card is refused in words; nothing is active, nothing charged"):
        page = pay(journey, checkout, DECLINED, expect=402)
        page.says("declined", "Nothing was charged")
        if re.search(r"\d{6}", journey.me.get("/billing/invoices").text):
            raise CheckFailed(
                "there is an invoice after a declined card", journey.me.get("/billing/invoices")
            )
        overview = journey.me.get("/billing")
        if "renews" in overview.text:
            raise CheckFailed("the plan is active after a declined card", overview)


def second_step(journey: Journey, checkout: str) -> None:
    """A card that asks the bank: approve there, come back, and the plan is active."""
    with journey.step("the card with a second step: approved on the bank's page, and the plan is active"):
        bank = pay(journey, checkout, SECOND_STEP)
        bank.says("approve", PRICE)
        journey.me.submit(bank, bank.form(), button="approve").says("active")
        journey.me.get("/billing").says(PLAN, "active", "renews")


def pay(journey: Journey, checkout: str, card: str, *, expect: int = 200) -> Page:
    """Fill the checkout and press Pay."""
    page = journey.me.get(checkout).says(PRICE)
    form = page.form("/checkout/", having="expected")
    values = {"name": ORGANISATION, "country": "US", "email": EMAIL, "test_card": card}
    if "method" in form.names:  # a card is on file: choose another
        values["method"] = ""
    return journey.me.submit(page, form, values, expect=expect)


def invoice(journey: Journey) -> None:
    """The first invoice: its gapless number, and the amount that was shown."""
    with journey.step(f"the invoice has a number and says {PRICE}"):
        page = journey.me.get("/billing/invoices").says(PRICE, "paid")
        shown = journey.me.get(page.link(href="/billing/invoices/")).says(
            PRICE, ORGANISATION, PLAN, "Lanternworks Inc."
        )
        number = re.search(r"\b[A-Z-]*\d{6}\b", shown.document.heading + " " + shown.text)
        if number is None:
            raise CheckFailed("the invoice shows no number", shown)
        plain(f"             · {number[0]}")
