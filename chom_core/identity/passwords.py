"""Passwords: which are good enough, and their argon2id hashes."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from chom_core.identity.options import settings

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 200
#: The stems of the commonest passwords of leaks that, with digits or signs behind them, reach ten characters.
_STEM_LIST = """
password passw0rd p@ssw0rd p@ssword letmein welcome iloveyou iloveyouso princess sunshine football baseball
basketball superman batman spiderman starwars pokemon minecraft fortnite liverpool chelsea arsenal barcelona
manchester charlie jennifer michelle jessica michael michaeljackson jordan dragon monkey shadow master killer
trustno1 whatever computer internet samsung google facebook linkedin wordpress administrator admin root changeme
default qwerty qwertyuiop qwertyui qwertz qwertzuiop azerty azertyuiop asdfghjkl zxcvbnm qazwsx qazwsxedc
1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc q1w2e3r4 q1w2e3r4t5 zaq12wsx abc abcd abcdef abcdefgh
abcdefghij abcdefghijk test testtest testing test1234 hello helloworld secret mypassword newpassword thepassword
passwordpassword passpass hunter hunter2 correcthorsebatterystaple summer winter spring autumn chocolate
butterfly alexander christopher elizabeth beautiful loveyou forever iloveme motdepasse passwort contrasena
password1 chom
"""
_STEMS = frozenset(_STEM_LIST.split())
_DIGITS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")


def clean(password: str) -> str:
    """The same password on every keyboard (Unicode NFKC); nothing is trimmed."""
    return unicodedata.normalize("NFKC", password)


def fault(password: str, *, email: str = "", name: str = "") -> str:
    """Why this password will not do; empty where it will. Length counts, composition does not (NIST SP 800-63B)."""
    text = clean(password)
    if len(text) < SHORTEST:
        return _("Use at least %(count)s characters; a few words are good.", count=SHORTEST)
    if len(text) > LONGEST:
        return _("Use at most %(count)s characters.", count=LONGEST)
    if any(unicodedata.category(one) in {"Cc", "Cs"} for one in text):
        return _("Leave out control characters.")
    low = text.lower()
    own = {fold for fold in (email.lower(), email.lower().split("@")[0], name.lower()) if fold}
    if low in own or low.rstrip("0123456789!?.*#$ ") in own:
        return _("Do not use your name or e-mail address.")
    if _common(low):
        return _("This is one of the first passwords an attacker tries; choose another.")
    return ""


def _common(low: str) -> bool:
    stem = low.rstrip("0123456789!?.*#$@_- ")
    start = low.strip("0123456789!?.*#$@_- ")
    repeated = len(set(low)) <= 2
    return repeated or bool({low, stem, start} & _STEMS) or not start or any(low in row for row in _DIGITS)


@lru_cache(maxsize=4)
def _hasher(memory: int, passes: int, lanes: int) -> PasswordHasher:
    from argon2 import PasswordHasher, Type

    return PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes, type=Type.ID)


def hasher() -> PasswordHasher:
    chosen = settings()
    return _hasher(chosen.argon2_memory_kib, chosen.argon2_passes, chosen.argon2_lanes)


def hashed(password: str) -> str:
    """The argon2id hash to store."""
    return hasher().hash(clean(password))


@lru_cache(maxsize=4)
def _decoy(chosen: PasswordHasher) -> str:
    return chosen.hash("nobody has this password")


def verify(stored: str, password: str) -> bool:
    """Whether the password fits. Without a stored hash a decoy is checked, so that the answer takes as long."""
    from argon2.exceptions import InvalidHashError, VerificationError

    chosen = hasher()
    try:
        fits = chosen.verify(stored or _decoy(chosen), clean(password)[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return fits and bool(stored)


def outdated(stored: str) -> bool:
    """Whether the hash was made with other costs than today's: hash anew at the next log-in."""
    return hasher().check_needs_rehash(stored)
