"""A mail's HTML and text from one template: MJML through mrml with the brand's tokens, and plain text beside it.

A template writes with the macros of `parts` alone; drawn over `base.mjml` they become MJML, over `base.txt` plain
text, so both say the same. Everything put into the MJML is escaped by Jinja.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chom_core import config
from chom_core.branding import service as branding
from chom_core.branding import themes, tokens
from chom_core.branding.tokens import Tokens
from chom_core.notifications.phrases import say, translations
from chom_core.notifications.smtp import one_line
from chom_core.values.branding import Brand
from chom_core.values.errors import Invalid
from chom_core.web import formats

TEMPLATES = Path(__file__).parent / "templates" / "mail"
#: What XML cannot hold, and line ends that mail programs take for the end of a line.
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """What a template became."""

    subject: str
    html: str
    text: str


@lru_cache(maxsize=128)
def _environment(locale: str, *, html: bool) -> Environment:
    # plain text needs no escaping; MJML gets it
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=not html,
        keep_trailing_newline=True,
    )
    made.install_gettext_translations(translations(locale), newstyle=True)  # type: ignore[attr-defined]

    def moment(value: datetime | str) -> str:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return formats.moment(instant, locale) + " UTC"

    made.filters["moment"] = moment
    return made


def _known(locale: str) -> str:
    try:
        return str(Locale.parse(locale))
    except (ValueError, TypeError, UnknownLocaleError):
        return "en"


def _fit(value: Any, locale: str, *, lines: bool = False) -> Any:
    """A value as a template may have it: said in the reader's language, without what no mail can hold. Only a body
    may have more than one line: nobody's name writes a line of its own into the plain text."""
    value = say(value, locale) if hasattr(value, "say") else value
    if isinstance(value, str):
        return _UNFIT.sub("", value) if lines else one_line(_UNFIT.sub(" ", value))
    if isinstance(value, (list, tuple)):
        return [_fit(one, locale) for one in value]
    return value


def _plain(brand: Brand) -> Brand:
    texts = {name: _fit(getattr(brand, name), "en") for name in ("name", "footer", "support_email")}
    return replace(brand, **texts)


def _look(brand: Brand) -> Tokens:
    try:
        return branding.resolve(brand)
    except Invalid:
        return themes.base()


def public(path: str) -> str:
    """`path` as a full address; what is one already stays."""
    return config.settings().public_url.rstrip("/") + path if path.startswith("/") else path


def render(template_name: str, brand: Brand, locale: str, /, **context: Any) -> Letter:
    """The mail `template_name` (a file of templates/mail) in the reader's language and the brand's look."""
    locale = _known(locale)
    look = _look(brand)
    fonts = tokens.families(look.fonts.get("body", "Inter")).replace('"', "")
    values: dict[str, Any] = {
        **{key: _fit(value, locale, lines=key == "body") for key, value in context.items()},
        "brand": _plain(brand),
        "colour": look.light,
        "radius": look.layout.get("radius", "8px"),
        "font": f"{fonts}, Helvetica, Arial, sans-serif",
        "logo": public(brand.logo_url),
        "lang": locale.replace("_", "-"),
    }
    plain = _environment(locale, html=False)
    template = plain.get_template(f"{template_name}.mjml")
    values |= {"base": "base.txt", "parts": "parts.txt"}
    text = re.sub(r"\n{3,}", "\n\n", template.render(values)).strip() + "\n"
    subject = one_line("".join(template.blocks["heading"](template.new_context(values))))[:300]
    values |= {"base": "base.mjml", "parts": "parts.mjml", "subject": subject}
    mjml = _environment(locale, html=True).get_template(f"{template_name}.mjml").render(values)
    import mrml  # by whoever sends a mail, not by every web process

    return Letter(subject, str(mrml.to_html(mjml).content), text)
