"""What can be counted: the core's meters and those that loaded plugins declare."""

from __future__ import annotations

from functools import lru_cache

from flask_babel import lazy_gettext as _l

from chom_core.plugin_host import Meter, registry

#: Sites at once, in the month at most. Storage is a mean, so a day of 50 GB costs a thirtieth of a month of them.
CORE = (
    Meter("sites", _l("Sites"), "", "max"),
    Meter("storage_gb", _l("Storage"), "GB", "time_weighted"),
    Meter("traffic_gb", _l("Traffic"), "GB", "sum"),
)


def meters() -> dict[str, Meter]:
    """Every meter by its full name: `sites`, `minecraft.player_hours`."""
    return _meters(tuple((name, id(loaded.plugin)) for name, loaded in registry.loaded.items()))


def full_name(plugin: str, meter: str) -> str:
    """How the core calls a plugin's meter; the core's own keep their name."""
    return meter if plugin == "core" or meter.startswith(f"{plugin}.") else f"{plugin}.{meter}"


def of_kind(*aggregations: str) -> list[str]:
    """The full names of the meters that aggregate so."""
    return [name for name, meter in meters().items() if meter.aggregation in aggregations]


@lru_cache(maxsize=8)
def _meters(plugins: tuple[tuple[str, int], ...]) -> dict[str, Meter]:
    found = {meter.name: meter for meter in CORE}
    for name, _id in plugins:
        for meter in registry.loaded[name].plugin.meters:
            found[full_name(name, meter.name)] = meter
    return found
