"""The verbs: all that a customer, an API key, staff or another domain can do to services and operations.

Every verb works in the caller's unit of work and organisation: what it wrote and the job that does the work exist
together or not at all.
"""

from chom_core.provisioning.service.actions import (
    act,
    cancel_operation,
    consequences,
    delete_service,
    pay_by,
    rename_service,
    restart_service,
    retry_operation,
    start_service,
    stop_service,
    suspend_service,
    unsuspend_service,
)
from chom_core.provisioning.service.base import DRIVE
from chom_core.provisioning.service.ordering import create_service, order_words

__all__ = [
    "DRIVE",
    "act",
    "cancel_operation",
    "consequences",
    "create_service",
    "delete_service",
    "order_words",
    "pay_by",
    "rename_service",
    "restart_service",
    "retry_operation",
    "start_service",
    "stop_service",
    "suspend_service",
    "unsuspend_service",
]
