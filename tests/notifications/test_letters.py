"""Every mail template draws, in HTML and in text, and nothing anybody is called can escape from either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from chom_core import config
from chom_core.notifications import letters, smtp
from chom_core.notifications.phrases import phrase
from chom_core.values.branding import Brand
from tests.notifications.conftest import use_smtp


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    before = config._current
    use_smtp(25)
    yield
    config._current = before


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</mj-text></mj-column><mj-raw><iframe src=https://evil.example></mj-raw>",
    "<mj-include path='/etc/passwd'/>",
    "{{ 7 * 7 }}{% raw %}",
    "%(name)s %s %d",
    "Robert'); DROP TABLE person;--",
    "]]><!--",
    "a\r\nBcc: everyone@evil.example",
    "\x00\x1b[31m\u2028\ufffe",
    "‮gnp.exe",
    "& &amp; &lt;b&gt;",
    "Zoë Łukasz 李小龍 🦊",
]
TEMPLATES = sorted(
    path.stem for path in letters.TEMPLATES.glob("*.mjml") if path.stem not in ("base", "parts")
)


def draw(template: str, text: str, brand: Brand | None = None, locale: str = "en_US") -> letters.Letter:
    link = "https://panel.example/verify/abc?a=1&b=2"
    return letters.render(
        template, brand or Brand(name=text, footer=text, support_email="help@x.example"), locale,
        name=text, link=link, reset_link=link, expires_at=datetime(2026, 11, 22, 14, 5, tzinfo=UTC), inviter=text,
        organisation=text, role="admin", title=phrase("%(x)s is ready", x=text),
        body=f"{smtp.one_line(text)}\n\nsecond\nline",
        facts=[(text, text)], action=phrase("Open %(x)s", x=text), mandatory=False, preferences_link=link,
    )  # fmt: skip


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen += [tag, *(name for name, _ in attrs if name.startswith("on"))]
        for name, value in attrs:
            assert not (
                name in ("href", "src") and (value or "").lower().startswith(("javascript:", "data:"))
            ), value

    def handle_data(self, data: str) -> None:
        self.data += data


def parts(html: str) -> Tags:
    found = Tags()
    found.feed(html)
    return found


def test_there_is_a_template_for_every_mail_of_identity() -> None:
    from typing import get_args

    from chom_core.identity.mail import Kind

    assert set(get_args(Kind)) <= set(TEMPLATES)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_hostile_name_changes_no_tag(template: str, text: str) -> None:
    letter, plain = draw(template, text), draw(template, "Mara")
    assert parts(letter.html).seen == parts(plain.html).seen
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "\nBcc" not in letter.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", letter.text + letter.html.replace("\n", ""))


@pytest.mark.parametrize("template", TEMPLATES)
def test_text_and_html_say_the_same_and_the_text_is_not_escaped(template: str) -> None:
    letter = draw(template, "Tom & <Jerry>")
    assert "Tom & <Jerry>" in letter.text
    assert "Tom & <Jerry>" in parts(letter.html).data
    assert "&amp;" not in letter.text
    assert letter.subject
    if "button" in (letters.TEMPLATES / f"{template}.mjml").read_text():
        assert "https://panel.example/verify/abc?a=1&b=2" in letter.text
        assert 'href="https://panel.example/verify/abc?a=1&amp;b=2"' in letter.html


def test_a_mail_wears_the_brand() -> None:
    brand = Brand(
        name="Brightside", light={"primary": "#0a6b58"}, logo_url="/logo.png", footer="Brightside Ltd"
    )
    letter = draw("reset", "Mara", brand)
    assert "#0a6b58" in letter.html
    assert "https://panel.example/logo.png" in letter.html
    assert "Brightside Ltd" in letter.html
    assert "Brightside Ltd" in letter.text
    assert "CHOM" not in letter.html + letter.text


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ar", "xx_YY", "", "../../etc"])
def test_any_locale_draws(locale: str) -> None:
    assert draw("verify", "Mara", locale=locale).html


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_writes_a_header(text: str) -> None:
    mail = smtp.Outgoing(
        "1", smtp.address(text, "no-reply@x.example"), "m@x.example", text, text, "<p>", "t", text
    )
    composed = smtp.compose(mail)
    raw = composed.as_bytes().partition(b"\r\n\r\n")[0]
    headers = re.findall(rb"(?m)^([A-Za-z-]+):", raw)
    assert sorted(headers) == sorted(composed.keys() and [key.encode() for key in composed.keys()])  # noqa: SIM118
    assert b"Bcc" not in headers


def test_a_server_address_never_shows_its_password() -> None:
    server = smtp.Server.parse("smtp://mara:s%40cret@mail.example:587?starttls=yes")
    assert (server.user, server.password, server.port, server.starttls) == ("mara", "s@cret", 587, "yes")
    assert "s@cret" not in repr(server)
    for wrong in ("http://x", "smtp://", "smtp://h:99999", "smtp://h:x", "smtp://h?starttls=maybe"):
        with pytest.raises(smtp.Invalid):
            smtp.Server.parse(wrong)
