"""The API of identity: the key itself, its organisation, members, invitations, keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g

from chom_core.identity import schemas, service
from chom_core.identity.models import ApiKey, Invitation
from chom_core.rest import ApiRoutes, principal
from chom_core.rest.routes import encode

api = ApiRoutes("identity", __name__, prefix="", access="viewer")


@api.get("/me", scope="organisation:read", out=schemas.MeSchema)
def me() -> dict[str, Any]:
    """Which key this is, and what it may do."""
    who = principal()
    return {
        "id": who.session_id,
        "kind": who.kind,
        "name": who.name,
        "role": who.role,
        "scopes": sorted(who.scopes),
        "organisation": _organisation(g.organisation),
    }


@api.get("/organisation", scope="organisation:read", out=schemas.OrganisationSchema)
def organisation() -> dict[str, Any]:
    """The organisation of the key."""
    return _organisation(g.organisation)


@api.patch(
    "/organisation",
    access="admin",
    scope="organisation:write",
    into=schemas.OrganisationChangeSchema,
    out=schemas.OrganisationSchema,
)
def change_organisation(body: dict[str, Any]) -> dict[str, Any]:
    """Change its name or time zone."""
    return _organisation(service.update_organisation(**body))


@api.get("/members", access="admin", scope="members:read", out=schemas.MemberSchema, many=True)
def members() -> list[dict[str, Any]]:
    """Everyone in the organisation, owners first."""
    return [
        {"person_id": m.person_id, "name": m.name, "email": m.email, "role": m.role, "since": m.since}
        for m in service.members()
    ]


@api.patch("/members/<uuid:person_id>", access="admin", scope="members:write", into=schemas.RoleSchema)
def change_role(body: dict[str, Any], person_id: UUID) -> None:
    """Give a member another role: none above the key's own, and never taking the last owner."""
    service.change_role(person_id, body["role"])


@api.delete("/members/<uuid:person_id>", access="admin", scope="members:write")
def remove_member(person_id: UUID) -> None:
    """Take a member out, with the API keys they made."""
    service.remove_member(person_id)


@api.get("/invitations", access="admin", scope="members:read", out=schemas.InvitationSchema, many=True)
def invitations() -> list[dict[str, Any]]:
    """Invitations that wait for an answer."""
    return [_invitation(row) for row in service.open_invitations()]


@api.post(
    "/invitations",
    access="admin",
    scope="members:write",
    into=schemas.InviteSchema,
    out=schemas.InvitationSchema,
)
def invite(body: dict[str, Any]) -> dict[str, Any]:
    """Invite an address; it gets a mail with a link that works for seven days."""
    return _invitation(service.invite(body["email"], body["role"]))


@api.delete("/invitations/<uuid:invitation_id>", access="admin", scope="members:write")
def cancel_invitation(invitation_id: UUID) -> None:
    """Take an invitation back."""
    service.cancel_invitation(invitation_id)


@api.get("/api-keys", access="admin", scope="keys:read", out=schemas.KeySchema, many=True)
def keys() -> list[dict[str, Any]]:
    """The organisation's keys that work."""
    return [_key(row) for row in service.api_keys()]


@api.post(
    "/api-keys", access="admin", scope="keys:write", into=schemas.NewKeySchema, out=schemas.MadeKeySchema
)
def create_key(body: dict[str, Any]) -> dict[str, Any]:
    """Make a key. Its secret is in this answer and never again."""
    made = service.create_api_key(
        body["name"], role=body["role"], scopes=body["scopes"], expires_at=body["expires_at"]
    )
    shown = _key(made.row)
    g.replay_body = encode(shown | {"secret": None})  # what is kept for a repeated request holds no secret
    return shown | {"secret": made.secret}


@api.delete("/api-keys/<uuid:key_id>", access="admin", scope="keys:write")
def revoke_key(key_id: UUID) -> None:
    """End a key at once."""
    service.revoke_api_key(key_id)


def _organisation(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "name", "slug", "kind", "status", "zone")}


def _invitation(row: Invitation) -> dict[str, Any]:
    return {"id": row.id, "email": row.email, "role": row.role, "expires_at": row.expires_at}


def _key(row: ApiKey) -> dict[str, Any]:
    names = ("id", "name", "prefix", "role", "scopes", "created_at", "last_used_at", "expires_at")
    return {name: getattr(row, name) for name in names}
