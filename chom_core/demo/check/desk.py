"""The bell and the mails; staff switch a feature for one organisation; a key and the API."""

from __future__ import annotations

import re
import time

import httpx2

from chom_core.demo.check.browser import Browser, CheckFailed
from chom_core.demo.check.journey import NAME, ORGANISATION, Journey
from chom_core.demo.company import company


def told(journey: Journey, title: str) -> None:
    """The bell and the mails tell of the service and the payment."""
    with journey.step("the bell tells of the new site and of the payment, and so do mails"):
        until = time.monotonic() + 30
        while "is ready" not in (inbox := journey.me.get("/notifications")).text and time.monotonic() < until:
            time.sleep(0.3)
        inbox.says("is ready", "Your payment of $29.00 arrived")
        journey.mail("is ready")
        journey.mail("$29.00")
        mail_viewer = journey.me.get("/demo/mail/")
        mail_viewer.says("$29.00")


def feature(journey: Journey) -> None:
    """Dana switches a feature on for the newcomer's organisation; another organisation's window stays as it was."""
    name = next(feature for wanted in company().organisations for feature in wanted.features)
    other_one = next(wanted for wanted in company().organisations if not wanted.features and not wanted.plan)
    other = journey.enter_as(other_one.people[0].email)
    with journey.step(
        f"staff switch {name} on for {ORGANISATION} and not for {other_one.name}: two windows differ"
    ):
        _expect(journey.me, name, 404)
        _expect(other, name, 404)
        dana = journey.enter_as(company().staff[0].email)
        page = dana.get(f"/staff/plugins/{name}?q={ORGANISATION.split()[0]}").says(ORGANISATION)
        form = page.form(f"/staff/plugins/{name}/organisations/", having="note")
        page = dana.submit(page, form, {"note": "asked for it on the phone"}, button="on")
        page.says("switched on", company().staff[0].name, "asked for it on the phone")
        _expect(journey.me, name, 200)
        _expect(other, name, 404)
        if not any(f"/{name}" in address for _words, address in journey.me.get("/home").document.links):
            raise CheckFailed("the menu does not show the feature", journey.me.get("/home"))


def _expect(browser: Browser, name: str, status: int) -> None:
    browser.get(f"/{name}/", expect=status)


def api(journey: Journey, name: str) -> None:
    """A key made on the page lists the site through the API, and nothing without the key."""
    with journey.step("an API key lists the site at /api/v1/services; without it 401 as a problem document"):
        page = journey.me.get("/organisation/api-keys")
        form = page.form("/organisation/api-keys", having="role")
        made = journey.me.submit(page, form, {"name": "check", "role": "viewer"})
        key = re.search(r"chom_\w{20,}", " ".join(made.document.codes))
        if key is None:
            raise CheckFailed("the page of the new key shows no key", made)
        url = f"{journey.url}/api/v1/services"
        answer = httpx2.get(
            url, headers={"Authorization": f"Bearer {key[0]}"}, follow_redirects=True, timeout=30
        )
        if answer.status_code != 200 or f'"{name}"' not in answer.text:
            raise CheckFailed(f"GET /api/v1/services answered {answer.status_code}: {answer.text[:500]}")
        refused = httpx2.get(url, timeout=30, follow_redirects=True)
        if refused.status_code != 401 or "problem+json" not in refused.headers.get("content-type", ""):
            raise CheckFailed(f"without a key it answered {refused.status_code}: {refused.text[:300]}")


def leave(journey: Journey) -> None:
    """Log out, and be nobody."""
    with journey.step(f"{NAME} logs out; the page inside asks for a log-in"):
        page = journey.me.get("/home")
        journey.me.submit(page, page.form("/logout"))
        if journey.me.get("/home").path != "/login":
            raise CheckFailed("the page inside is open after logging out", journey.me.get("/home"))
