from chom_core.hookspecs import hookimpl
from chom_core.values.ui import PageSlot, Panel

#: Tests append here; the hook then fails with it.
faults: list[Exception] = []


@hookimpl
def slot_home(slot: PageSlot) -> Panel | None:
    if faults:
        raise faults[0]
    return Panel("glow/panel.html")
