"""A stranger's browser: cookies, links, forms with their tokens, redirects. No script, no shortcut."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx2

from chom_core.demo.check.html import Document, Form


class CheckFailed(Exception):
    """What was expected and did not happen, in words; with the page it happened on."""

    def __init__(self, words: str, page: Page | None = None) -> None:
        super().__init__(words)
        self.page = page


@dataclass
class Page:
    """An answer."""

    url: str
    status: int
    source: str
    headers: httpx2.Headers
    document: Document

    @property
    def text(self) -> str:
        return self.document.text

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def says(self, *words: str) -> Page:
        """The page holds all of `words`; CheckFailed otherwise."""
        for one in words:
            if one.lower() not in self.text.lower():
                raise CheckFailed(f"{self.path} does not say «{one}»", self)
        return self

    def link(self, words: str = "", href: str = "") -> str:
        """The address of the first link whose text and address hold these."""
        for text, address in self.document.links:
            if words.lower() in text.lower() and href in address:
                return address
        raise CheckFailed(f"{self.path} has no link «{words or href}»", self)

    def form(self, action: str = "", having: str = "") -> Form:
        """The first form that posts to an address holding `action` and has the field `having`."""
        for form in self.document.forms:
            if action in form.action and (not having or having in form.names):
                return form
        raise CheckFailed(f"{self.path} has no form for {action or having}", self)

    def complaint(self) -> str:
        """What the page tells of an error, for the report."""
        found = [text for name in ("note", "field-error") for text in self.document.with_class(name)]
        return " | ".join(dict.fromkeys(found)) or f"{self.document.heading.strip()}: {self.text[-400:]}"


class Browser:
    """One person's browser."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._client = httpx2.Client(
            timeout=60, follow_redirects=False, headers={"User-Agent": "chom-demo-check"}
        )

    def get(self, url: str, *, expect: int = 200, **headers: str) -> Page:
        """Open an address of CHOM, following redirects. `expect` 0: any status will do."""
        return self._open("GET", url, None, headers, expect)

    def submit(
        self,
        page: Page,
        form: Form,
        filled: dict[str, str] | None = None,
        *,
        expect: int = 200,
        button: str = "",
    ) -> Page:
        """Fill a form of `page` and send it. `button` is the value of the submit button to press."""
        values = filled or {}
        unknown = values.keys() - form.names
        if unknown:
            raise CheckFailed(f"the form on {page.path} has no field {', '.join(sorted(unknown))}", page)
        data = form.values | values
        for name, value in form.buttons:
            if name and value == button:
                data[name] = value
        url = urljoin(page.url, form.action or page.url)
        return self._open("POST" if form.method == "post" else "GET", url, data, {}, expect)

    def _open(
        self, method: str, url: str, data: dict[str, str] | None, headers: dict[str, str], expect: int
    ) -> Page:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = urljoin(self.base, url)
        answer = (
            self._client.request(method, url, data=data, headers=sent)
            if method == "POST"
            else self._client.request(method, url, params=data or None, headers=sent)
        )
        for _ in range(10):
            if answer.status_code not in (301, 302, 303, 307, 308):
                break
            target = urljoin(str(answer.url), answer.headers["location"])
            if method == "POST" and urlsplit(target).netloc != urlsplit(self.base).netloc:
                # form-action of the content policy holds for every hop; a real browser stops here
                raise CheckFailed(
                    f"the form redirects to {urlsplit(target).netloc}, which browsers block", _page(answer)
                )
            answer = self._client.get(target)
        page = _page(answer)
        if expect and page.status != expect:
            raise CheckFailed(f"{method} {page.path} answered {page.status} instead of {expect}", page)
        return page

    def close(self) -> None:
        self._client.close()


def _page(answer: httpx2.Response) -> Page:
    html = "html" in answer.headers.get("content-type", "")
    return Page(
        str(answer.url),
        answer.status_code,
        answer.text,
        answer.headers,
        Document(answer.text if html else ""),
    )
