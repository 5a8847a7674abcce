"""What branding hooks ask and answer: a brand, which is data alone. Never templates, code or script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BrandQuery:
    """Whose look is asked for: the host the visitor came by, and the organisation where it is known."""

    host: str = ""
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Brand:
    """Who a page, a mail or a document speaks for.

    `theme` names an installed theme; `light` and `dark` are design tokens laid over the theme's, `fonts` and
    `layout` likewise (names: `chom_core.branding.tokens`). `words` replaces the house's own terms ("Organisation"
    → "Studio"). Addresses are `/…` or `https://…`. An empty text means: nothing of that kind.
    """

    name: str = "CHOM"
    logo_url: str = ""
    logo_dark_url: str = ""
    favicon_url: str = ""
    theme: str = "default"
    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)
    fonts: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[str, str] = field(default_factory=dict)
    support_email: str = ""
    support_url: str = ""
    terms_url: str = ""
    privacy_url: str = ""
    footer: str = ""
    mail_name: str = ""
    mail_address: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    reseller_id: UUID | None = None

    def word(self, term: str) -> str:
        """The brand's own word for one of the house's terms, or the term itself."""
        return self.words.get(term, term)

    @property
    def tokens(self) -> dict[str, str]:
        """The few tokens that pages without a theme sheet take: primary, primary_dark, font, radius."""
        found = {
            "primary": self.light.get("primary", ""),
            "primary_dark": self.dark.get("primary", ""),
            "font": self.fonts.get("body", ""),
            "radius": self.layout.get("radius", ""),
        }
        return {name: value for name, value in found.items() if value}
