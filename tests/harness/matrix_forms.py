"""The forms on an owner's pages, by the address they post to: what the matrix sends, so that writes really write."""

from __future__ import annotations

from html.parser import HTMLParser


class Forms(HTMLParser):
    """Collects `{action: {field: value}}` of one page's post forms."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here = here
        self.found: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] | None = None
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            posts = given.get("method", "get").lower() == "post"
            self._fields = self.found.setdefault(given.get("action") or self.here, {}) if posts else None
        elif self._fields is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        assert self._fields is not None
        name, chosen = given.get("name", ""), "checked" in given or "selected" in given
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            self._fields.setdefault(name, "")
        elif tag == "option" and self._select and (chosen or not self._fields.get(self._select)):
            self._fields[self._select] = given.get("value", "")
        elif tag in ("input", "button") and name:
            optional = given.get("type") in ("checkbox", "radio") and not chosen
            if not optional:
                self._fields[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._fields is not None and self._area:
            self._fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


def read(html: str, here: str) -> dict[str, dict[str, str]]:
    """The post forms of a page at `here`."""
    parser = Forms(here)
    parser.feed(html)
    return parser.found
