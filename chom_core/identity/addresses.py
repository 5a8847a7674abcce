"""E-mail addresses and names as people type them."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from zoneinfo import available_timezones

from flask_babel import gettext as _

# Deliberately loose: the verification mail is the real test. It keeps out what could split a header or fool a reader.
_EMAIL = re.compile(
    r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f]{1,64}@[^\s@<>()\[\],;:\\\"/]+\.[^\s@<>()\[\],;:\\\"/.]{2,}"
)


def email_address(text: str) -> tuple[str, str]:
    """The address ready to store, and what is wrong with it (empty: nothing). The domain is made ASCII."""
    value = unicodedata.normalize("NFC", text).strip()
    wrong = _("Enter an e-mail address, such as mara@example.com.")
    if len(value) > 254 or has_control(value) or not _EMAIL.fullmatch(value) or ".." in value:
        return value, wrong
    local, domain = value.rsplit("@", 1)
    try:
        return f"{local}@{domain.encode('idna').decode().lower()}", ""
    except UnicodeError:
        return value, wrong


def fold(email: str) -> str:
    """The address for comparing: as the unique index sees it."""
    return email.strip().lower()


def has_control(text: str) -> bool:
    """Whether `text` holds line breaks, control or invisible direction characters."""
    return any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for one in text)


def display_name(text: str, longest: int = 120) -> tuple[str, str]:
    """A name of a person, organisation or key ready to store, and what is wrong with it (empty: nothing)."""
    value = " ".join(unicodedata.normalize("NFC", text).split()) if not has_control(text) else text
    if not value.strip():
        return "", _("Enter a name.")
    if has_control(value):
        return value, _("Leave out line breaks and invisible characters.")
    if len(value) > longest:
        return value, _("Use at most %(count)s characters.", count=longest)
    return value, ""


@cache
def _zones() -> frozenset[str]:
    """To ask reads the whole folder of the system's zones each time."""
    return frozenset(available_timezones())


def zone_fault(name: str) -> str:
    """What is wrong with a time zone's name; empty where it is one."""
    return "" if name in _zones() else _("Choose a time zone of the list, such as Europe/Berlin.")
