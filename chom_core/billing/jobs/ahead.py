"""Which of billing's hourly jobs look ahead: see `service.ahead`."""

from __future__ import annotations

from chom_core.billing.jobs import usage
from chom_core.billing.service.credit import accounts
from chom_core.billing.service.dunning import escalation
from chom_core.billing.service.partners import payouts
from chom_core.billing.service.subscribing import ahead, renewal
from chom_core.work.schedules import looks_ahead

looks_ahead(renewal.RENEW)(ahead.renewal)
looks_ahead(escalation.SWEEP)(ahead.dunning)
looks_ahead(accounts.EXPIRE)(ahead.expiring_credit)
looks_ahead(payouts.RESOLVE)(ahead.payouts)
looks_ahead(usage.GATHER)(ahead.gathering)
looks_ahead(usage.BILL)(ahead.months_of_use)
looks_ahead(usage.LIMITS)(ahead.usage_limits)
