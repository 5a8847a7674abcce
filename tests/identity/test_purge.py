"""The nightly tidying takes what is void, and nothing that is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from chom_core.database import clock, session, transaction
from chom_core.identity import jobs, service
from chom_core.identity.models import EmailToken, LoginAttempt, LoginSession
from chom_core.values import Role, Unauthenticated
from tests.identity.conftest import PASSWORD, World


def counts() -> list[int]:
    with transaction():
        models = (LoginAttempt, EmailToken, LoginSession)
        return [session().scalar(select(func.count()).select_from(model)) or 0 for model in models]


def test_purge(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.acting(Role.OWNER):
        service.invite("kim@example.com", "viewer")
    with transaction():
        service.forgot_password("owner@example.com")
        service.log_in("owner@example.com", PASSWORD)
    with transaction(), pytest.raises(Unauthenticated):
        service.log_in("nobody@example.com", "x", address="192.0.2.7")
    before = counts()
    with transaction():
        jobs.purge(None)  # type: ignore[arg-type]
    assert counts() == before
    late = clock.machine() + timedelta(days=150)
    monkeypatch.setattr(clock, "machine", lambda: late)
    with transaction():
        jobs.purge(None)  # type: ignore[arg-type]
    assert counts() == [0, 1, 0]  # the invitation still names its link
