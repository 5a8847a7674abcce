"""A gateway in memory, for tests that need thousands of answers."""

from __future__ import annotations

from chom_core.values import uuid7
from chom_core.values.billing import FollowUp, PaymentRequest, PaymentResult, PaymentStatus


class Stub:
    """A gateway in memory. It answers what the step says; the same key is the same answer, as of a real one."""

    name, title, sandbox = "sandbox_gateway", "Stub", True

    def __init__(self) -> None:
        self.next = "succeeded"

    def _answer(self) -> PaymentResult:
        if self.next == "lost":
            raise ConnectionResetError
        return PaymentResult(PaymentStatus(self.next), reference=f"stub-{uuid7().hex}", url="/bank")

    def charge(self, request: PaymentRequest) -> PaymentResult:
        return self._answer()

    def refund(self, request: FollowUp) -> PaymentResult:
        return self._answer()


STUB = Stub()
