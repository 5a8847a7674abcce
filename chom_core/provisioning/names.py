"""Names of services: one DNS label each, unique on the whole platform."""

from __future__ import annotations

import re
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chom_core.database import session
from chom_core.provisioning.models import Hostname
from chom_core.values.errors import Invalid

LONGEST = 63
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
#: Names that would pass for the platform itself, or that browsers and mail servers give a meaning.
_WORDS = """
admin administrator api app autoconfig autodiscover billing blog-admin broadcasthost cdn chom console dashboard dns
docs ftp help hostmaster imap isatap localdomain localhost login mail mx ns ns1 ns2 pay pop pop3 postmaster root
secure security smtp ssl staff static status support sysadmin test usenet webmail webmaster wpad www
"""
RESERVED = frozenset(_WORDS.split())


def problem(name: str) -> str:
    """Why `name` cannot be a service's name, or an empty text. Says nothing of whether it is taken."""
    if not name:
        return _("Give it a name.")
    if len(name) > LONGEST:
        return _("At most %(count)s characters.", count=LONGEST)
    if not _LABEL.fullmatch(name) or name.startswith("xn--") or name[2:4] == "--":
        return _(
            "Small letters, digits and hyphens; it starts with a letter and ends with a letter or digit."
        )
    if name in RESERVED:
        return _("This name is reserved. Choose another one.")
    return ""


def taken(name: str) -> bool:
    return session().scalar(select(Hostname.id).where(Hostname.name == name)) is not None


def check(name: str) -> str:
    """As `problem`, and whether it is taken: for the form's live check."""
    return problem(name) or (_taken_words() if taken(name) else "")


def claim(name: str, service_id: UUID) -> None:
    """Take `name` for a service, in the caller's transaction. Invalid where it cannot be had."""
    words = problem(name)
    if not words:
        row = insert(Hostname).values(name=name, service_id=service_id).on_conflict_do_nothing()
        if session().scalar(row.returning(Hostname.id)) is None:
            words = _taken_words()
    if words:
        raise Invalid(fields={"name": [words]})


def _taken_words() -> str:
    return _("This name is taken. Choose another one.")
