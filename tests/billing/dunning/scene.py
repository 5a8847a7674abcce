"""An organisation that does not pay, on a test clock, and what can be seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.models import Dunning, Invoice, Payment, Subscription
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.dunning.escalation import SWEEP
from chom_core.billing.service.paying import methods
from chom_core.billing.service.subscribing.renewal import RENEW
from chom_core.database import transaction
from chom_core.notifications.models import MailMessage, Notification
from chom_core.provisioning.models import Service
from chom_core.work import advance, enqueue, run_all
from tests.billing.shop import LATER, buy

START = datetime(2027, 3, 1, 12, tzinfo=UTC)


@dataclass
class Debtor:
    """Northlight: a toy service for $9.00 a month, whose card is declined at renewals."""

    id: UUID
    due: datetime = START

    def buy(self, name: str = "alpha", card: str = LATER) -> None:
        assert buy(self.id, card, "9.00", "toy-alone", name).state in ("building", "done")
        self.settle()
        with transaction(self.id) as here:
            self.due = here.scalars(select(Subscription.current_period_end).order_by(Subscription.id)).first()  # type: ignore[assignment]

    def settle(self) -> None:
        """Run what is ready, standing still."""
        run_all(self.id)

    def day(self, days: float, minutes: int = 0) -> None:
        """Move the clock to so many days after the renewal fell due, renewing on the way and sweeping at the end.

        Without the hourly schedules, which take a second for each day: the ladder's own jobs come at their instants.
        """
        target = self.due + timedelta(days=days, minutes=minutes)
        with transaction(self.id):
            enqueue(RENEW, {}, key=f"test-renew:{self.due}", due_at=self.due)
            enqueue(SWEEP, {}, key=f"test-sweep:{target}", due_at=target)
        advance(self.id, target)

    def statuses(self) -> dict[str, str]:
        with transaction(self.id) as here:
            return {row[0]: row[1] for row in here.execute(select(Service.name, Service.status))}

    def ladder(self) -> Dunning:
        with transaction(self.id) as here:
            return here.scalars(select(Dunning)).one()

    def bill(self) -> Invoice:
        """The renewal's invoice."""
        with transaction(self.id) as here:
            return here.scalars(select(Invoice).where(Invoice.total > 0).order_by(Invoice.id.desc())).first()  # type: ignore[return-value]

    def subscription(self) -> Subscription:
        with transaction(self.id) as here:
            return here.scalars(select(Subscription)).one()

    def asked(self) -> list[str]:
        """How each attempt for the renewal ended."""
        with transaction(self.id) as here:
            query = select(Payment.status).where(Payment.invoice_id == self.bill().id)
            return list(here.scalars(query.order_by(Payment.id)))

    def told(self) -> list[str]:
        """The types of what Mara was told about unpaid things, in order."""
        with transaction(self.id) as here:
            kinds = Notification.type.in_(
                ("payment.failed", "payment.action_required")
            ) | Notification.type.like("dunning.%")
            return list(here.scalars(select(Notification.type).where(kinds).order_by(Notification.id)))

    def mails(self, to: str) -> list[MailMessage]:
        with transaction() as here:
            kinds = MailMessage.type.in_(
                ("payment.failed", "payment.action_required")
            ) | MailMessage.type.like("dunning.%")
            query = select(MailMessage).where(MailMessage.to == to, kinds)
            return list(here.scalars(query.order_by(MailMessage.id)))

    def pay(self, card: str) -> None:
        """Mara pays the open invoice at the screen with another card."""
        with transaction(self.id):
            method = methods.add_method("USD", {"test_card": card})
            assert checkout.pay_invoice(self.bill().id, "screen", method.id).state == "done"
        self.settle()
