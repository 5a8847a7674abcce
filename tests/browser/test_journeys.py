"""The journeys of CONCEPTS §2, done in a window."""

from __future__ import annotations

import re

from tests.browser.person import Crowd, wait

DECLINED, SECOND_STEP = "4000000000000002", "4000002760003184"
PASSWORD = "a lantern in the fog"


def test_from_the_front_page_to_a_running_site_and_its_invoice(crowd: Crowd) -> None:
    """Journeys 1 and 3. A declined card charges nothing; a second step is taken; the site shows its own title."""
    robin = crowd.person()
    page = robin.page
    robin.go("/")
    robin.press(page.get_by_role("link", name="Sign up"))
    robin.send(
        name="Robin Vale",
        organisation="Riverbank Pottery",
        email="robin@riverbank.example",
        password=PASSWORD,
    )
    link = re.search(r"http://\S+/verify/\S+", crowd.mail("robin@riverbank.example", "confirm"))
    assert link
    robin.go(link[0])
    robin.press(page.locator("main [type=submit]"))
    robin.says("Welcome, Robin Vale")

    robin.go("/prices")
    robin.press(page.locator("main a[href^='/checkout/starter']"))
    robin.says("$29.00")
    robin.expected.add(402)
    page.check(f"[name=test_card][value='{DECLINED}']")
    robin.send(country="US", email="robin@riverbank.example")
    robin.says("Nothing was charged")
    page.check(f"[name=test_card][value='{SECOND_STEP}']")
    robin.send()
    robin.press(page.get_by_role("button", name="Approve $29.00"))
    robin.says("Your plan is active")

    robin.press(page.get_by_role("link", name="Choose Static site"))
    robin.send(name="riverbank", title="Riverbank Pottery")
    page.get_by_text("It is ready").wait_for(timeout=60_000)  # the page itself went on, without a reload
    with robin.context.expect_page() as opened:
        page.get_by_role("link", name="Open site").click()
    assert "Riverbank Pottery" in opened.value.title()
    opened.value.close()

    robin.go("/billing/invoices")
    robin.press(page.locator("main a[href*='/billing/invoices/']"))
    robin.says("INV-", "$29.00", "Riverbank Pottery", "Lanternworks Inc.", "Paid", "Visa ending in 3184")
    robin.go("/billing")
    robin.says("Visa ending in 3184")  # not the card that was declined
    wait(
        lambda: robin.go("/notifications") and page.get_by_text("riverbank is ready").count(),
        "nobody told of the site",
    )
    assert robin.faults == []


def test_a_feature_switched_on_for_one_organisation(crowd: Crowd) -> None:
    """Journey 11: two windows differ at once; the page says who, and why; off again is 404 again."""
    theo, sol = crowd.person("theo@pinecrest.example"), crowd.person("sol@tidewater.example")
    dana = crowd.person("dana@lanternworks.example")
    for one in (theo, sol):
        one.expected.add(404)
        assert one.go("/projects/") == 404
    dana.go("/staff/plugins/projects?q=Pinecrest")
    decision = dana.page.locator("tr:has-text('Pinecrest') form")
    decision.locator("[name=note]").fill("asked on the phone")
    dana.press(decision.locator("[value=on]"))
    dana.says("asked on the phone", "Dana Whitlock")

    assert theo.go("/projects/") == 200 and sol.go("/projects/") == 404
    assert theo.page.locator("#menu a[href^='/projects']").count() == 1
    sol.go("/home")
    assert sol.page.locator("#menu a[href^='/projects']").count() == 0

    dana.go("/staff/plugins/projects?q=Pinecrest")
    decision.locator("[name=note]").fill("the trial is over")
    dana.press(decision.locator("[value=off]"))
    assert theo.go("/projects/") == 404
    assert dana.faults == theo.faults == sol.faults == []
