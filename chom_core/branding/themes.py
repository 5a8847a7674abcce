"""Themes: installable looks, found by the entry point group `chom.themes`. A theme is one data file, never code.

The entry point names a package that holds `theme.toml`; the package itself is never imported. A theme that cannot be
read, or whose text cannot, is skipped and named with the reason; it never stops the boot.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from chom_core.branding import tokens
from chom_core.branding.tokens import Tokens
from chom_core.plugin_host.registry import entries
from chom_core.values.errors import Invalid
from chom_core.web.layout import STATIC

GROUP = "chom.themes"
_NAME = re.compile(r"[a-z][a-z0-9_-]{1,30}\Z")
_RULE = re.compile(
    r"--chom-([a-z0-9-]+): (?:light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\)|(#[0-9a-f]{3,6}|[\w.]+));"
)


class Theme(Struct, frozen=True):
    """An installed look. `layouts` are its presets by name, each a set of lengths."""

    name: str
    title: str
    description: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    layouts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Themes(Struct, frozen=True):
    """What is installed: the themes by name, and why others were skipped."""

    found: Mapping[str, Theme]
    skipped: Mapping[str, str]

    def get(self, name: str) -> Theme:
        """The theme `name`; where it is gone, the default one; where that is gone, the look of the kit itself."""
        return self.found.get(name) or self.found.get("default") or Theme("default", "CHOM", tokens=base())


def _long(colour: str) -> str:
    return "#" + "".join(2 * digit for digit in colour[1:]) if len(colour) == 4 else colour


@lru_cache(maxsize=1)
def base() -> Tokens:
    """The tokens of the kit's own style sheet (its rule on :root), which every theme and brand lies on."""
    sheet = (STATIC / "chom.css").read_text(encoding="utf-8")
    light: dict[str, str] = {}
    dark: dict[str, str] = {}
    lengths: dict[str, str] = {}
    fonts: dict[str, str] = {}
    rule = sheet[sheet.index(":root:root {") :]
    for css_name, in_light, in_dark, single in _RULE.findall(rule[: rule.index("}")]):
        name = css_name.replace("-", "_")
        if name in tokens.COLOURS:
            light[name], dark[name] = _long(in_light or single), _long(in_dark or single)
        elif name in tokens.LENGTHS:
            lengths[name] = single
        elif name == "font":
            fonts["body"] = single
    return Tokens(light, dark, fonts, lengths)


def read(text: str) -> Theme:
    """A theme from its data file. Raises ValueError or Invalid, in words for its author."""
    data: dict[str, Any] = tomllib.loads(text)
    unknown = sorted(
        set(data) - {"name", "title", "description", "light", "dark", "fonts", "layout", "layouts"}
    )
    if unknown:
        raise ValueError(f"theme.toml has keys that no theme has: {', '.join(unknown)}")
    name = str(data.get("name", ""))
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is no name of a theme: small letters, digits, - and _")
    own = tokens.check(Tokens(*(dict(data.get(part, {})) for part in ("light", "dark", "fonts", "layout"))))
    layouts = {str(key): dict(value) for key, value in data.get("layouts", {}).items()}
    for preset in layouts.values():
        tokens.check(Tokens(layout=preset))
    whole = tokens.lay(base(), own)
    tokens.check_contrast(whole)
    return Theme(name, str(data.get("title", name)), str(data.get("description", "")), whole, layouts)


def _load(entry: EntryPoint) -> Theme:
    spec = find_spec(entry.module)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ValueError(f"{entry.module} is no package with a theme.toml in it")
    theme = read((Path(places[0]) / "theme.toml").read_text(encoding="utf-8"))
    if theme.name != entry.name:
        raise ValueError(f"its entry point says {entry.name}, its theme.toml says {theme.name}")
    return theme


@lru_cache(maxsize=1)
def installed() -> Themes:
    """Every theme of this installation, looked up once per process."""
    found: dict[str, Theme] = {}
    skipped: dict[str, str] = {}
    for entry in entries(GROUP):
        try:
            found[entry.name] = _load(entry)
        except Invalid as error:
            skipped[entry.name] = "; ".join(
                f"{name}: {' '.join(texts)}" for name, texts in error.fields.items()
            )
        except (
            Exception
        ) as error:  # a theme is somebody else's file: whatever is wrong with it, the boot goes on
            skipped[entry.name] = f"{type(error).__name__}: {error}"
    return Themes(found, skipped)
