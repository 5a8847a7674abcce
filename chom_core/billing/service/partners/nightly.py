"""A reseller's night: months that are over are settled or its part is posted, what was collected for it is noted, and
once a month it is paid."""

from __future__ import annotations

from chom_core.billing.service.partners import collected, monthly, wholesale


def settle() -> int:
    """All of it for the current reseller; how many invoices, parts, payments and payouts changed. Commits."""
    return wholesale.settle_due() + collected.note() + monthly.pay_out()
