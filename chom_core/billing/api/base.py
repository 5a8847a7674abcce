"""The blueprint that billing's API parts share."""

from __future__ import annotations

from chom_core.rest import ApiRoutes

api = ApiRoutes("billing", "chom_core.billing", prefix="/billing", access="billing")
