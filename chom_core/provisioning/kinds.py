"""Kinds of service and node drivers, as the plugins of the current organisation answer them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from flask_babel import gettext as _
from marshmallow import Schema

from chom_core.database import acting_as, current
from chom_core.plugin_host import hooks, said
from chom_core.values.errors import Invalid, Unavailable
from chom_core.values.provisioning import (
    KindQuery,
    NodeDriver,
    OperationContext,
    ServiceAction,
    ServiceKind,
    Step,
)

#: Suspending is stopping with another name for it; the drivers know the four they act on.
_DRIVERS_WORD = {"suspend": "stop", "unsuspend": "start"}


def kinds() -> dict[str, ServiceKind]:
    """Every kind that can be ordered or exists here, by name, in the order of the order page."""
    unit = current()
    cached: dict[str, ServiceKind] | None = unit.cache.get("provisioning.kinds")
    if cached is None:
        found: dict[str, ServiceKind] = {}
        for answer in said(hooks.provisioning_kinds(KindQuery(unit.tenant_id))):
            for kind in answer:
                found.setdefault(kind.name, kind)
        cached = dict(sorted(found.items(), key=lambda item: (item[1].weight, item[0])))
        unit.cache["provisioning.kinds"] = cached
    return cached


def kind(name: str) -> ServiceKind | None:
    """The kind called `name`, or None where its plugin is gone or off."""
    return kinds().get(name)


def actions(name: str) -> tuple[ServiceAction, ...]:
    """The actions of every kind and the kind's own. Delete has a page of its own."""
    found = kind(name)
    standard = (
        ServiceAction("start", _("Start"), "player-play", when=("stopped",)),
        ServiceAction("stop", _("Stop"), "player-stop", when=("active",)),
        ServiceAction("restart", _("Restart"), "refresh", when=("active",)),
    )
    return standard + (found.actions if found else ())


def form_of(found: ServiceKind) -> Schema | None:
    """The kind's form, from its class or its path «package.module:Class»."""
    form = found.form
    if isinstance(form, str):
        module, _, name = form.partition(":")
        form = getattr(import_module(module), name)
    return form() if form is not None else None


class BoundDriver:
    """A driver with the plugin it belongs to: its code runs as that plugin, so it cannot write the core's tables."""

    def __init__(self, plugin: str, driver: NodeDriver) -> None:
        self.plugin = plugin
        self.driver = driver

    @contextmanager
    def acting(self) -> Iterator[NodeDriver]:
        with acting_as(self.plugin):
            yield self.driver

    def plan(self, operation: OperationContext) -> list[Step]:
        """The driver's steps. Refuses a plan that would call a service active without proof."""
        word = _DRIVERS_WORD.get(operation.action, operation.action)
        asked = OperationContext(operation.operation_id, word, operation.service, operation.settings)
        with self.acting() as driver:
            steps = list(driver.steps(asked))
        names = [step.name for step in steps]
        if len(set(names)) < len(names):
            raise Invalid(
                _(
                    "The driver %(name)s gave two steps of one name: %(steps)s.",
                    name=driver.name,
                    steps=", ".join(names),
                )
            )
        if word in ("create", "start", "restart") and not any(step.proves for step in steps):
            raise Invalid(
                _(
                    "The driver %(name)s has no step that proves «%(word)s» (Step.proves).",
                    name=driver.name,
                    word=word,
                )
            )
        return steps


def drivers() -> dict[str, BoundDriver]:
    """Every node driver by name, of the current organisation's plugins."""
    found: dict[str, BoundDriver] = {}
    for plugin, answer, *_rest in hooks.provisioning_drivers(KindQuery(current().tenant_id)):
        for driver in answer or ():
            found.setdefault(driver.name, BoundDriver(plugin, driver))
    return found


def driver(name: str) -> BoundDriver:
    """The driver called `name`; Unavailable where its plugin is gone or off."""
    found = drivers().get(name)
    if found is None:
        raise Unavailable(
            _("The node driver %(name)s is not available here.", name=name),
            fix=_("Staff: switch its plugin on, or install it. What waits goes on by itself then."),
        )
    return found
