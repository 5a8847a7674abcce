"""The person and the organisation of a request, as plain values on `flask.g`: pages ask no second query for them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from msgspec import Struct

from chom_core.identity.service.organisations import OrganisationOption, organisations_of
from chom_core.values.principal import Role


class PersonView(Struct, frozen=True):
    """Who is logged in (`g.person`)."""

    id: UUID
    name: str
    email: str
    locale: str
    zone: str
    theme: str


class OrganisationView(Struct, frozen=True):
    """The organisation of the request (`g.organisation`), and the person's or key's role in it."""

    id: UUID
    name: str
    slug: str
    kind: str
    status: str
    zone: str
    locale: str
    generation: int
    parent_id: UUID | None
    role: Role


class MyOrganisations:
    """The switcher's list: asked of the database when the template first looks, and once.

    `several`: whether there is any but the current one; where not, only who reads the list asks for it.
    """

    def __init__(self, person_id: UUID, *, several: bool) -> None:
        self._person_id = person_id
        self.several = several
        self._found: list[OrganisationOption] | None = None

    def _list(self) -> list[OrganisationOption]:
        if self._found is None:
            self._found = organisations_of(self._person_id)
        return self._found

    def __iter__(self) -> Iterator[OrganisationOption]:
        return iter(self._list())

    def __len__(self) -> int:
        return len(self._list())

    def __bool__(self) -> bool:
        return True
