"""Organisations and who is in them: the lattice of roles, the last owner, invitations, keys."""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from chom_core.audit import AuditEntry
from chom_core.database import Tenant, clock, session, transaction
from chom_core.identity import service
from chom_core.identity.models import ApiKey, Invitation, LoginSession
from chom_core.identity.roles import RIGHTS, covers, grantable, may_manage
from chom_core.values import ChomError, Conflict, Invalid, NotFound, Principal, Refused, Role, uuid7
from tests.identity.conftest import PASSWORD, Mailbox, World, person

ROLES = st.sampled_from(list(Role))


@given(ROLES, ROLES, ROLES)
def test_the_order_of_roles_is_an_order(a: Role, b: Role, c: Role) -> None:
    assert covers(a, a)
    assert covers(Role.OWNER, a)
    assert covers(a, Role.VIEWER)
    assert not (covers(a, b) and covers(b, c)) or covers(a, c)
    assert not (covers(a, b) and covers(b, a)) or a is b
    assert covers(a, b) == (RIGHTS[a] >= RIGHTS[b])


@given(ROLES)
def test_nobody_can_give_more_than_they_have(role: Role) -> None:
    assert all(RIGHTS[given] <= RIGHTS[role] for given in grantable(role))
    assert bool(grantable(role)) == may_manage(role) == (role in (Role.OWNER, Role.ADMIN))
    assert grantable(None) == ()


def test_every_actor_target_and_new_role(world: World) -> None:
    """The whole table against the rule, each try rolled back."""
    second = person("second@example.com")
    for actor, old, new in itertools.product(Role, Role, Role):
        allowed = may_manage(actor) and covers(actor, old) and covers(actor, new)
        outcome: ChomError | None = None
        with suppress(ZeroDivisionError), transaction(world.tenant_id) as work:
            service.add_member(second, old)
            work.expire_all()
            from chom_core.database import current

            current().principal = world.principal(actor)
            try:
                service.change_role(second, new.value)
            except ChomError as error:
                outcome = error
            raise ZeroDivisionError
        assert (outcome is None) == allowed, (actor, old, new, outcome)
        assert outcome is None or (isinstance(outcome, Refused) and outcome.fix)


def test_the_last_owner_stays(world: World) -> None:
    owner = world.people[Role.OWNER]
    for attempt in (
        service.leave,
        lambda: service.remove_member(owner),
        lambda: service.change_role(owner, "viewer"),
    ):
        with pytest.raises(Conflict, match="last"), world.acting(Role.OWNER):
            attempt()
    with world.acting(Role.OWNER):
        service.change_role(world.people[Role.ADMIN], Role.OWNER)
        service.leave()
    assert owner not in world.roles()


def test_two_owners_who_leave_at_once_do_not_both_leave(world: World) -> None:
    with world.acting(Role.OWNER):
        service.change_role(world.people[Role.ADMIN], Role.OWNER)
    barrier, refused = threading.Barrier(2), []

    def go(role: Role) -> None:
        who = Principal("person", world.people[role], world.tenant_id, Role.OWNER)
        try:
            with transaction(world.tenant_id, who):
                session().execute(select(1))
                barrier.wait()
                service.leave()
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=go, args=(role,)) for role in (Role.OWNER, Role.ADMIN)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(refused) == 1
    assert list(world.roles().values()).count("owner") == 1


def test_a_role_lost_since_the_request_began_counts_for_nothing(world: World) -> None:
    with world.acting(Role.OWNER):
        service.change_role(world.people[Role.ADMIN], Role.VIEWER)
    with pytest.raises(Refused), world.acting(Role.ADMIN):  # the principal still says admin
        service.change_role(world.people[Role.MEMBER], Role.ADMIN)
    with pytest.raises(Refused), world.acting(Role.ADMIN):
        service.create_api_key("late", role=Role.VIEWER)


def test_members_of_another_organisation_are_not_found(world: World) -> None:
    stranger = person("stranger@example.com")
    with transaction():
        other = service.create_organisation("Pinecrest", owner=stranger).id
    for verb in (lambda: service.remove_member(stranger), lambda: service.change_role(stranger, "viewer")):
        with pytest.raises(NotFound), world.acting(Role.OWNER):
            verb()
    with world.acting(Role.OWNER):
        invitation = service.invite("kim@example.com", "viewer").id
        key = service.create_api_key("ci", role="viewer").row.id
    theirs = Principal("person", stranger, other, Role.OWNER)
    for act in (
        lambda: service.cancel_invitation(invitation),
        lambda: service.resend_invitation(invitation),
        lambda: service.revoke_api_key(key),
    ):
        with pytest.raises(NotFound), transaction(other, theirs):
            act()


