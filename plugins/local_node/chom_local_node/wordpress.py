"""WordPress on Playground: its files, its installation, its command line, its login link."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path

from .fetch import FILES, Runtime
from .nodejs import find_node
from .processes import LOG_BYTES, TAG, log_tail, open_log, stop, tag
from .records import Node, SiteRecord, write_atomic
from .types import RunnerError, SiteSpec
from .users import give

MEMORY = 3 * 1024**3  # private bytes; V8 and PHP reserve about 1.7 GB of which some 450 MB are used
INSTALL_SECONDS = 300
PHP = "8.3"  # the one that package.json leaves in


def make_files(node: Node, record: SiteRecord, runtime: Runtime) -> None:
    """Copy the core into the site's folder, with keys of its own, and hand it to the site's user."""
    public = node.site(record.name) / "public"
    shutil.rmtree(public, ignore_errors=True)
    shutil.copytree(runtime.template, public, symlinks=True)
    config = (public / "wp-config.php").read_text()
    while "put your unique phrase here" in config:
        config = config.replace("put your unique phrase here", secrets.token_urlsafe(48), 1)
    (public / "wp-config.php").write_text(config)
    give(public, record.uid)
    public.chmod(0o750)


def install(node: Node, record: SiteRecord, spec: SiteSpec, runtime: Runtime) -> None:
    """Make the database, title and administrator, in a process that ends. Starts from nothing when repeated."""
    site = node.site(record.name)
    stop(node, record)  # an installation that was cut off may still be at work
    shutil.rmtree(site / "public/wp-content/database", ignore_errors=True)
    done = site / "tmp/done"
    shutil.rmtree(done, ignore_errors=True)
    done.mkdir()
    give(done, record.uid)
    wanted = {name: getattr(spec, name) for name in ("title", "admin_user", "admin_email", "admin_password")}
    write_private(node, record, "install.json", json.dumps(wanted))
    write_private(node, record, "install.php", (FILES / "install.php").read_text())
    blueprint = site / "private/blueprint.json"
    code = "<?php require '/chom/install.php';"
    write_private(node, record, blueprint.name, json.dumps(_blueprint(code)))
    try:
        _run_blueprint(node, record, runtime, blueprint, done)
    finally:
        for name in ("install.json", "install.php", "blueprint.json"):
            (site / "private" / name).unlink(missing_ok=True)
    proof = done / "installed"
    if proof.is_symlink() or not proof.exists() or proof.read_text() != record.marker:
        raise RunnerError(
            f"WordPress did not accept the settings of {record.name}. {log_tail(node, record.name)}",
            fix="Try again; if it stays so, look at the site's log.",
        )
    shutil.rmtree(done)


def _blueprint(code: str) -> dict[str, object]:
    """A blueprint's versions go before the command line's: without them it would ask for a PHP we left out."""
    return {"preferredVersions": {"php": PHP, "wp": "latest"}, "steps": [{"step": "runPHP", "code": code}]}


def _run_blueprint(node: Node, record: SiteRecord, runtime: Runtime, blueprint: Path, done: Path) -> None:
    command = _command(node, record, runtime, "run-blueprint", "install-from-existing-files")
    command += ["--blueprint", str(blueprint), "--mount-dir-before-install", str(done), "/chom-done"]
    log = open_log(node, record)
    try:
        process = subprocess.Popen(
            command, cwd=node.site(record.name) / "tmp", stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=0o027,
            env={**environment(node, record), TAG: tag(node, record.name)}, start_new_session=True,
        )  # fmt: skip
    finally:
        os.close(log)
    try:
        if process.wait(INSTALL_SECONDS) == 0:
            return
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    raise RunnerError(
        f"Installing WordPress for {record.name} failed. {log_tail(node, record.name)}",
        fix="Try again; if it stays so, look at the site's log.",
    )


def serve_command(node: Node, record: SiteRecord, runtime: Runtime) -> list[str]:
    """The command that serves the installed site."""
    command = _command(node, record, runtime, "server", "do-not-attempt-installing")
    return [*command, "--port", str(record.port), "--workers", "1"]


def _command(node: Node, record: SiteRecord, runtime: Runtime, verb: str, mode: str) -> list[str]:
    nodejs, site = find_node(), node.site(record.name)
    debug = ("WP_DEBUG", "WP_DEBUG_LOG", "WP_DEBUG_DISPLAY")  # on by default, with a log in a public place
    quiet = [word for name in debug for word in ("--define-bool", name, "false")]
    return [
        nodejs.executable, *nodejs.flags, "--require", str(site / "private/guard.cjs"), str(runtime.cli), verb,
        "--php", PHP, "--site-url", record.url, "--wordpress-install-mode", mode,
        "--mount-dir-before-install", str(site / "public"), "/wordpress",
        "--mount-dir-before-install", str(site / "private"), "/chom", *quiet,
    ]  # fmt: skip


def environment(node: Node, record: SiteRecord) -> dict[str, str]:
    """All that the process gets to know: nothing of ours is inherited."""
    site = node.site(record.name)
    return {
        "PATH": "/usr/bin:/bin", "HOME": str(site / "tmp"), "TMPDIR": str(site / "tmp"), "LANG": "C.UTF-8",
        "CHOM_SITE_HOST": record.host, "CHOM_SITE_UID": str(record.uid), "CHOM_SITE_PUBLIC": str(site / "public"),
        "CHOM_SITE_PRIVATE": str(site / "private"), "CHOM_SITE_LOG": str(site / "log/site.log"),
        "CHOM_SITE_LOG_BYTES": str(LOG_BYTES),
    }  # fmt: skip


def write_private(node: Node, record: SiteRecord, name: str, text: str) -> None:
    """A file that the site may read and not write."""
    path = node.site(record.name) / "private" / name
    write_atomic(path, text, 0o640)
    if record.uid:
        os.chown(path, 0, record.uid)


def login_link(record: SiteRecord, seconds: int = 60) -> str:
    """An address that logs its first visitor in as the administrator, for `seconds` from now. Keep it out of logs."""
    expires, nonce = int(time.time()) + seconds, secrets.token_hex(16)
    words = f"login|{expires}|{nonce}"
    signature = hmac.new(record.secret.encode(), words.encode(), hashlib.sha256).hexdigest()
    return f"{record.url}/?chom_login={expires}.{nonce}.{signature}"
