"""Fixtures for authors: `chom` (a CHOM of its own for each test), organisations with clients, a clock, an SSH host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chom_sdk.testing.server import Server
    from chom_sdk.testing.ssh import SSHHost
    from chom_sdk.testing.world import Organisation, World


@pytest.fixture(scope="session")
def chom_server() -> Iterator[Server]:
    """A Postgres with a template in which every plugin that is here is installed."""
    from chom_core.embedded.postgres import Postgres
    from chom_sdk.testing.server import Server

    with Postgres(in_memory=True) as postgres:
        yield Server(postgres)


@pytest.fixture
def chom(chom_server: Server) -> Iterator[World]:
    """A CHOM on a fresh database: `chom.app`, `chom.organisation("Northlight")`, `chom.run_jobs()`."""
    from chom_sdk.testing.world import World

    with chom_server.database() as name:
        yield World(chom_server, name)


@pytest.fixture
def organisation(chom: World) -> Organisation:
    """An organisation with a person of every role."""
    return chom.organisation("Northlight")


@pytest.fixture
def other_organisation(chom: World) -> Organisation:
    """Another one, which must never see the first."""
    return chom.organisation("Pinecrest")


@pytest.fixture
def ssh_host() -> Iterator[SSHHost]:
    """A host to reach by SSH, in this process."""
    from chom_sdk.testing.ssh import ssh_host as running

    with running() as host:
        yield host
