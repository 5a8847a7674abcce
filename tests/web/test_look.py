"""The look: formats, colours that can always be read, states never by colour alone, and axe in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chom_core.values.money import Money
from chom_core.web import formats, layout
from chom_core.web.charts import Chart, Series, sparkline
from chom_core.web.colours import READABLE, brand_css, contrast, ink, mix, readable
from chom_core.web.status import LOOKS, look
from tests.web.gallery import make_app

WEB = Path(layout.__file__).parent
NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)


def test_figures_read_as_people_write_them() -> None:
    assert formats.money(Money(165000, "USD"), "en_US") == "$1,650.00"
    assert formats.money(Money(500, "JPY"), "en_US") == "¥500"
    assert formats.size(88_000_000_000, "en") == "88\u00a0GB" and formats.size(1_540, "en") == "1.5\u00a0kB"
    assert formats.percent(0.91, locale="de") == "91%" or formats.percent(0.91, locale="en") == "91%"
    assert formats.duration(125, "en") == "2 min 5 sec" and formats.duration(0, "en") == "0 sec"
    assert formats.duration(timedelta(days=2, hours=3, minutes=9), "en") == "2 days 3 hr"
    assert formats.initials("Mara van Lind") == "ML" and formats.initials("") == "?"


def test_ages_carry_the_exact_moment() -> None:
    with make_app().test_request_context():
        html = formats.ago(NOW - timedelta(hours=3), NOW)
    assert "3 hours ago" in html and 'datetime="2026-11-22T11:00:00+00:00"' in html


COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@given(COLOURS)
@settings(max_examples=200, deadline=None)
def test_any_brand_colour_can_be_read(colour: str) -> None:
    assert contrast(ink(colour), colour) >= 4.4
    for surface in ("#f6f7f9", "#1b1f27"):
        tint = mix(surface, colour, 0.12)
        assert contrast(readable(colour, tint), tint) >= min(READABLE, 4.5)


@pytest.mark.parametrize(
    "tokens",
    [
        {"primary": "red;}body{display:none"},
        {"font": "x;background:url(//evil)"},
        {"radius": "9px}"},
        {"evil": "1"},
    ],
)
def test_a_token_cannot_escape_its_rule(tokens: dict[str, str]) -> None:
    assert brand_css(tokens) == ""


def test_every_state_has_an_icon_and_a_word() -> None:
    for name, one in LOOKS.items():
        assert one.icon and str(one.label) and one.tone in {"neutral", "info", "good", "warn", "bad"}, name
    assert str(look("brand_new").label) == "Brand new"


#: Where an icon is named: the function, the components that take one, the menu's items.
NAMES_AN_ICON = (
    r"icon\(\s*['\"]([a-z0-9-]+)['\"]",
    r"icon(?:_name)?\s*=\s*['\"]([a-z0-9-]+)['\"]",
    r"empty\(\s*'([a-z0-9-]+)'",
    r"stat\([^\n]*, '([a-z0-9-]+)'",
    r"NavItem\(\s*_l?\([^)]*\),\s*\"[^\"]+\",\s*\"([a-z0-9-]+)\"",
)


def test_every_icon_used_is_in_the_sprite() -> None:
    house = WEB.parent.parent
    listed = set((WEB / "assets" / "icons.txt").read_text().split())
    used = {one.icon for one in LOOKS.values()} | {"point"}
    for folder, suffix in product((WEB.parent, house / "plugins", house / "themes"), ("html", "py")):
        for source in folder.rglob(f"*.{suffix}"):
            for pattern in NAMES_AN_ICON:
                used |= set(re.findall(pattern, source.read_text()))
    tones = {"neutral", "info", "good", "warn", "bad"}  # a stat's other word
    assert used - tones <= listed, used - tones - listed


def test_no_template_breaks_the_script_policy() -> None:
    for template in (WEB / "templates").rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"\son[a-z]+=|<script(?![^>]*\ssrc=)|\sstyle=|javascript:", text), template.name


def test_an_asset_carries_its_contents_hash_and_is_kept_for_a_year() -> None:
    app = make_app()
    with app.test_request_context():
        address = layout.asset("chom.css")
    answer = app.test_client().get(address)
    assert re.search(r"\?v=[0-9a-f]{12}$", address) and "max-age=31536000" in answer.headers["Cache-Control"]
    answer.close()


def test_charts_say_their_numbers_and_escape_their_names() -> None:
    chart = Chart("T", ["a", "b"], [Series('<b>"x', [1, None], "bar")], time=False)
    assert chart.rows == [("a", [1]), ("b", [None])]
    app = make_app()
    with app.test_request_context():
        from flask import render_template_string

        html = render_template_string('{% from "components.html" import chart %}{{ chart(c) }}', c=chart)
    assert "<b>" not in html and "&lt;b&gt;" in html
    assert sparkline([]) == "" and sparkline([3, 3, 3], "flat").count("polyline") == 1


def test_an_error_page_stands_alone() -> None:
    html = make_app().test_client().get("/error").get_data(as_text=True)
    assert "Look for it in your list of sites." in html and "00000000-0000-0000-0000-000000000007" in html


# In a browser ------------------------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = WEB / "assets" / "dev" / "axe.js"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and AXE.exists()) and not os.environ.get("CHOM_REQUIRE_BROWSER"),
        reason="no Chromium or axe",
    ),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, make_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


class TestInABrowser:
    pytestmark = browser

    @pytest.mark.parametrize(
        ("path", "scheme", "width"),
        [
            *(("/", scheme, width) for scheme in ("light", "dark") for width in (1360, 390)),
            *(("/?lumen", scheme, 1360) for scheme in ("light", "dark")),
            *((path, "dark", 1360) for path in ("/public", "/login", "/delete", "/error")),
            *((path, "light", 390) for path in ("/public", "/login", "/delete", "/error")),
        ],
    )
    def test_axe_finds_nothing(self, site: str, chromium: Any, path: str, scheme: str, width: int) -> None:
        page = chromium.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
        page.goto(site + path)
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        page.close()
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []
        assert faults == [] and wide <= 0

    def test_a_live_fragment_grows_until_final(self, site: str, chromium: Any) -> None:
        page = chromium.new_page()
        page.goto(site + "/")
        page.locator("#live", has_text="line 9").wait_for(timeout=20_000)
        assert page.get_attribute("#live", "data-live") is None
        page.close()

    def test_typing_the_name_frees_the_button(self, site: str, chromium: Any) -> None:
        page = chromium.new_page()
        page.goto(site + "/")
        page.click("[data-dialog]")
        button = page.locator("dialog[open] [type=submit]")
        assert button.is_disabled()
        page.fill("dialog[open] [name=confirm_name]", "shop.northlight.example")
        assert button.is_enabled()
        page.keyboard.press("Escape")
        assert page.locator("dialog[open]").count() == 0
        page.close()

    def test_the_theme_is_kept_by_a_cookie_the_server_reads(self, site: str, chromium: Any) -> None:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(site + "/")
        assert page.get_attribute("html", "data-bs-theme") is None
        page.click("[data-theme-toggle]")
        page.click("[data-theme-toggle]")
        page.goto(site + "/public")
        assert page.get_attribute("html", "data-bs-theme") == "dark"
        context.close()

    def test_keys_and_bulk(self, site: str, chromium: Any) -> None:
        page = chromium.new_page()
        page.goto(site + "/")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.press("Tab")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        assert page.locator("#keys-help[open]").count() == 1
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("s")
        assert page.url.endswith("#Sites")
        page.check("[data-check-all]")
        assert page.inner_text("[data-bulk-count]") == "5"
        page.close()

    def test_the_menu_works_on_a_phone_without_script(self, site: str, chromium: Any) -> None:
        context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
        page = context.new_page()
        page.goto(site + "/")
        assert not page.is_visible("#menu")
        page.click(".menu-open")
        assert page.is_visible("#menu")
        context.close()
