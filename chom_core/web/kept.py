"""Pieces of the frame that read the same for many people, drawn once per language: `{{ kept(side_nav, nav) }}`.

A macro may be kept where its values, the language and the kit's own files decide everything it draws. So never one
that shows a form token, the request, the time or the reader, unless that is among its values. Values are texts,
numbers and frozen values of them, compared by equality.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache

from flask import current_app
from markupsafe import Markup

from chom_core.web.reader import reader

Macro = Callable[..., Markup]


def kept(macro: Macro, *values: Hashable) -> Markup:
    """What `macro` draws of `values` in the reader's language. While templates are being edited nothing is kept."""
    if current_app.debug:
        return macro(*values)
    return _drawn(macro, reader().code, *values)


@lru_cache(maxsize=1024, typed=True)  # typed: a text and the same text as safe markup draw differently
def _drawn(macro: Macro, _locale: str, *values: Hashable) -> Markup:
    return macro(*values)
