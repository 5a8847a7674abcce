"""Services, for plugins: what exists, what can be done to it, and the pieces that kinds and drivers are made of."""

from chom_core.provisioning import reads, service
from chom_core.values.provisioning import (
    Consequence,
    DeleteQuery,
    Found,
    Funding,
    GroupQuery,
    Health,
    KindQuery,
    NodeDriver,
    NodeInfo,
    OperationCancelled,
    OperationContext,
    OperationInfo,
    Refusal,
    ServiceAction,
    ServiceFacts,
    ServiceGroup,
    ServiceInfo,
    ServiceKind,
    ServiceLink,
    ServiceOrder,
    Step,
    StepContext,
    StepFailed,
)
from chom_sdk.crossing import reading, verb

#: Read models. `services(ids=…, search=…)` → list[ServiceInfo]; `get_service(id)` raises NotFound for others' ids.
services = reading(reads.services)
get_service = reading(reads.service)
#: Read model: groups of services (projects), whoever keeps them; empty where nobody does.
service_groups = reading(reads.groups)
#: Verbs. Each queues an operation and answers its OperationInfo.
create_service = verb(service.create_service)
start_service = verb(service.start_service)
stop_service = verb(service.stop_service)
restart_service = verb(service.restart_service)

__all__ = [
    "Consequence",
    "DeleteQuery",
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
    "create_service",
    "get_service",
    "restart_service",
    "service_groups",
    "services",
    "start_service",
    "stop_service",
]
