"""Branding hooks: a look of one's own."""

from __future__ import annotations

from chom_core.hookspecs.marker import hook
from chom_core.values.branding import Brand, BrandQuery


@hook()
def branding_brand(query: BrandQuery) -> Brand | None:
    """The brand for this host and organisation, or None to leave it as it is.

    Asked once per organisation and change of settings; the answer is cached under the organisation's generation.
    The first answer in plugin order wins, over the brand that reseller or platform have saved. Tokens are validated
    as those of the brand page are: an answer with a hostile or unreadable token is refused as a whole and recorded.
    """
