"""The operations on sites, as lists of steps. Each step finds its record anew, so a list may be run by another process.

- `steps_create`: fetch_runtime, allocate_port, make_folder, install, start, verify (static: no fetch, no install)
- `steps_start`: start, verify; `steps_stop`: stop; `steps_restart`: stop, start, verify
- `steps_delete`: stop, remove_folder, release_port
"""

from __future__ import annotations

import html
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from . import health, ports, processes, wordpress
from .fetch import FILES, Runtime, fetch, present
from .records import Node, SiteRecord, forget, load, must_load, save
from .types import N_, Kind, Report, RunnerError, SiteSpec, Step, silent
from .users import give

_STATIC_MEMORY = 512 * 1024**2  # private bytes; threads reserve 8 MB of stack each


def steps_create(node: Node, spec: SiteSpec) -> list[Step]:
    """Make the site and show it. Undone from last to first, the steps leave nothing of it."""
    wordpress_only = [
        Step("install", N_("Install WordPress"), partial(_installed, node, spec.name), partial(_install, node, spec),
             partial(_uninstall, node, spec.name), 15),
    ]  # fmt: skip
    fetch_first = [
        Step("fetch_runtime", N_("Get WordPress (first time only)"), lambda: present(node.runtime) is not None,
             partial(_fetch, node), _nothing, 60),
    ]  # fmt: skip
    is_wordpress = spec.kind == Kind.WORDPRESS
    return [
        *(fetch_first if is_wordpress else []),
        Step("allocate_port", N_("Choose an address"), lambda: load(node, spec.name) is not None,
             partial(_allocate, node, spec), partial(forget, node, spec.name), 1),
        Step("make_folder", N_("Copy the files"), partial(_has_folder, node, spec.name),
             partial(_make_folder, node, spec), partial(_remove_folder, node, spec.name), 3),
        *(wordpress_only if is_wordpress else []),
        _start_step(node, spec.name),
        _verify_step(node, spec.name, spec.title),
    ]  # fmt: skip


def steps_start(node: Node, name: str) -> list[Step]:
    """Start the site and see it."""
    return [_start_step(node, name), _verify_step(node, name, None)]


def steps_stop(node: Node, name: str) -> list[Step]:
    """Stop the site; its files stay."""
    return [_stop_step(node, name, undo=partial(_start, node, name, silent))]


def steps_restart(node: Node, name: str) -> list[Step]:
    """Stop and start. A resumed restart may stop once more than needed, never once less."""
    return [_stop_step(node, name, undo=_nothing), *steps_start(node, name)]


def steps_delete(node: Node, name: str) -> list[Step]:
    """Remove process, folder, log and at last the record. There is no way back: `undo` does nothing."""
    return [
        _stop_step(node, name, undo=_nothing),
        Step("remove_folder", N_("Remove the files"), lambda: not node.site(name).exists(),
             lambda report: _remove_folder(node, name), _nothing, 2),
        Step("release_port", N_("Release the address"), lambda: load(node, name) is None,
             lambda report: forget(node, name), _nothing, 1),
    ]  # fmt: skip


def admin_link(node: Node, name: str, seconds: int = 60) -> str:
    """A one-time address that logs its first visitor in as the WordPress administrator. RunnerError for other kinds."""
    record = must_load(node, name)
    if record.kind != Kind.WORDPRESS:
        raise RunnerError(f"{name} has no administration.", fix="Edit its files instead.")
    return wordpress.login_link(record, seconds)


def _start_step(node: Node, name: str) -> Step:
    return Step("start", N_("Start the site"), partial(_running, node, name), partial(_start, node, name),
                partial(_stop, node, name), 2)  # fmt: skip


def _stop_step(node: Node, name: str, undo: Callable[[], None]) -> Step:
    return Step("stop", N_("Stop the site"), lambda: not processes.living(node, name),
                lambda report: _stop(node, name), undo, 2)  # fmt: skip


def _verify_step(node: Node, name: str, title: str | None) -> Step:
    apply = partial(_verify, node, name, title)
    return Step("verify", N_("See the site's own page"), lambda: False, apply, _nothing, 8)


def _nothing() -> None:
    """Undo of a step that leaves nothing behind, or nothing that may be taken back."""


def _fetch(node: Node, report: Report) -> None:
    fetch(node.runtime, report)


def _allocate(node: Node, spec: SiteSpec, report: Report) -> None:
    node.prepare()
    ports.allocate(node, spec)


