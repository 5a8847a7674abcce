"""The books are checked every night, and when staff ask: what was found stands on the ledger's page."""

from __future__ import annotations

from chom_core.billing import ledger
from chom_core.billing.models import BooksCheck
from chom_core.billing.reads import books
from chom_core.database import everyone, transaction
from chom_core.values.ids import uuid7

CHECK = "billing.check_books"
#: So many faults are kept; where there are more, the first of them tell enough.
MOST = 200


def check() -> list[str]:
    """Prove the whole ledger, and keep what came of it, in a transaction of its own. The faults."""
    with everyone("check of the books") as here:
        faults = ledger.check(here)
        words = books.proven(here)
    with transaction() as here:
        here.add(BooksCheck(id=uuid7(), faults=faults[:MOST], count=len(faults), proven=words))
    return faults
