"""What every endpoint shares: the request's unit of work and gate, problem documents, lists, idempotency, limits."""

from chom_core.rest.paging import Page, paginate
from chom_core.rest.request import organisation_id, principal
from chom_core.rest.routes import ApiRoutes

__all__ = ["ApiRoutes", "Page", "organisation_id", "paginate", "principal"]
