"""Objects that hooks return and the core calls afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from chom_sdk.notifications import Message
from chom_sdk.provisioning import Found, Health, NodeInfo, OperationContext, ServiceFacts, Step

#: What the pager would have sent.
PAGED: list[Message] = []


class Pager:
    """A way to reach people: it remembers."""

    name = "good_pager"
    title = "Pager"

    def deliver(self, message: Message) -> None:
        PAGED.append(message)


class Boxes:
    """Builds boxes, which are nothing."""

    name = "good_boxes"
    title = "Boxes"
    kinds = ("good_box",)

    def steps(self, operation: OperationContext) -> Sequence[Step]:
        return (Step("stand", "Let it stand", apply=lambda context: context.service.marker, proves=True),)

    def status(self, service: ServiceFacts) -> Health:
        return Health(True)

    def inventory(self, node: NodeInfo) -> Sequence[Found]:
        return ()
