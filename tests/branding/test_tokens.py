"""Tokens: nothing but colours, fonts and lengths reaches a style sheet, and text in them can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chom_core.branding import themes, tokens
from chom_core.branding.tokens import Tokens
from chom_core.values.branding import Brand
from chom_core.values.errors import Invalid

#: Ways out of a declaration that were tried on real products.
HOSTILE = [
    "red;} body{display:none}",
    "#fff}*{color:red",
    "#3056d3;background:url(https://evil.example/x)",
    "url(javascript:alert(1))",
    "expression(alert(1))",
    "</style><script>alert(1)</script>",
    "#3056d3/*",
    "*/#3056d3",
    "#3056d3\n}",
    "#3056d3\u2028}",
    "\\23 3056d3",
    "var(--x)",
    "light-dark(#000000,#ffffff)",
    "@import 'x'",
    '"; }',
    "#3056d3 !important",
    "#ff",
    "#gggggg",
    "＃3056d3",
    "#3056d3\x00",
    "calc(1px + 1vw)",
    "-8px",
    "9e9px",
    "999px",
    "١px",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("part", "name"), [("light", "primary"), ("dark", "text"), ("fonts", "body"), ("layout", "radius")]
)
def test_a_hostile_value_is_refused_by_name(part: str, name: str, value: str) -> None:
    hostile = Tokens(**{part: {name: value}})
    with pytest.raises(Invalid) as caught:
        tokens.check(hostile)
    assert list(caught.value.fields) == [f"{part}.{name}"]
    with pytest.raises(Invalid):
        tokens.css(hostile)


@pytest.mark.parametrize("name", ["x;}", "primary}", "primary:red", ""])
def test_a_hostile_name_is_refused(name: str) -> None:
    for part in ("light", "dark", "fonts", "layout"):
        with pytest.raises(Invalid):
            tokens.check(Tokens(**{part: {name: "#3056d3"}}))


def test_a_sheet_is_custom_properties_and_nothing_else() -> None:
    sheet = tokens.css(tokens.lay(themes.base(), Tokens(fonts={"body": "Noto Sans, sans-serif"})))
    head, *rules, foot = sheet.strip().split("\n")
    assert (head, foot) == (":root:root {", "}")
    for rule in rules:
        assert re.fullmatch(r"  --chom-[a-z0-9-]+: [a-zA-Z0-9#(), .\"-]+;", rule), rule
    assert '--chom-font: "Noto Sans", sans-serif;' in sheet


def test_the_kit_itself_can_be_read() -> None:
    base = themes.base()
    assert set(base.light) == set(tokens.COLOURS)
    assert set(base.dark) == set(tokens.COLOURS)
    tokens.check_contrast(base)


def test_unreadable_colours_are_named_with_their_surface() -> None:
    pale = tokens.lay(themes.base(), Tokens(light={"text": "#cccccc"}))
    with pytest.raises(Invalid) as caught:
        tokens.check_contrast(pale)
    assert list(caught.value.fields) == ["light.text"]
    assert len(caught.value.fields["light.text"]) == 4


@pytest.mark.parametrize("primary", ["#ffff00", "#000000", "#ffffff", "#7f7f7f", "#00ff00", "#010101"])
def test_any_brand_colour_alone_stays_readable(primary: str) -> None:
    whole = tokens.lay(themes.base(), Tokens(light={"primary": primary}))
    tokens.check_contrast(whole)
    assert whole.dark["primary"] != themes.base().dark["primary"]


def test_both_themes_of_the_house_are_installed_and_readable() -> None:
    found = themes.installed()
    assert {"default", "midnight"} <= set(found.found), found.skipped
    assert found.skipped == {}
    assert found.get("gone").name == "default"


def test_a_theme_that_is_not_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="script"):
        themes.read('name = "xx"\nscript = "alert(1)"')
    with pytest.raises(Invalid):
        themes.read('name = "xx"\n[light]\nprimary = "url(x)"')
    with pytest.raises(Invalid):
        themes.read('name = "xx"\n[light]\ntext = "#eeeeee"')
    with pytest.raises(ValueError, match="name"):
        themes.read('name = "../x"')


def test_a_brand_says_its_own_words() -> None:
    brand = Brand(words={"Organisation": "Studio"})
    assert (brand.word("Organisation"), brand.word("Service")) == ("Studio", "Service")
