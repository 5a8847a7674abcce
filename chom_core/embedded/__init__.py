"""Postgres and Valkey from wheels, as children of this process: what the demo and the tests stand on."""

from __future__ import annotations

from chom_core.embedded.postgres import Postgres
from chom_core.embedded.process import Process, stop_all
from chom_core.embedded.valkey import Valkey

__all__ = ["Postgres", "Process", "Valkey", "stop_all"]
