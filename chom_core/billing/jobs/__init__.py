"""Billing's jobs, each part's in its own file. Importing this registers them; SCHEDULES names when they run."""

from chom_core.billing.jobs import purchases

SCHEDULES = (*purchases.SCHEDULES,)

__all__ = ["SCHEDULES", "purchases"]
