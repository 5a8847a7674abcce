"""What provisioning asks plugins, and what they answer: kinds of service, node drivers, journalled steps.

A plugin *returns* kinds and drivers from decide hooks; the core calls the drivers afterwards, from a job, outside
of any transaction. A driver may take minutes, and every step must bear being cut off at any instruction.
"""

from chom_core.values.provisioning.drivers import (
    STANDARD_ACTIONS,
    Found,
    Health,
    NodeDriver,
    NodeInfo,
    OperationCancelled,
    OperationContext,
    ServiceFacts,
    Step,
    StepContext,
    StepFailed,
)
from chom_core.values.provisioning.info import (
    OperationInfo,
    ServiceInfo,
    StepInfo,
)
from chom_core.values.provisioning.kinds import (
    Consequence,
    DeleteQuery,
    Family,
    Funding,
    GroupQuery,
    KindQuery,
    Refusal,
    ServiceAction,
    ServiceGroup,
    ServiceKind,
    ServiceLink,
    ServiceOrder,
)

__all__ = [
    "STANDARD_ACTIONS",
    "Consequence",
    "DeleteQuery",
    "Family",
    "Found",
    "Funding",
    "GroupQuery",
    "Health",
    "KindQuery",
    "NodeDriver",
    "NodeInfo",
    "OperationCancelled",
    "OperationContext",
    "OperationInfo",
    "Refusal",
    "ServiceAction",
    "ServiceFacts",
    "ServiceGroup",
    "ServiceInfo",
    "ServiceKind",
    "ServiceLink",
    "ServiceOrder",
    "Step",
    "StepContext",
    "StepFailed",
    "StepInfo",
]
