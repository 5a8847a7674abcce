"""A CHOM with the good and the bad plugin installed beside the real ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chom_core.embedded.postgres import Postgres
from chom_sdk.testing import Organisation, World
from chom_sdk.testing.server import Server
from tests.plugins.loading import BAD, GOOD, tests_plugins


@pytest.fixture(scope="package")
def chom_server() -> Iterator[Server]:
    with tests_plugins(), Postgres(in_memory=True) as postgres:
        yield Server(postgres, [GOOD, BAD])


@pytest.fixture
def chom(chom_server: Server) -> Iterator[World]:
    from chom_bad import behaviour

    from chom_core.plugin_host import breaker

    behaviour.way, behaviour.victim = "", None
    behaviour.seen.clear()
    breaker._recent.clear()
    with chom_server.database() as name:
        yield World(chom_server, name)
    behaviour.way = ""


@pytest.fixture
def northlight(organisation: Organisation) -> Organisation:
    organisation.enable("good")
    return organisation