def test_removal_ends_what_the_person_could_do(world: World) -> None:
    admin = world.people[Role.ADMIN]
    with transaction():
        made = service.log_in("admin@example.com", PASSWORD)
    assert made.tenant_id == world.tenant_id
    with world.acting(Role.ADMIN):
        key = service.create_api_key("ci", role="viewer").row.id
    with world.acting(Role.OWNER):
        service.remove_member(admin)
    with transaction() as work:
        assert work.get_one(ApiKey, key).revoked_at is not None
        assert work.get_one(LoginSession, made.session_id).tenant_id is None


def test_inviting_a_newcomer(world: World, mailbox: Mailbox) -> None:
    with world.acting(Role.ADMIN):
        service.invite("kim@example.com", "member")
    mail = mailbox.last("invite")
    assert (mail.context["inviter"], mail.tenant_id) == ("Admin", world.tenant_id)
    token = mailbox.token("invite")
    with transaction():
        offer = service.invitation_of(token)
        assert (offer.organisation, offer.role, offer.known) == ("Northlight Studio", Role.MEMBER, False)
        kim = service.accept_as_newcomer(token, "Kim", PASSWORD)
    assert world.roles()[kim.id] == "member"
    with pytest.raises(NotFound), transaction():
        service.accept_as_newcomer(token, "Kim", PASSWORD)
    with transaction():
        assert service.log_in("kim@example.com", PASSWORD).tenant_id == world.tenant_id
    with transaction(world.tenant_id) as work:
        entry = work.scalars(
            select(AuditEntry).where(AuditEntry.action == "member.joined").order_by(AuditEntry.id.desc())
        ).first()
        assert entry is not None
        assert entry.actor_id == kim.id


def test_an_invitation_is_for_its_address_only(world: World, mailbox: Mailbox) -> None:
    kim, eve = person("kim@example.com"), person("eve@example.com")
    with world.acting(Role.OWNER):
        service.invite("KIM@example.com", "admin")
    token = mailbox.token("invite")
    with pytest.raises(Refused, match="eve@"), transaction(principal=Principal("person", eve)):
        service.accept_invitation(token)
    with pytest.raises(Conflict), transaction():
        service.accept_as_newcomer(token, "Eve", PASSWORD)
    with transaction(principal=Principal("person", kim)):
        assert service.accept_invitation(token) == world.tenant_id
    assert world.roles()[kim] == "admin"
    assert eve not in world.roles()


def test_who_signed_up_unproved_with_an_invited_address_gains_nothing(world: World, mailbox: Mailbox) -> None:
    with transaction():
        service.sign_up("kim@example.com", "Eve", "attackers own words", "Evil")
    with world.acting(Role.OWNER):
        service.invite("kim@example.com", "admin")
    with transaction():
        service.accept_as_newcomer(mailbox.token("invite"), "Kim", PASSWORD)
    with pytest.raises(NotFound), transaction():
        service.verify_email(mailbox.token("verify"))
    with pytest.raises(ChomError), transaction():
        service.log_in("kim@example.com", "attackers own words")


def test_invitations_end(world: World, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.acting(Role.OWNER):
        service.cancel_invitation(service.invite("a@example.com", "viewer").id)
        service.invite("b@example.com", "viewer")
        again = service.invite("b@example.com", "billing")  # replaces the first
        assert [i.id for i in service.open_invitations()] == [again.id]
    tokens = [str(m.context["path"]).rsplit("/", 1)[1] for m in mailbox.sent if m.kind == "invite"]
    for dead in tokens[:2]:
        with pytest.raises(NotFound), transaction():
            service.invitation_of(dead)
    with world.acting(Role.OWNER):
        service.resend_invitation(again.id)
    with pytest.raises(NotFound), transaction():
        service.invitation_of(tokens[2])
    last = mailbox.token("invite")
    with transaction():
        service.decline_invitation(last)
    with pytest.raises(NotFound), transaction():
        service.invitation_of(last)
    with world.acting(Role.OWNER):
        service.invite("c@example.com", "viewer")
    late = clock.machine() + timedelta(days=8)
    monkeypatch.setattr(clock, "machine", lambda: late)
    with pytest.raises(NotFound), transaction():
        service.accept_as_newcomer(mailbox.token("invite"), "C", PASSWORD)
    with transaction() as work:
        assert work.scalar(select(func.count()).select_from(Invitation)) == 4


def test_members_are_not_invited_again(world: World) -> None:
    with pytest.raises(Invalid), world.acting(Role.OWNER):
        service.invite("VIEWER@example.com", "admin")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER, Role.BILLING])
