"""Notes: one of everything a plugin can have."""

from flask_babel import lazy_gettext as _l

from chom_sdk import Meter, NavItem, Plugin, Schedule, Scope
from chom_sdk.notifications import NotificationType

plugin = Plugin(
    name="good",
    title="Good",
    description="Notes on every page, to prove that every page can have them.",
    scopes=(Scope("good:read", "Read notes"), Scope("good:write", "Write notes")),
    settings="GoodSettings",
    nav=(NavItem(_l("Notes"), "good.index", "notes", section="Organisation", weight=90),),
    schedules=(Schedule("tidy", "15 3 * * *", "good.tidy"),),
    events={"service.deleted": "good.service_gone", "good.written": "good.count"},
    notifications=(NotificationType("good.written", _l("A note was written")),),
    meters=(Meter("good.notes", "Notes", "note"),),
)
