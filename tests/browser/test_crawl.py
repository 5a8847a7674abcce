"""Every page that a link leads to: axe finds nothing, no script error, nothing refused by the content policy, no
answer from 400 up, no scroll bar to the right, in light and dark, on a desk and on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.person import PHONE, WIDE, Crowd, Person

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")
#: Pages where a visit means something else than looking.
NOT_PAGES = ("/assets", "/api", "/brand/")  # /api/docs draws itself: see below
#: Axe looks at each page in one of these, in turn; the scroll bar is looked for at both widths of every page.
LOOKS = (("light", WIDE), ("dark", PHONE), ("dark", WIDE), ("light", PHONE))


def shape(path: str) -> str:
    """A path with its ids taken out: one page of each shape is enough."""
    return ID.sub("ID", path).rstrip("/") or "/"


def crawl(person: Person, begin: tuple[str, ...], *, below: str = "/") -> tuple[set[str], list[str]]:
    """Follow links to addresses that begin with `below`; answers the shapes that were seen and what is wrong."""
    queue, seen, wrong = list(begin), set[str](), list[str]()
    while queue:
        path = queue.pop(0)
        if shape(path) in seen or path.startswith(NOT_PAGES):
            continue
        seen.add(shape(path))
        person.go(path)
        links = [link for link in person.links() if link.startswith(below)]
        scheme, size = LOOKS[len(seen) % len(LOOKS)]
        wrong += person.look(scheme, size) + person.too_wide(PHONE if size == WIDE else WIDE)
        queue += links
    return seen, wrong + person.faults


@pytest.mark.parametrize(
    ("email", "begin", "below", "must"),
    [
        ("", ("/", "/forgot", "/demo/"), "/", {"/", "/prices", "/login", "/signup", "/forgot", "/checkout/starter"}),
        (
            "mara@northlight.example",
            ("/home", "/services/new", "/organisations/new"),
            "/",
            {"/services", "/services/ID", "/services/ID/delete", "/billing/invoices/ID", "/projects", "/me",
             "/organisation/people", "/organisation/features", "/organisation/activity", "/operations/ID"},
        ),
        (
            "dana@lanternworks.example",
            ("/staff/",),
            "/staff",
            {"/staff", "/staff/plugins", "/staff/plugins/projects", "/staff/organisations/ID", "/staff/work",
             "/staff/ledger", "/staff/mail", "/staff/nodes", "/staff/schedules", "/staff/brand"},
        ),
        (
            "imogen@brightside.example",
            ("/billing/reselling",),
            "/billing/reselling",
            {"/billing/reselling", "/billing/reselling/unpaid", "/billing/reselling/seller", "/billing/reselling/tax",
             "/billing/reselling/terms"},
        ),
    ],
    ids=["a visitor", "a customer", "staff", "a reseller"],
)  # fmt: skip
def test_no_page_has_a_fault(
    crowd: Crowd, email: str, begin: tuple[str, ...], below: str, must: set[str]
) -> None:
    seen, wrong = crawl(crowd.person(email), begin, below=below)
    assert not wrong, "\n".join(wrong)
    assert must <= seen, must - seen


def test_the_api_explorer_has_no_fault(crowd: Crowd) -> None:
    """It is drawn by its script: as it comes, with an operation of each method open, and as one is tried."""
    reader = crowd.person()
    reader.go("/api/docs")
    operations: Any = reader.page.locator(".opblock")
    operations.first.wait_for()
    wrong = [one for scheme, size in LOOKS for one in reader.look(scheme, size)]
    for method in ("get", "post", "put", "patch", "delete"):
        operation = reader.page.locator(f".opblock-{method}").last
        operation.locator(".opblock-summary-control").click()
        operation.locator(".try-out__btn").click()
        operation.locator(".execute").wait_for()
    wrong += reader.look(*LOOKS[0])
    assert "#/" in reader.page.url, "an open operation has an address of its own"
    assert not wrong + reader.faults, "\n".join(wrong + reader.faults)


def test_empty_pages_offer_a_next_step(crowd: Crowd) -> None:
    pages = ("/home", "/services", "/services/new/static", "/billing", "/billing/invoices", "/notifications")
    sol = crowd.person("sol@tidewater.example")
    _seen, wrong = crawl(sol, pages, below="nowhere")
    assert not wrong, "\n".join(wrong)
    for path in pages:
        sol.go(path)
        ahead: Any = sol.page.locator("main a[href], main form:not([role=search]) [type=submit]")
        assert ahead.count() > 0, f"{path} leads nowhere"
