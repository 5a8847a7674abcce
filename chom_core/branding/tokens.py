"""Design tokens: which there are, what values they take, and whether text in them can be read.

A token's value goes into a style sheet and into mails, so nothing passes but what these patterns name: colours as
`#rrggbb`, lengths in px or rem, font families by name. There is no way to write a brace, a quote, a url or a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from flask_babel import gettext as _
from msgspec import Struct, field

from chom_core.values.errors import Invalid
from chom_core.web.colours import contrast, ink, mix, readable

COLOURS = (
    *("primary", "on_primary", "link", "bg", "surface", "raised", "sunken", "line", "line_strong"),
    *("text", "text_2", "good", "warn", "bad", "info", "danger"),
)
FONTS = ("body", "heading", "mono")
#: Lengths of the layout with their bounds in px (1rem = 16px).
LENGTHS = {"radius": (0, 24), "side": (176, 352)}
#: Text colour, the surfaces it lies on, and the least contrast (WCAG 2.2 AA: 4.5 for text, 3 for parts of controls).
PAIRS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("text", ("bg", "surface", "raised", "sunken"), 4.5),
    ("text_2", ("bg", "surface", "sunken"), 4.5),
    ("link", ("bg", "surface"), 4.5),
    ("on_primary", ("primary",), 4.5),
    *((name, ("surface",), 4.5) for name in ("good", "warn", "bad", "info")),
    ("line_strong", ("surface",), 3),
)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_FAMILY = re.compile(r"[A-Za-z][A-Za-z0-9 -]{0,40}\Z")
_LENGTH = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)(px|rem)\Z")
_GENERIC = {"serif", "sans-serif", "monospace", "system-ui", "ui-sans-serif", "ui-serif", "ui-monospace"}


class Tokens(Struct, frozen=True):
    """A set of tokens, whole or in part. What a theme brings, and what a brand lays over it."""

    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)
    fonts: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[str, str] = field(default_factory=dict)


def is_colour(value: object) -> bool:
    return isinstance(value, str) and bool(_COLOUR.match(value))


def is_fonts(value: object) -> bool:
    """One to five family names with commas between them."""
    if not isinstance(value, str):
        return False
    families = [family.strip(" ") for family in value.split(",")]
    return len(families) <= 5 and all(_FAMILY.match(family) for family in families)


def is_length(name: str, value: object) -> bool:
    found = _LENGTH.match(value) if isinstance(value, str) else None
    if found is None:
        return False
    low, high = LENGTHS[name]
    return low <= float(found[1]) * (16 if found[2] == "rem" else 1) <= high


def _wrong(tokens: Tokens) -> Iterator[tuple[str, str]]:
    for mode, colours in (("light", tokens.light), ("dark", tokens.dark)):
        for name, value in colours.items():
            if name not in COLOURS:
                yield f"{mode}.{name}"[:60], _("There is no colour of this name.")
            elif not is_colour(value):
                yield f"{mode}.{name}", _("Write a colour as # and six digits, like #3056d3.")
    for name, value in tokens.fonts.items():
        if name not in FONTS:
            yield f"fonts.{name}"[:60], _("There is no font of this name.")
        elif not is_fonts(value):
            yield f"fonts.{name}", _("Write up to five font names with commas, like: Inter, sans-serif.")
    for name, value in tokens.layout.items():
        if name not in LENGTHS:
            yield f"layout.{name}"[:60], _("There is no measure of this name.")
        elif not is_length(name, value):
            low, high = LENGTHS[name]
            yield f"layout.{name}", _("Write a length from %(low)s px to %(high)s px.", low=low, high=high)


def check(tokens: Tokens) -> Tokens:
    """`tokens` as they are, or Invalid naming each token that is no plain colour, font or length."""
    fields: dict[str, list[str]] = {}
    for name, message in _wrong(tokens):
        fields.setdefault(name, []).append(message)
    if fields:
        raise Invalid(_("These tokens are not plain colours, fonts and lengths."), fields=fields)
    return tokens


def _over(base: Mapping[str, str], top: Mapping[str, str]) -> dict[str, str]:
    kept = dict(base)
    if "primary" in top:  # what was chosen to go with another primary does not go with this one
        kept.pop("on_primary", None)
        kept.pop("link", None)
    return kept | dict(top)


def lay(base: Tokens, top: Tokens) -> Tokens:
    """`top` over `base`. A primary without a dark twin gets one; link and text on it are derived where missing."""
    dark_top = dict(top.dark)
    if "primary" in top.light and "primary" not in dark_top:
        dark_top["primary"] = mix(top.light["primary"], "#ffffff", 0.12)
    return Tokens(
        _complete(_over(base.light, top.light)),
        _complete(_over(base.dark, dark_top)),
        {**base.fonts, **top.fonts},
        {**base.layout, **top.layout},
    )


def _complete(colours: dict[str, str]) -> dict[str, str]:
    primary, surface = colours.get("primary"), colours.get("surface")
    if primary and surface:
        colours.setdefault("on_primary", ink(primary))
        link = primary
        # links also lie on a tint of the brand: the menu's current entry, a chosen card
        for below in (mix(surface, primary, 0.12), surface, colours.get("bg", surface)):
            link = readable(link, below)
        colours.setdefault("link", link)
    return colours


def check_contrast(tokens: Tokens) -> None:
    """Raise Invalid, naming every pair of a whole set of tokens that people with weaker eyes cannot read."""
    fields: dict[str, list[str]] = {}
    for mode, colours in (("light", tokens.light), ("dark", tokens.dark)):
        for name, surfaces, least in PAIRS:
            for surface in surfaces:
                ratio = contrast(colours[name], colours[surface])
                if ratio < least:
                    fields.setdefault(f"{mode}.{name}", []).append(
                        _(
                            "Too little contrast on “%(surface)s”: %(ratio)s, needs %(least)s. Take a stronger shade.",
                            surface=surface.replace("_", " "), ratio=f"{ratio:.1f}", least=least,
                        )
                    )  # fmt: skip
        if contrast(colours["danger"], "#ffffff") < 4.5:
            message = _("White text on this cannot be read. Take a darker shade.")
            fields.setdefault(f"{mode}.danger", []).append(message)
    if fields:
        raise Invalid(_("Some text could not be read in these colours."), fields=fields)


def families(value: str) -> str:
    """A font list as CSS: names quoted, generic families bare."""
    names = [name.strip(" ") for name in value.split(",")]
    return ", ".join(name if name in _GENERIC else f'"{name}"' for name in names)


def css(tokens: Tokens, selector: str = ":root:root") -> str:
    """The tokens as custom properties of `selector`, checked once more: whatever came here, nothing escapes."""
    check(tokens)
    rules = []
    for name in COLOURS:
        light = tokens.light.get(name)
        if light:
            dark = tokens.dark.get(name, light)
            rules.append(f"--chom-{name.replace('_', '-')}: light-dark({light}, {dark})")
    for name in FONTS:
        if tokens.fonts.get(name):
            suffix = "" if name == "body" else f"-{name}"
            rules.append(f"--chom-font{suffix}: {families(tokens.fonts[name])}")
    rules += [f"--chom-{name}: {tokens.layout[name]}" for name in LENGTHS if tokens.layout.get(name)]
    return selector + " {\n  " + ";\n  ".join(rules) + ";\n}\n"