def _has_folder(node: Node, name: str) -> bool:
    return (node.site(name) / "private/made").exists()


def _make_folder(node: Node, spec: SiteSpec, report: Report) -> None:
    """`made` is written last: a folder without it is made again from nothing."""
    record = must_load(node, spec.name)
    site = node.site(spec.name)
    shutil.rmtree(site, ignore_errors=True)
    modes = {site: 0o710, site / "private": 0o750, site / "log": 0o750, site / "tmp": 0o700}
    for folder, mode in modes.items():
        folder.mkdir()
        if record.uid:
            shutil.chown(folder, 0, record.uid)  # ours; the site's user gets in by its group
        folder.chmod(mode)
    give(site / "tmp", record.uid)
    if record.kind == Kind.WORDPRESS:
        wordpress.make_files(node, record, _runtime(node))
    else:
        _make_pages(site / "public", record)
    wordpress.write_private(node, record, "made", "")


def _make_pages(public: Path, record: SiteRecord) -> None:
    public.mkdir()
    title = html.escape(record.title)
    (public / "index.html").write_text(
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<h1>{title}</h1>\n</html>\n'
    )
    give(public, record.uid)
    public.chmod(0o750)


def _remove_folder(node: Node, name: str) -> None:
    if node.site(name).exists():
        shutil.rmtree(node.site(name))


def _installed(node: Node, name: str) -> bool:
    record = load(node, name)
    return record is not None and record.installed


def _install(node: Node, spec: SiteSpec, report: Report) -> None:
    record = must_load(node, spec.name)
    _place_private_files(node, record)
    wordpress.install(node, record, spec, _runtime(node))
    save(node, replace(record, installed=True))


def _uninstall(node: Node, name: str) -> None:
    if record := load(node, name):
        record = processes.stop(node, record)
        shutil.rmtree(node.site(name) / "public/wp-content/database", ignore_errors=True)
        save(node, replace(record, installed=False))


def _running(node: Node, name: str) -> bool:
    record = load(node, name)
    return record is not None and processes.is_running(record)


def _start(node: Node, name: str, report: Report) -> None:
    record = must_load(node, name)
    if not _has_folder(node, name):
        raise RunnerError(f"The files of {name} are missing.", fix="Restore a backup, or delete the site.")
    if not processes.living(node, name) and not ports.is_free(record.port):
        raise RunnerError(
            f"Port {record.port} of {name} is in use by another program.",
            fix="End that program, then start the site again.",
        )
    _place_private_files(node, record)
    if record.kind == Kind.WORDPRESS:
        command = wordpress.serve_command(node, record, _runtime(node))
        processes.start(node, record, command, wordpress.environment(node, record), wordpress.MEMORY)
    else:
        processes.start(
            node, record, _static_command(node, record), _plain_environment(node, record), _STATIC_MEMORY
        )


def _static_command(node: Node, record: SiteRecord) -> list[str]:
    site = node.site(record.name)
    return [
        sys.executable, "-I", "-B", str(Path(__file__).with_name("static.py")), "--folder", str(site / "public"),
        "--marker-file", str(site / "private/marker"), "--host", record.host, "--port", str(record.port),
        "--uid", str(record.uid), "--log-bytes", str(processes.LOG_BYTES),
    ]  # fmt: skip


def _plain_environment(node: Node, record: SiteRecord) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(node.site(record.name) / "tmp"), "LANG": "C.UTF-8"}


def _place_private_files(node: Node, record: SiteRecord) -> None:
    """What the site reads of us, written anew at each start so that a newer CHOM brings its newer files."""
    texts = {"marker": record.marker}
    if record.kind == Kind.WORDPRESS:
        texts |= {"secret": record.secret, "admin_user": record.admin_user}
        texts |= {name: (FILES / name).read_text() for name in ("guard.cjs", "chom-site.php")}
    for name, text in texts.items():
        wordpress.write_private(node, record, name, text)


def _stop(node: Node, name: str) -> None:
    if record := load(node, name):
        processes.stop(node, record)


def _verify(node: Node, name: str, title: str | None, report: Report) -> None:
    record = must_load(node, name)
    health.wait(
        record, title, lambda: processes.is_running(record), lambda: processes.log_tail(node, name), report
    )  # fmt: skip


def _runtime(node: Node) -> Runtime:
    return present(node.runtime) or fetch(node.runtime)
