"""A brand's tokens as CSS. A brand picks colours; CHOM sees to it that text on them can be read (WCAG AA)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from markupsafe import Markup

Rgb = tuple[float, float, float]
_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_FONT = re.compile(r"[A-Za-z0-9 ,'\-]{1,120}\Z")
_LENGTH = re.compile(r"\d{1,2}(\.\d{1,2})?(px|rem)\Z")
_LIGHT_SURFACE, _DARK_SURFACE = "#f6f7f9", "#1b1f27"
READABLE = 4.6  # WCAG AA asks 4.5 of text; the rest is for rounding


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _luminance(colour: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours, 1 to 21 (WCAG 2.2, «contrast ratio»)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(colour: str, towards: str, share: float) -> str:
    """`colour` moved by `share` (0 to 1) towards another."""
    pairs = zip(_rgb(colour), _rgb(towards), strict=True)
    return "#" + "".join(f"{round((a + (b - a) * share) * 255):02x}" for a, b in pairs)


def readable(colour: str, surface: str) -> str:
    """The nearest shade of `colour` that can be read as text on `surface`."""
    towards = "#000000" if _luminance(surface) > 0.2 else "#ffffff"
    for step in range(21):
        shade = mix(colour, towards, step / 20)
        if contrast(shade, surface) >= READABLE:
            return shade
    return towards


def ink(colour: str) -> str:
    """Black or white: whichever reads better on `colour`."""
    return "#ffffff" if contrast("#ffffff", colour) >= contrast("#000000", colour) else "#000000"


def brand_css(tokens: Mapping[str, str] | None) -> Markup:
    """A :root rule of the brand's own tokens; what is no colour, font or length is left out, so nothing can escape it.

    Tokens: `primary`, `primary_dark` (colours, `#rrggbb`), `font` (a family list), `radius` (px or rem).
    """
    return _css(tuple(sorted((tokens or {}).items())))


@lru_cache(maxsize=512)
def _css(items: tuple[tuple[str, str], ...]) -> Markup:
    tokens = dict(items)
    rules: list[str] = []
    primary = tokens.get("primary", "")
    if _HEX.match(primary):
        chosen = tokens.get("primary_dark", "")
        dark = chosen if _HEX.match(chosen) else mix(primary, "#ffffff", 0.12)
        for name, light_value, dark_value in (
            ("primary", primary, dark),
            ("on-primary", ink(primary), ink(dark)),
            # links also lie on a tint of the brand (the menu's current entry, a chosen card)
            ("link", readable(primary, mix(_LIGHT_SURFACE, primary, 0.12)),
             readable(dark, mix(_DARK_SURFACE, dark, 0.22))),
        ):  # fmt: skip
            rules.append(f"--chom-{name}:light-dark({light_value},{dark_value})")
    if _FONT.match(tokens.get("font", "")):
        rules.append(f"--chom-font:{tokens['font']}")
    if _LENGTH.match(tokens.get("radius", "")):
        rules.append(f"--chom-radius:{tokens['radius']}")
    return Markup(":root:root{" + ";".join(rules) + "}") if rules else Markup("")  # noqa: S704 — matched above
