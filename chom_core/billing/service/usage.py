"""Usage, by its verbs: record, correct, close, rebuild and check. The parts are the `usage_*` files beside this one."""

from chom_core.billing.service.usage_closing import close, estimate, install, spent, usage_charges
from chom_core.billing.service.usage_corrections import correct, rematch
from chom_core.billing.service.usage_ingest import MOST, NewEvent, Recorded, Unmatched, record, record_batch
from chom_core.billing.service.usage_meters import full_name, meters
from chom_core.billing.service.usage_rating import UsageLine, lines
from chom_core.billing.service.usage_rollups import check, rebuild
from chom_core.billing.service.usage_totals import DayUse, Use, by_subject, days, used

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
