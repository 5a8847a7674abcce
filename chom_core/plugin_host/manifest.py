"""What a plugin says of itself, as data. Behaviour is in its hooks; its rooms are found by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from flask_babel.speaklater import LazyString

if TYPE_CHECKING:
    from chom_core.values.notifications import NotificationType

Level = Literal["tenant", "reseller", "platform"]
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the menu. `section` is a heading of the sidebar; `access` as on a route.

    `resellers`: only where the organisation is a reseller.
    """

    label: str | LazyString
    endpoint: str
    icon: str = "puzzle"
    section: str = "Organisation"
    access: str = "viewer"
    weight: int = 50
    resellers: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job at times: `cron` has five fields and means local time in `zone`. `per` says for whom it runs."""

    name: str
    cron: str
    job: str
    zone: str = "UTC"
    per: Literal["tenant", "platform"] = "tenant"


@dataclass(frozen=True, slots=True)
class Meter:
    """Something that is counted and may be billed, month by month, each subject (service) on its own.

    `sum` adds values up; `max` and `last` take the highest and the latest of the month; `unique` counts different
    keys, `count` the events; `time_weighted` is the mean of a level that holds until the next event; `level` adds up
    over all months, so an event of −1 gives back what +1 took. Elsewhere a plugin's meter is called `<plugin>.<name>`.
    """

    name: str
    title: str | LazyString
    unit: str
    aggregation: Literal["sum", "max", "last", "unique", "time_weighted", "level", "count"] = "sum"


@dataclass(frozen=True, slots=True)
class Scope:
    """A right the plugin asks for; a person consents to its `title` when enabling."""

    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin's table of contents: `plugin = Plugin(...)` in its `__init__.py`, on one screen, data only.

    `level` says who switches it: each organisation, each reseller, or the platform for everyone. `requires` names
    plugins without which it cannot run, `uses` those it can do without. `events` maps an event type to the job kind
    that takes it. `settings` names a marshmallow schema in the plugin's own `schemas` room. `plans` names the hosting
    plans that include it when an operator's catalogue is first made.
    """

    name: str
    title: str
    description: str
    level: Level = "tenant"
    requires_sdk: str = ">=0.1,<1"
    requires: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    settings: str = ""
    nav: tuple[NavItem, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    events: Mapping[str, str] = field(default_factory=dict)
    notifications: tuple[NotificationType, ...] = ()
    meters: tuple[Meter, ...] = ()
    plans: tuple[str, ...] = ()
    on_by_default: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no plugin name: small letters, digits and _, 2 to 40")
        foreign = [job for job in self.events.values() if not job.startswith(self.name + ".")]
        foreign += [s.job for s in self.schedules if not s.job.startswith(self.name + ".")]
        if foreign:
            raise ValueError(
                f"{self.name} may name its own jobs only ({self.name}.…), not {', '.join(foreign)}"
            )

    @property
    def schema(self) -> str:
        """The Postgres schema it owns."""
        return f"plugin_{self.name}"


def room(package: str, name: str) -> ModuleType | None:
    """The module `<package>.<name>` where the plugin has it. An error inside it is an error, not an absence."""
    qualified = f"{package}.{name}"
    return import_module(qualified) if find_spec(qualified) else None
