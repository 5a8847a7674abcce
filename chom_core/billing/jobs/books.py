"""The nightly check of the books. Where they are wrong the job fails: it stands among the failed work of Today."""

from __future__ import annotations

from chom_core.billing.service import books
from chom_core.work import GiveUp, Job, ScheduleSpec, job

SCHEDULES = (ScheduleSpec("billing-check-books", books.CHECK, "30 3 * * *", per="platform"),)


@job(books.CHECK, timeout=1800, attempts=3)
def check_books(task: Job) -> None:
    """Prove every rule of the ledger over all organisations."""
    faults = books.check()
    if faults:
        raise GiveUp(f"{len(faults)} faults in the books: {'; '.join(faults[:5])}"[:2000])
