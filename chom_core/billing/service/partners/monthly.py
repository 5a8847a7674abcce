"""Once a month a reseller is paid what the platform owes it: its share, and what was collected for it."""

from __future__ import annotations

from chom_core.billing.service.partners import collected, earnings, payouts
from chom_core.database import clock, here, restart
from chom_core.values.money import Money

#: Less than this waits for the next month, in major units: a transfer has its price, too.
LEAST = 1


def pay_out() -> int:
    """Pay out all that is available to the current reseller, once a month and currency; how many payouts there are
    for this month. Commits. By hand where the reseller has no account that can be paid.
    """
    restart()
    return sum(_pay_out(party, name) for party, name in _parties())


def _parties() -> list[tuple[str, str]]:
    """Whom a reseller is on the ledger, and what the run of each is called."""
    return [(str(here()), "share"), (collected.party(here()), "collected")]


def _pay_out(party: str, name: str) -> int:
    made = 0
    for owed in earnings.payable(party, "reseller"):
        if not owed.on_its_way:
            run, least = f"{name}-{clock.now():%Y-%m}", Money.of(LEAST, owed.currency)
            made += payouts.pay_out(party, "reseller", run, minimum=least) is not None
    return made
