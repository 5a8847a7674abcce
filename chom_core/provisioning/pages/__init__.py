"""The pages of this domain: services, operations, home; for staff nodes, all services and drift."""

from chom_core.provisioning.pages.home import home
from chom_core.provisioning.pages.operations import operations
from chom_core.provisioning.pages.services import services
from chom_core.provisioning.pages.staff import staff

__all__ = ["home", "operations", "services", "staff"]
