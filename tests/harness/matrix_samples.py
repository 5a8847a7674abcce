"""Which plugins are walked, and one of everything of each: what its own contract gives as its sample."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from chom_core.plugin_host import registry
from chom_sdk.testing import Organisation
from tests.plugins.loading import on_path

PLUGINS = Path(__file__).parents[2] / "plugins"


def of_each() -> tuple[str, ...]:
    """Installed plugins that each organisation switches for itself; one of platform level has one switch."""
    return tuple(name for name, found in registry.loaded.items() if found.plugin.level != "platform")


def fill(plugin: str, organisation: Organisation, canary: str) -> Mapping[str, Any]:
    """The plugin's sample in `organisation`, with the canary as its text; what fills the arguments of its routes."""
    contract = _contract(plugin)
    return contract.sample(organisation, canary) if contract and contract.sample else {}


@lru_cache
def _contract(plugin: str) -> Any:
    tests = PLUGINS / plugin / "tests"
    spec = spec_from_file_location(f"{plugin}_contract", tests / "test_contract.py")
    if not (tests / "test_contract.py").exists() or spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    with on_path(tests):
        spec.loader.exec_module(module)
    return module.TestContract
