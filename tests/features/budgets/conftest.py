"""Northlight, with budgets and projects on."""

from __future__ import annotations

import pytest

from chom_sdk.testing import Organisation


@pytest.fixture
def northlight(organisation: Organisation) -> Organisation:
    for plugin in ("sandbox_gateway", "projects", "budgets"):
        organisation.enable(plugin)
    return organisation