def test_only_managers_manage(world: World, role: Role) -> None:
    for verb in (
        lambda: service.invite("x@example.com", "viewer"),
        lambda: service.create_api_key("x", role="viewer"),
        lambda: service.update_organisation(name="Mine"),
        lambda: service.remove_member(world.people[Role.VIEWER]),
    ):
        with pytest.raises(Refused), world.acting(role):
            verb()


def test_keys(world: World) -> None:
    with world.acting(Role.ADMIN) as work:
        made = service.create_api_key("CI", role="member", scopes=["services:read", "services:read"])
        assert made.row.prefix in made.secret
        assert made.secret not in repr(made)
        assert made.row.scopes == ["services:read"]
        for entry in work.scalars(select(AuditEntry)):
            assert made.secret not in str(vars(entry))
        for wrong in (
            {"name": ""},
            {"role": "owner"},
            {"role": "root"},
            {"scopes": ["*"]},
            {"expires_at": clock.machine() - timedelta(days=1)},
        ):
            with pytest.raises((Invalid, Refused)):
                service.create_api_key(**{"name": "x", "role": "viewer"} | wrong)  # type: ignore[arg-type]
    with world.acting(Role.OWNER):
        with pytest.raises(Invalid):
            service.create_api_key("x", role="owner")
        service.revoke_api_key(made.row.id)
        with pytest.raises(NotFound):
            service.revoke_api_key(made.row.id)
        assert service.api_keys() == []


def test_a_key_gives_no_key_more_than_itself(world: World) -> None:
    key = Principal(
        "key", None, world.tenant_id, Role.ADMIN, scopes=frozenset({"keys:write"}), session_id=uuid7()
    )
    with transaction(world.tenant_id, key):
        service.create_api_key("child", role="admin", scopes=["keys:write"])
        for scopes in (["audit:read"], ["audit:read", "keys:write"], []):  # none at all would mean every one
            with pytest.raises(Refused):
                service.create_api_key("child", role="viewer", scopes=scopes)


def test_staff_administrators_act_as_owners_and_the_log_says_so(world: World, staff: Principal) -> None:
    with transaction(world.tenant_id, staff) as work:
        service.change_role(world.people[Role.VIEWER], "member")
        entry = work.scalars(select(AuditEntry).where(AuditEntry.action == "member.role_changed")).one()
        assert (entry.actor_kind, entry.actor_name, entry.before, entry.after) == (
            "staff",
            "Dana",
            {"role": "viewer"},
            {"role": "member"},
        )


def test_renaming_bumps_the_generation(world: World) -> None:
    with transaction() as work:
        before = work.get_one(Tenant, world.tenant_id).generation
    with world.acting(Role.ADMIN):
        service.update_organisation(name="Northlight Ltd", zone="Europe/Berlin")
        with pytest.raises(Invalid):
            service.update_organisation(name="\u202eevil", zone="x")
    with transaction() as work:
        row = work.get_one(Tenant, world.tenant_id)
        assert (row.name, row.zone, row.slug, row.generation) == (
            "Northlight Ltd",
            "Europe/Berlin",
            "northlight-studio",
            before + 1,
        )


def test_switching(world: World) -> None:
    mara = world.people[Role.VIEWER]
    with transaction():
        other = service.create_organisation("Pinecrest", owner=mara).id
        made = service.log_in("viewer@example.com", PASSWORD)
    who = Principal("person", mara, made.tenant_id, Role.VIEWER, session_id=made.session_id)
    with transaction(made.tenant_id, who) as work:
        assert service.switch_organisation(other) != made.token
        assert work.get_one(LoginSession, made.session_id).tenant_id == other
        with pytest.raises(NotFound):
            service.switch_organisation(uuid7())
    with transaction():
        assert service.log_in("viewer@example.com", PASSWORD).tenant_id == other  # where they worked last
        assert [o.name for o in service.organisations_of(mara)] == ["Northlight Studio", "Pinecrest"]
