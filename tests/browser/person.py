"""A person with a window: goes to pages, and notices what a person would not want to see."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from chom_core.demo.post import mails, text_of

T = TypeVar("T")
WIDE, PHONE = (1360, 900), (390, 844)
#: What axe found, short enough to read in a failure.
RUN_AXE = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
    one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.target.join(' ')).join(', ')))"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def wait(look: Callable[[], T], complaint: str, seconds: float = 60) -> T:
    """What `look` answers as soon as it is true-ish."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, complaint
        time.sleep(0.1)
    return found


@dataclass
class Crowd:
    """Everybody of one test. `url` and `place` are the demo's."""

    url: str
    place: Path
    chromium: Any
    axe: str
    people: list[Person] = field(default_factory=list)

    def person(self, email: str = "", *, script: bool = True, size: tuple[int, int] = WIDE) -> Person:
        """Somebody with a window; entered as one of the demo's people where `email` is given."""
        context = self.chromium.new_context(
            java_script_enabled=script,
            reduced_motion="reduce",
            viewport={"width": size[0], "height": size[1]},
        )
        made = Person(self, context)
        self.people.append(made)
        if email:
            made.enter(email)
        return made

    def mail(self, to: str, subject: str) -> str:
        """The text of the newest mail to `to` about `subject`, as soon as it is there."""

        def newest() -> list[str]:
            kept = mails(self.place / "mail", to)
            return [text_of(mail) for mail in kept if subject in str(mail["Subject"]).lower()]

        return wait(newest, f"no mail about «{subject}» came to {to}")[-1]

    def close(self) -> None:
        for person in self.people:
            person.context.close()


class Person:
    """A window. `faults` is what went wrong in it so far: script errors, refused content, answers from 400 up."""

    def __init__(self, crowd: Crowd, context: Any) -> None:
        self.crowd, self.context = crowd, context
        self.page = context.new_page()
        self.faults: list[str] = []
        self.expected: set[int] = set()
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))
        self.page.on("console", self._console)
        self.page.on("response", self._response)

    def _console(self, message: Any) -> None:
        if (
            message.type == "error" and "Failed to load resource" not in message.text
        ):  # `_response` tells of those
            self.faults.append(f"{self.page.url}: {message.text}")

    def _response(self, answer: Any) -> None:
        if answer.status >= 400 and answer.status not in self.expected:
            self.faults.append(f"{answer.request.method} {answer.url} answered {answer.status}")

    def go(self, path: str) -> int:
        """Open a page of CHOM; answers its status."""
        answer = self.page.goto(path if path.startswith("http") else self.crowd.url + path)
        return int(answer.status) if answer else 0

    def enter(self, email: str) -> None:
        """By the card on /demo."""
        self.go("/demo/")
        self.press(self.page.locator(f"form:has([value='{email}']) [type=submit]"))

    def press(self, button: Any) -> None:
        """Click what leads to another page, and wait until it is there."""
        with self.page.expect_navigation():
            button.click()

    def send(self, **fields: str) -> None:
        """Fill the page's form and press its last button."""
        for name, value in fields.items():
            box = self.page.locator(f"main [name={name}]").first
            if box.evaluate("element => element.tagName") == "SELECT":
                box.select_option(value)
            else:
                box.fill(value)
        self.press(self.page.locator("main form:not([role=search]) [type=submit]").last)

    def says(self, *words: str) -> None:
        """The page shows all of `words`."""
        shown = " ".join(self.page.inner_text("body").split())
        for one in words:
            assert one in shown, f"{self.page.url} does not say «{one}»: {shown[:1500]}"

    def look(self, scheme: str, size: tuple[int, int]) -> list[str]:
        """What axe finds in these colours at this size, and a scroll bar to the right."""
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(self.crowd.axe)
        found = [str(one) for one in self.page.evaluate(RUN_AXE)]
        return [f"{self.path} ({scheme}, {size[0]}): {one}" for one in found] + self.too_wide(size)

    def too_wide(self, size: tuple[int, int]) -> list[str]:
        """A sentence where the page scrolls to the right at this size."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        wide = self.page.evaluate(TOO_WIDE)
        return [f"{self.path}: {wide} px too wide for {size[0]}"] if wide > 0 else []

    @property
    def path(self) -> str:
        return str(self.page.url).removeprefix(self.crowd.url)

    def links(self) -> list[str]:
        """Paths that the page links to, without their queries; no downloads."""
        found = self.page.eval_on_selector_all(
            "a[href^='/']:not([download])", "all => all.map(a => a.getAttribute('href'))"
        )
        paths = [re.split(r"[?#]", href)[0] for href in found if "csv" not in href]
        return list(dict.fromkeys(path for path in paths if "." not in path.rsplit("/", 1)[-1]))
