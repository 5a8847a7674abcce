"""Northlight, with usage on and a hosting plan paid by card."""

from __future__ import annotations

import pytest

from chom_sdk.testing import Organisation


@pytest.fixture
def northlight(organisation: Organisation) -> Organisation:
    for plugin in ("sandbox_gateway", "usage_billing"):
        organisation.enable(plugin)
    return organisation
