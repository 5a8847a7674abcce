"""How values read on a page: money, dates, ages, sizes, durations. Pure functions; `init_app` makes them Jinja filters.

Each takes the locale (and time zone) as an argument, defaulting to the reader's own, so that a mail or a PDF can ask
for its recipient's. Every figure is formatted by CLDR (Babel), never by string surgery.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal

from babel import Locale, dates, numbers
from flask import has_request_context
from flask_babel import get_locale, get_timezone
from flask_babel import gettext as _
from markupsafe import Markup, escape

from chom_core.values.money import Money

_SPANS: tuple[tuple[Literal["day", "hour", "minute", "second"], int], ...] = (
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def _locale(locale: Locale | str | None) -> Locale | str:
    if locale is not None:
        return locale
    return (get_locale() if has_request_context() else None) or "en"


def _zone(zone: tzinfo | None) -> tzinfo:
    if zone is not None:
        return zone
    return (get_timezone() if has_request_context() else None) or UTC


def money(value: Money | None, locale: Locale | str | None = None) -> str:
    """`$1,650.00`; an em dash for None. The currency's own number of digits."""
    return "—" if value is None else value.format(str(_locale(locale)))


def unit_price(value: Decimal, currency: str, locale: Locale | str | None = None) -> str:
    """`$5.00`, `$0.0012`: what one unit costs, which may be a fraction of a cent. `value` is in whole `currency`."""
    return numbers.format_currency(value, currency, locale=_locale(locale), decimal_quantization=False)


def number(value: int | float | Decimal | None, digits: int = 0, locale: Locale | str | None = None) -> str:
    """`12,480`; `digits` is the most decimals shown."""
    if value is None:
        return "—"
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return numbers.format_decimal(value, format=pattern, locale=_locale(locale))


def percent(share: float | Decimal | None, digits: int = 0, locale: Locale | str | None = None) -> str:
    """A share of 1 as `91%`."""
    if share is None:
        return "—"
    pattern = "#,##0" + ("." + "#" * digits if digits else "") + "%"
    return numbers.format_percent(share, format=pattern, locale=_locale(locale))


def size(octets: int | float | None, locale: Locale | str | None = None) -> str:
    """Bytes in decimal units, as hosting is sold: 88_000_000_000 is `88 GB`."""
    if octets is None:
        return "—"
    value = float(octets)
    unit = 0
    while abs(value) >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or abs(value) >= 100 else 1
    return f"{number(Decimal(str(round(value, digits))), digits, locale)}\u00a0{_UNITS[unit]}"


def day(value: date | datetime | None, locale: Locale | str | None = None, zone: tzinfo | None = None) -> str:
    """`Nov 3, 2026` in the reader's time zone."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = value.astimezone(_zone(zone))
    return dates.format_date(value, "medium", locale=_locale(locale))


def moment(value: datetime | None, locale: Locale | str | None = None, zone: tzinfo | None = None) -> str:
    """`Nov 3, 2026, 14:05` in the reader's time zone."""
    if value is None:
        return "—"
    chosen, where = _locale(locale), _zone(zone)
    both = str(dates.get_datetime_format("medium", locale=chosen)).replace("'", "")
    time = dates.format_time(value, "short", tzinfo=where, locale=chosen)  # seconds are for logs
    return both.format(time, dates.format_date(value.astimezone(where), "medium", locale=chosen))


def clock_time(value: datetime | None, zone: tzinfo | None = None) -> str:
    """`14:05:31`, for log lines."""
    return "" if value is None else value.astimezone(_zone(zone)).strftime("%H:%M:%S")


def duration(value: timedelta | float | None, locale: Locale | str | None = None) -> str:
    """`8 s`, `2 min 5 s`, `3 hr`: the two largest units at most. A number counts seconds."""
    if value is None:
        return "—"
    left = int(value.total_seconds() if isinstance(value, timedelta) else value)
    parts: list[str] = []
    for unit, seconds in _SPANS:
        count, left = divmod(left, seconds)
        if count or (unit == "second" and not parts):
            parts.append(
                dates.format_timedelta(
                    timedelta(seconds=count * seconds),
                    granularity=unit,
                    threshold=1e9,
                    format="short",
                    locale=_locale(locale),
                )
            )
        if len(parts) == 2:
            break
    return " ".join(parts)


def ago(value: datetime | None, now: datetime | None = None, locale: Locale | str | None = None) -> Markup:
    """`3 hours ago` as a <time> whose title is the exact moment. `now` is business time unless given."""
    if value is None:
        return Markup("<span class='text-secondary'>{}</span>").format(_("never"))
    if now is None:
        from chom_core.database import clock  # pages render inside a request; a pure caller passes `now`

        now = clock.now()
    if abs((now - value).total_seconds()) < 10:
        words = _("just now")
    else:
        words = dates.format_timedelta(
            value - now, add_direction=True, threshold=0.95, locale=_locale(locale)
        )
    exact = moment(value, locale)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(value.isoformat(), exact, words)


def initials(name: str) -> str:
    """`Mara Lind` → `ML`, for an avatar without a picture."""
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def lines(text: str) -> Markup:
    """Plain text with its line breaks kept, escaped."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


#: What stands in a User-Agent → how people call it; the first that is found, since most name several.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
            ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def browser(agent: str) -> str:
    """`Firefox on Linux` from a User-Agent; its first word where nothing is known in it."""
    name = next((name for mark, name in _BROWSERS if mark in agent.replace("HeadlessChrome", "Chrome")), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if name and system:
        return _("%(browser)s on %(system)s", browser=name, system=system)
    return name or system or agent.partition("/")[0][:40]
