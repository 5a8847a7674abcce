"""Billing's jobs, each part's in its own file. Importing this registers them; SCHEDULES names when they run."""

from chom_core.billing.jobs import changes, credit, dunning, payouts, purchases

SCHEDULES = (*credit.SCHEDULES, *payouts.SCHEDULES, *dunning.SCHEDULES, *purchases.SCHEDULES)

__all__ = ["SCHEDULES", "changes", "credit", "dunning", "payouts", "purchases"]
