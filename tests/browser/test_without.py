"""Without a mouse, and without JavaScript."""

from __future__ import annotations

import re

from tests.browser.person import PHONE, Crowd

FOCUSED = "document.activeElement"


def test_the_first_key_offers_to_skip_the_menu(crowd: Crowd) -> None:
    mara = crowd.person("mara@northlight.example")
    mara.go("/services")
    mara.page.keyboard.press("Tab")
    assert "skip" in mara.page.evaluate(f"{FOCUSED}.className").split()
    mara.page.keyboard.press("Enter")
    assert mara.page.evaluate(f"{FOCUSED}.id") == "main"


def test_a_dialog_takes_the_focus_and_gives_it_back(crowd: Crowd) -> None:
    mara = crowd.person("mara@northlight.example")
    mara.go("/services")
    mara.page.locator("#menu a").nth(2).focus()
    mara.page.keyboard.press("?")
    assert mara.page.evaluate(f"document.querySelector('dialog[open]').contains({FOCUSED})")
    mara.page.keyboard.press("Escape")
    assert mara.page.locator("dialog[open]").count() == 0
    assert mara.page.evaluate(f"!!{FOCUSED}.closest('#menu')")


def test_the_menu_of_a_phone_opens_and_closes_by_keys(crowd: Crowd) -> None:
    mara = crowd.person("mara@northlight.example", size=PHONE)
    mara.go("/home")
    assert not mara.page.locator("#menu").is_visible()
    mara.page.locator(".menu-open").press("Enter")
    assert mara.page.locator("#menu").is_visible()
    mara.page.keyboard.press("Escape")
    assert not mara.page.locator("#menu").is_visible()


def test_buying_and_building_without_a_script(crowd: Crowd) -> None:
    """Sign-up, checkout, order; the operation's page renews itself until the site stands."""
    ada = crowd.person(script=False)
    page, email = ada.page, "ada@plainweb.example"
    ada.go("/signup")
    ada.send(name="Ada Plain", organisation="Plain Web", email=email, password="no script at all")
    link = re.search(r"http://\S+/verify/\S+", crowd.mail(email, "confirm"))
    assert link
    ada.go(link[0])
    ada.press(page.locator("main [type=submit]"))
    ada.go("/checkout/starter")
    ada.send(country="US", email=email)
    ada.says("Your plan is active")
    ada.go("/services/new/static")
    ada.send(name="plainweb", title="Plain Web")
    page.get_by_text("It is ready").wait_for(timeout=60_000)
    ada.press(page.get_by_role("link", name="The service"))
    ada.says("Plain Web", "Active", "Included in Starter")
    assert ada.faults == []
