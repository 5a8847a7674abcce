"""Usage, by its verbs: record, correct, close, rebuild and check. The parts are the files beside this one."""

from chom_core.billing.service.usage.closing import close, estimate, install, spent, usage_charges
from chom_core.billing.service.usage.corrections import correct, rematch
from chom_core.billing.service.usage.ingest import MOST, NewEvent, Recorded, Unmatched, record, record_batch
from chom_core.billing.service.usage.metering import full_name, meters
from chom_core.billing.service.usage.rating import UsageLine, lines
from chom_core.billing.service.usage.rollups import check, rebuild
from chom_core.billing.service.usage.totals import DayUse, Use, by_subject, days, used

__all__ = [
    "MOST",
    "DayUse",
    "NewEvent",
    "Recorded",
    "Unmatched",
    "UsageLine",
    "Use",
    "by_subject",
    "check",
    "close",
    "correct",
    "days",
    "estimate",
    "full_name",
    "install",
    "lines",
    "meters",
    "rebuild",
    "record",
    "record_batch",
    "rematch",
    "spent",
    "usage_charges",
    "used",
]
