"""A page as a browser without script sees it: its text, links, forms, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
    "use",
}
_SILENT = {"script", "style", "head", "svg", "noscript", "template"}


@dataclass
class Form:
    """A form: what it would send if its submit button were pressed now."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Element:
    """A part with a class that matters: a message, an error, a step."""

    classes: frozenset[str]
    text: str = ""


class Document(HTMLParser):
    """Parses once; read the attributes after."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.title, self.heading = "", ""
        self.links: list[tuple[str, str]] = []
        self.forms: list[Form] = []
        self.elements: list[Element] = []
        self.codes: list[str] = []
        self.live = ""
        self._words: list[str] = []
        self._open: list[tuple[str, Element | None]] = []
        self._select = ""
        self.feed(source)
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        element = Element(frozenset(given.get("class", "").split()))
        if tag not in VOID:
            self._open.append((tag, element))
            if element.classes:
                self.elements.append(element)
        self.live = self.live or given.get("data-live", "")
        if tag == "a":
            self.links.append(("", given.get("href", "")))
        elif tag == "code":
            self.codes.append("")
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif self.forms and self._inside("form"):
            self._control(tag, given)

    def _control(self, tag: str, given: dict[str, str]) -> None:
        form, name = self.forms[-1], given.get("name", "")
        kind = given.get("type", "text")
        if tag == "button" and kind != "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input" and name:
            form.names.add(name)
            ticks = kind in ("checkbox", "radio")
            if not ticks or "checked" in given:
                form.values[name] = given.get("value", "on" if ticks else "")
        elif tag in ("select", "textarea") and name:
            form.names.add(name)
            form.values.setdefault(name, "")
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or not form.values.get(self._select)):
            form.values[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or not any(name == tag for name, _ in self._open):
            return
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._inside("title") and not self._inside("svg"):
            self.title += data
        if any(tag in _SILENT for tag, _ in self._open):
            return
        self._words.append(data)
        for _tag, element in self._open:
            if element is not None:
                element.text += data
        if self._inside("a") and self.links:
            self.links[-1] = (self.links[-1][0] + data, self.links[-1][1])
        if self._inside("code") and self.codes:
            self.codes[-1] += data
        if self._inside("h1"):
            self.heading += data
        if self._inside("textarea") and self._select and self.forms:
            self.forms[-1].values[self._select] += data

    def _inside(self, tag: str) -> bool:
        return any(name == tag for name, _ in self._open)

    def with_class(self, name: str) -> list[str]:
        """The texts of the elements of a class."""
        return [" ".join(one.text.split()) for one in self.elements if name in one.classes]
