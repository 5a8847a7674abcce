"""What a web process loads at boot, and what only those who need it load (DESIGN §3.1)."""

from __future__ import annotations

import os
import subprocess
import sys

#: Heavy, and needed by a worker, a command or a rare request alone: a web process that serves pages has none of them.
LATE = (
    "alembic", "apispec", "argon2", "asyncssh", "colorama", "copier", "cryptography", "flask_smorest", "mrml",
    "networkx", "packaging", "pygments", "redis", "rich", "rq", "sklearn", "smtplib", "stripe", "typst",
    "webargs", "yaml",
)  # fmt: skip

_BOOT = """
import base64, sys
from chom_core import config, app
from chom_core.plugin_host import lifecycle
lifecycle.installed_heads = dict  # no database here, so no plugin is installed
made = app.create_app(config.from_environment({
    "CHOM_DATABASE_URL": "postgresql+psycopg://nobody@/nowhere", "CHOM_REDIS_URL": "redis://localhost/0",
    "CHOM_SECRET_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(), "CHOM_PUBLIC_URL": "http://localhost",
}))
assert made.test_client().get("/healthz").status_code == 200
print("loaded", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded() -> set[str]:
    """The top-level packages of a process that has booted the web application."""
    done = subprocess.run(
        [sys.executable, "-c", _BOOT], env={**os.environ}, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_web_process_leaves_heavy_libraries_for_later() -> None:
    names = loaded()
    assert {"flask", "sqlalchemy", "structlog"} <= names, "the list of modules is not one"
    assert sorted(names & set(LATE)) == []
