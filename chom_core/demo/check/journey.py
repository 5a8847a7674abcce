"""What the steps of the main job share: one newcomer's browser, the clock on the wall, waiting for mail and builds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from chom_core.demo.check.browser import Browser, CheckFailed, Page
from chom_core.demo.check.sites import Visitor
from chom_core.demo.place import Place
from chom_core.demo.post import mails
from chom_core.demo.say import plain, say

EMAIL, NAME, ORGANISATION = "robin@riverbank.example", "Robin Vale", "Riverbank Pottery"


@dataclass
class Site:
    """A site that was built: its page in CHOM, its name and its own address."""

    page: str
    name: str
    title: str
    url: str = ""


@dataclass
class Journey:
    """One run of the main job against the demo at `url`, whose data lies in `place`. `deadline` is monotonic."""

    url: str
    password: str
    place: Place
    deadline: float
    me: Browser = field(init=False)
    visitor: Visitor = field(default_factory=Visitor)
    sites: dict[str, Site] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.me = Browser(self.url)

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """A step of the check: its words and its seconds when it is done."""
        self.in_time(words)
        begun = time.monotonic()
        try:
            yield
        except BaseException:
            say(f"✗ {words}", time.monotonic() - begun)
            raise
        say(f"✓ {words}", time.monotonic() - begun)

    def in_time(self, words: str) -> None:
        """CheckFailed once the whole check has taken too long."""
        if time.monotonic() > self.deadline:
            raise CheckFailed(f"the check ran out of time at «{words}»; is this machine very busy?")

    def mail(self, subject: str, to: str = EMAIL, seconds: float = 60) -> EmailMessage:
        """The newest mail to `to` whose subject holds `subject`, as soon as it is there."""
        until = time.monotonic() + seconds
        while True:
            found = [
                mail for mail in mails(self.place.mail, to) if subject.lower() in str(mail["Subject"]).lower()
            ]
            if found:
                return found[-1]
            if time.monotonic() > until:
                came = [str(mail["Subject"]) for mail in mails(self.place.mail, to)]
                raise CheckFailed(f"no mail «{subject}» came to {to} in {seconds:.0f} s; there are: {came}")
            time.sleep(0.2)

    def enter_as(self, email: str) -> Browser:
        """A browser of its own, entered as somebody of the demo's company by the card on /demo."""
        browser = Browser(self.url)
        page = browser.get("/demo/")
        card = next((form for form in page.document.forms if form.values.get("email") == email), None)
        if card is None:
            raise CheckFailed(f"there is no card for {email} on /demo", page)
        browser.submit(page, card)
        return browser

    def watch(self, page: Page, seconds: float = 300) -> Page:
        """Follow an operation's live fragment to its end, printing each step as it changes."""
        url, tag = page.document.live, ""
        seen: dict[str, str] = {}
        until = min(time.monotonic() + seconds, self.deadline)
        fragment = page
        while fragment.document.live:
            if time.monotonic() > until:
                raise CheckFailed(f"the operation did not end in {seconds:.0f} s", fragment)
            time.sleep(0.5)
            headers = {"HX_Request": "true"} | ({"If_None_Match": tag} if tag else {})
            answer = self.me.get(url, expect=0, **headers)
            if answer.status == 304:
                continue
            if answer.status != 200:
                raise CheckFailed(f"the live fragment answered {answer.status}", answer)
            fragment, tag = answer, answer.headers.get("etag", "")
            _print_steps(fragment, seen)
        if "status-bad" in fragment.source or "note tone-bad" in fragment.source:
            raise CheckFailed("the operation failed", fragment)
        return fragment


def _print_steps(fragment: Page, seen: dict[str, str]) -> None:
    """A line for each step that has ended since the last look."""
    state = title = ""
    for element in fragment.document.elements:
        if "step" in element.classes:
            state = next((name[5:] for name in element.classes if name.startswith("step-")), "")
        elif "step-title" in element.classes:
            title = " ".join(element.text.split()).partition(" (")[0]
        elif "step-time" in element.classes and seen.get(title) != state:
            if state in ("done", "failed"):
                plain(f"             {'·' if state == 'done' else '✗'} {title} {element.text.strip()}")
            seen[title] = state
