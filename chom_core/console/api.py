"""The API of features: which are on for the key's organisation and why, and its own switch."""

from __future__ import annotations

from typing import Any

from chom_core.console import schemas
from chom_core.console.service import features as service
from chom_core.console.service import switches
from chom_core.rest import ApiRoutes, organisation_id

api = ApiRoutes("features", __name__, prefix="/features", access="viewer")


@api.get("/", scope="features:read", out=schemas.FeatureSchema, many=True)
def features() -> list[dict[str, Any]]:
    """Every feature of the organisation, those that are on first."""
    return [_shown(feature) for feature in service.features(organisation_id())]


@api.get("/<name>", scope="features:read", out=schemas.FeatureSchema)
def feature(name: str) -> dict[str, Any]:
    """One feature."""
    return _shown(service.feature(organisation_id(), name))


@api.put(
    "/<name>",
    access="admin",
    scope="features:write",
    into=schemas.FeatureSwitchSchema,
    out=schemas.FeatureSchema,
)
def switch_feature(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Switch it on or off for the organisation."""
    switches.owner_switch(organisation_id(), name, **body)
    return _shown(service.feature(organisation_id(), name))


def _shown(item: service.Feature) -> dict[str, Any]:
    return {
        "name": item.plugin.name,
        "title": str(item.plugin.title),
        "description": str(item.plugin.description),
        "on": item.state.on,
        "why": item.state.why,
        "own_switch": item.own_on,
        "switchable": item.switchable,
        "scopes": {scope.name: str(scope.title) for scope in item.plugin.scopes},
        "conditions": [{"name": c.name, "holds": c.holds, "words": c.words} for c in item.state.conditions],
    }
