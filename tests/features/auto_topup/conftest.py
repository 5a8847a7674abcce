"""Northlight, with auto top-up on and a card that pays."""

from __future__ import annotations

import pytest

from chom_sdk.testing import Organisation


@pytest.fixture
def northlight(organisation: Organisation) -> Organisation:
    organisation.enable("sandbox_gateway")
    organisation.enable("auto_topup")
    organisation.card()
    return organisation
