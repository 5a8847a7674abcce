"""Order a site, watch it being built, open it, stop, start and delete it without a trace."""

from __future__ import annotations

import time

from chom_core.demo.check.browser import CheckFailed
from chom_core.demo.check.journey import Journey, Site
from chom_core.demo.check.sites import answers, traces


def build(journey: Journey, kind: str, name: str, title: str) -> None:
    """Order it by the page that offers `kind`, and watch every step."""
    me = journey.me
    with journey.step(f"{kind}: ordered as {name}, and built while we watch"):
        page = me.get(me.get("/services/new").link(f"Choose {kind}"))
        operation = me.submit(page, page.form("/services/new/"), {"name": name, "title": title})
        if "/operations/" not in operation.path:
            raise CheckFailed("the order did not lead to its operation", operation)
        site = Site(operation.link("The service"), name, title)
        journey.watch(operation).says("It is ready")
        site.url = me.get(site.page).says("active").link("Open site")
        journey.sites[name] = site


def visit(journey: Journey, name: str) -> None:
    """The site answers at its own address with its own title."""
    site = journey.sites[name]
    with journey.step(f"{site.url} shows its own title «{site.title}»"):
        found = journey.visitor.title(site.url)
        if site.title not in found:
            raise CheckFailed(f"the page at {site.url} has the title «{found}», not «{site.title}»")


def administer(journey: Journey, name: str) -> None:
    """The button on the service's page leads into WordPress without a password."""
    with journey.step("one click leads into its administration, logged in"):
        page = journey.me.get(journey.sites[name].page)
        target = journey.me.submit(page, page.form("/admin")).link("Open it now")
        url, answer = journey.visitor.open(target)
        if answer.status_code != 200 or "/wp-admin" not in url or "adminmenu" not in answer.text:
            raise CheckFailed(f"the administration did not open: {url} answered {answer.status_code}")


def stop_and_start(journey: Journey, name: str) -> None:
    """Stopped it answers nobody; started it is itself again."""
    site = journey.sites[name]
    with journey.step("stopped: nobody answers at its address"):
        _act(journey, site, "stop")
        if answers(site.url):
            raise CheckFailed(f"something still answers at {site.url}")
        journey.me.get(site.page).says("stopped")
    with journey.step("started: it is itself again"):
        _act(journey, site, "start")
        if site.title not in journey.visitor.title(site.url):
            raise CheckFailed(f"{site.url} is not itself after the start")


def _act(journey: Journey, site: Site, action: str) -> None:
    page = journey.me.get(site.page)
    journey.watch(journey.me.submit(page, page.form(f"/actions/{action}")))


def delete(journey: Journey, name: str) -> None:
    """The wrong name deletes nothing; the right one leaves no folder, no process, no open port."""
    site = journey.sites.pop(name)
    with journey.step(f"deleting {name} wants its name typed, says what goes, and leaves no trace"):
        page = journey.me.get(f"{site.page}/delete")
        form = page.form("/delete", having="confirm_name")
        journey.me.submit(page, form, {"confirm_name": "something-else"}, expect=422).says("Type")
        journey.watch(journey.me.submit(page, form, {"confirm_name": name}))
        until = time.monotonic() + 5
        while (
            left := traces(journey.place.sites, name) + ["its port"] * answers(site.url)
        ) and time.monotonic() < until:
            time.sleep(0.2)
        if left:
            raise CheckFailed(f"{name} left traces: {', '.join(left)}")
        journey.me.get(site.page).says("deleted")
