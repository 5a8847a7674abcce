"""Sentences in the recipient's language. A worker has no request, so the reader's language is an argument here."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.support import NullTranslations, Translations
from msgspec import Struct, field

from chom_core.values.money import Money
from chom_core.web import formats

_FOLDER = Path(__file__).parent.parent / "translations"


@lru_cache(maxsize=64)
def translations(locale: str) -> NullTranslations:
    """The catalogue of `locale`; where there is none, texts stay as they are written."""
    return Translations.load(str(_FOLDER), [locale, locale.partition("_")[0]])


class Phrase(Struct, frozen=True):
    """A sentence not yet in any language, with what goes into it: `phrase("%(name)s is ready", name=…)`."""

    message: str
    values: dict[str, Any] = field(default_factory=dict)

    def say(self, locale: str) -> str:
        """The sentence in the language of `locale`."""
        found = str(translations(locale).gettext(self.message))
        values = {name: say(value, locale) for name, value in self.values.items()}
        return found % values if values else found


def phrase(message: str, /, **values: Any) -> Phrase:
    """A sentence to be said in its reader's language later. `%(name)s` stands for a value."""
    return Phrase(message, values)


class Amount(Struct, frozen=True):
    """Money inside a phrase, written as the reader's language writes it."""

    money: Money

    def say(self, locale: str) -> str:
        return self.money.format(locale)


class Day(Struct, frozen=True):
    """A date inside a phrase: the day it is in `zone` then, written as the reader's language writes it."""

    at: datetime
    zone: str = "UTC"

    def say(self, locale: str) -> str:
        return formats.day(self.at, locale, ZoneInfo(self.zone))


def say(text: Any, locale: str) -> str:
    """A Phrase, Amount or Day in the language of `locale`; any other text as it is."""
    return text.say(locale) if isinstance(text, Phrase | Amount | Day) else str(text)
