"""The simulation refuses to run where real people are."""

from __future__ import annotations

from sqlalchemy import exists, func, or_, select

from chom_core import config
from chom_core.database import PLATFORM_ID, Tenant, everyone
from chom_core.identity.models import Membership, Person
from chom_core.values.errors import Refused

#: Domains that nobody can own (RFC 2606): the simulation's, the demo's, those of tests.
UNREAL = (".invalid", ".example", ".test")


def must_be_unreal() -> None:
    """Refused where a person or an organisation is not the simulation's or the demo's. A demo knows nobody real."""
    if config.settings().demo:
        return
    with everyone("simulation: is anybody real here?") as here:
        real = ~or_(*(func.lower(Person.email).endswith(ending) for ending in UNREAL))
        people = here.scalar(select(func.count()).select_from(Person).where(real)) or 0
        empty = ~exists().where(Membership.tenant_id == Tenant.id)
        strangers = select(func.count()).select_from(Tenant).where(Tenant.id != PLATFORM_ID, empty)
        organisations = here.scalar(strangers) or 0
    if people or organisations:
        raise Refused(
            f"This database has {people} real people and {organisations} organisations that no simulation made.",
            fix="Run it on a database of its own: ./dev simulate makes one.",
        )
