"""Law 1: what is found is loaded in the order of dependencies; what cannot be is named with its reason."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chom_core.hookspecs import hookimpl, marker
from chom_core.plugin_host import lifecycle
from chom_core.plugin_host.registry import Registry
from chom_core.work.handlers import KINDS
from tests.plugins.loading import on_path
from tests.plugins.made import broken, hook, make

TAX = "from decimal import Decimal\n" + hook("billing_tax", "return None")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with on_path(tmp_path):
        yield tmp_path


def test_what_is_required_or_used_comes_first(folder: Path) -> None:
    found = Registry()
    made = [
        make(folder, "aa", "requires=('zz',)", hooks=TAX),
        make(folder, "mm", "uses=('zz', 'absent')", hooks=TAX),
        make(folder, "zz", hooks=TAX),
    ]
    found.add(made, "web")
    assert list(found.loaded) == ["zz", "aa", "mm"]
    assert [i.plugin for i in found.implementations["billing_tax"]] == ["zz", "aa", "mm"]


def test_a_cycle_takes_out_its_members_and_who_needs_them(folder: Path) -> None:
    found = Registry()
    made = [
        make(folder, "aa", "requires=('bb',)"),
        make(folder, "bb", "uses=('aa',)"),
        make(folder, "cc", "requires=('aa',)"),
        make(folder, "dd"),
    ]
    found.add(made, "web")
    assert list(found.loaded) == ["dd"]
    assert "depends on itself" in found.skipped["aa"].why
    assert "depends on itself" in found.skipped["bb"].why
    assert found.skipped["cc"].why == "it needs aa, which did not load"


@pytest.mark.parametrize(
    ("name", "manifest", "rooms", "why"),
    [
        (
            "wraps",
            "",
            {"hooks": hook("slot_home", "return (yield)", "@hookimpl(wrapper=True)", "slot")},
            "wraps",
        ),
        (
            "oldwrap",
            "",
            {"hooks": hook("slot_home", "yield", "@hookimpl(hookwrapper=True)", "slot")},
            "wraps",
        ),
        ("unknown", "", {"hooks": hook("billing_taxx", "return None")}, "no such hook"),
        ("newer", "requires_sdk='>=7'", {}, "it wants chom_sdk >=7"),
        ("crash", "", {"hooks": "1 / 0"}, "ZeroDivisionError"),
        ("needy", "requires=('absent',)", {}, "it needs absent"),
        ("foreign", "events={'a.b': 'billing.collect'}", {}, "its own jobs only"),
        ("Wrong-Name", "", {}, "no plugin name"),
        ("extra", "", {"hooks": hook("billing_tax", "return None", argument="query, more")}, "more"),
    ],
)
def test_what_cannot_be_loaded_is_skipped_with_its_reason(
    folder: Path, name: str, manifest: str, rooms: dict[str, str], why: str
) -> None:
    found = Registry()
    found.add([make(folder, name, manifest, **rooms), make(folder, "fine", hooks=TAX)], "web")
    assert list(found.loaded) == ["fine"], found.skipped
    assert why in found.skipped[name].why
    assert all(item.plugin == "fine" for row in found.implementations.values() for item in row)


def test_a_package_that_cannot_be_imported_does_not_stop_the_others(folder: Path) -> None:
    found = Registry()
    found.add([("ghost", "2.0", broken), make(folder, "fine")], "web")
    assert list(found.loaded) == ["fine"]
    assert found.skipped["ghost"].why == "ImportError: no module named heavy"
    assert found.skipped["ghost"].version == "2.0"


def test_a_manifest_that_bears_another_name_is_refused(folder: Path) -> None:
    found = Registry()
    _name, version, load = make(folder, "honest")
    found.add([("liar", version, load)], "web")
    assert "calls itself honest" in found.skipped["liar"].why


def test_jobs_of_a_plugin_that_fails_later_are_forgotten(folder: Path) -> None:
    found = Registry()
    jobs = "from chom_sdk.work import job\n@job('half.work')\ndef work(current):\n    pass\n"
    found.add([make(folder, "half", jobs=jobs, pages="raise RuntimeError('too late')")], "all")
    assert "too late" in found.skipped["half"].why
    assert "half.work" not in KINDS


def test_a_schema_that_is_behind_its_code_is_left_out(folder: Path) -> None:
    made = make(
        folder, "behind", models="from chom_sdk import plugin_models\nBase = plugin_models('behind')\n"
    )
    migrations = folder / "made_behind" / "migrations"
    migrations.mkdir()
    (migrations / "0001.py").write_text('revision = "0001"\ndown_revision = None\n')
    (migrations / "0002.py").write_text('revision: str = "0002"\ndown_revision: str | None = "0001"\n')
    for installed, why in (
        ({"behind": "0001"}, "its schema is at 0001, its code at 0002"),
        ({}, "not installed"),
    ):
        found = Registry()
        found.add([made], "web", lambda loaded, installed=installed: lifecycle.unfit(installed, loaded))  # type: ignore[misc]
        assert why in found.skipped["behind"].why
    found = Registry()
    found.add([made], "web", lambda loaded: lifecycle.unfit({"behind": "0002"}, loaded))
    assert list(found.loaded) == ["behind"]


def test_a_plugin_that_nobody_installed_is_not_even_imported(folder: Path) -> None:
    found = Registry()
    made = [make(folder, "here"), make(folder, "alien")]
    found.add(made, "web", absent=lambda name: lifecycle.absent({"here"}, name))
    assert list(found.loaded) == ["here"]
    assert "chom plugin install alien" in found.skipped["alien"].why
    assert "made_alien" not in sys.modules


def test_two_heads_are_an_error_of_that_plugin(folder: Path) -> None:
    made = make(folder, "heads")
    migrations = folder / "made_heads" / "migrations"
    migrations.mkdir()
    for name in ("a", "b"):
        (migrations / f"{name}.py").write_text(f'revision = "{name}"\ndown_revision = None\n')
    found = Registry()
    found.add([made], "web", lambda loaded: lifecycle.unfit({"heads": "a"}, loaded))
    assert "2 heads" in found.skipped["heads"].why


def test_a_process_loads_the_rooms_of_its_role(folder: Path) -> None:
    rooms = dict.fromkeys(("hooks", "models", "jobs", "api", "pages"), "")
    web, worker = Registry(), Registry()
    web.add([make(folder, "roomy", **rooms)], "web")
    assert set(web.loaded["roomy"].rooms) == {"hooks", "models", "api", "pages"}
    worker.add([("roomy", "1.0", lambda: __import__("made_roomy"))], "worker")
    assert set(worker.loaded["roomy"].rooms) == {"hooks", "models", "jobs"}


def test_a_hook_must_be_typed_documented_and_take_one_frozen_dataclass() -> None:
    from tests.plugins import wrong_hooks

    for function, words in wrong_hooks.WRONG:
        with pytest.raises(TypeError, match=words):
            marker.hook()(function)
    assert hookimpl


#: Each costs tens of megabytes or a second of boot; they are imported inside the functions that use them.
HEAVY = (
    "sklearn", "numpy", "scipy", "networkx", "typst", "mrml", "asyncssh", "rq", "stripe", "authlib", "webauthn",
    "acme", "pandas", "playwright", "mcstatus", "opengsq", "copier", "alembic", "pytest",
)  # fmt: skip


def test_heavy_libraries_stay_out_of_a_web_process() -> None:
    """In a process of its own, with every room a web process loads and the app's modules."""
    code = f"""
import sys
from chom_core.app import DOMAINS, room
from chom_core.plugin_host import registry
registry.discover("web")
for domain in DOMAINS:
    for name in ("models", "jobs", "api", "pages"):
        room(domain, name)
assert registry.loaded, registry.skipped
print(",".join(sorted(set({HEAVY!r}) & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == ""
