"""The machine: versions of Python and Postgres's tools, time zones, settings, keys, Redis, mail."""

from __future__ import annotations

import platform
import re
import shutil
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import redis
from cryptography.fernet import Fernet

from chom_core.config import Settings
from chom_core.console.doctor.finding import Finding, fail, ok, warn
from chom_core.notifications.smtp import Server
from chom_core.values.errors import ChomError

#: The first release of each Python line without CVE-2025-4517 (tarfile's filter lets a file out of its folder).
FIXED_PYTHON = {(3, 11): 13, (3, 12): 11, (3, 13): 4}
#: (first release without it, what it is), worst first, by Postgres line: a hostile dump runs code in pg_dump or
#: pg_restore. Lines not named here are judged by OLDEST_POSTGRES alone.
FIXED_POSTGRES = {15: ((19, "CVE-2026-18408"), (20, "CVE-2026-116314"))}
OLDEST_POSTGRES = 15


def python_version() -> Iterator[Finding]:
    found = (sys.version_info.major, sys.version_info.minor)
    patch = sys.version_info.micro
    fixed = FIXED_PYTHON.get(found)
    said = platform.python_version()
    if fixed is not None and patch < fixed:
        yield warn(
            "Python",
            f"{said} has CVE-2025-4517: unpacking a hostile archive can write outside its folder",
            f"Update to {found[0]}.{found[1]}.{fixed} or later. CHOM itself never calls extractall.",
        )
    else:
        yield ok("Python", said)


def postgres_fault(number: int) -> str:
    """What is wrong with Postgres `number` (server_version_num, 150012 is 15.12); empty where nothing is known."""
    major, minor = divmod(number, 10_000)
    if major < OLDEST_POSTGRES:
        return f"{major}.{minor} is older than {OLDEST_POSTGRES}"
    open_ones = [name for fixed, name in FIXED_POSTGRES.get(major, ()) if minor < fixed]
    if open_ones:
        return f"{major}.{minor} has {', '.join(open_ones)}: dumping or restoring a hostile database runs its code"
    return ""


def postgres_tools() -> Iterator[Finding]:
    program = shutil.which("pg_dump")
    if program is None:
        yield ok("Postgres tools", "pg_dump is not here (only back-ups need it)")
        return
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    numbers = re.search(r"(\d+)\.(\d+)", answer.stdout)
    if numbers is None:
        yield warn(
            "Postgres tools", "pg_dump does not say its version", "Install the server's own client package."
        )
        return
    fault = postgres_fault(int(numbers[1]) * 10_000 + int(numbers[2]))
    if fault:
        yield warn(
            "Postgres tools", f"pg_dump {fault}", "Update the client tools, and restore only dumps you trust."
        )
    else:
        yield ok("Postgres tools", f"pg_dump {numbers[0]}")


def zones() -> Iterator[Finding]:
    try:
        ZoneInfo("Europe/Berlin")
    except (ZoneInfoNotFoundError, ValueError):
        yield fail(
            "Time zones", "no time zone data", "pip install tzdata, or the system's package of that name."
        )
        return
    try:
        yield ok("Time zones", f"tzdata {version('tzdata')}")
    except PackageNotFoundError:
        yield warn(
            "Time zones", "only the system's data is here", "pip install tzdata, and keep it up to date."
        )


def keys(settings: Settings) -> Iterator[Finding]:
    for number, key in enumerate(settings.secret_keys, 1):
        try:
            Fernet(key)
        except ValueError:
            yield fail(
                "Keys",
                f"key {number} of CHOM_SECRET_KEYS is none",
                "Make one by `chom keys new`, put it first, and keep the old ones.",
            )
            return
    count = len(settings.secret_keys)
    if count > 1:
        yield ok("Keys", f"{count} keys; the first encrypts. `chom keys rotate` lets you drop the others")
    else:
        yield ok("Keys", "1 key")


def address(settings: Settings) -> Iterator[Finding]:
    url = settings.public_url
    if url.startswith("https://") or "localhost" in url or settings.demo:
        yield ok("Address", url)
    else:
        yield warn(
            "Address", f"{url} is not https", "Set CHOM_PUBLIC_URL to the https address; cookies need it."
        )


def redis_server(settings: Settings) -> Iterator[Finding]:
    if not settings.redis_url:
        yield warn("Redis", "not configured", "Set CHOM_REDIS_URL; without it work waits for the sweeper.")
        return
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=3, socket_connect_timeout=3) as client:
            facts = client.info("server")
            yield ok(
                "Redis", f"answers ({facts.get('server_name', 'redis')} {facts.get('redis_version', '?')})"
            )
    except (redis.RedisError, OSError, ValueError) as error:
        yield fail(
            "Redis",
            f"does not answer ({type(error).__name__})",
            "Start it, or mend CHOM_REDIS_URL. Nothing is lost meanwhile; work is slower.",
        )


def mail(settings: Settings) -> Iterator[Finding]:
    """A handshake as far as a log-in; no mail is sent."""
    try:
        server = Server.parse(settings.smtp_url)
    except ChomError as error:
        yield fail("Mail", error.detail, error.fix)
        return
    where = f"{server.host}:{server.port}"
    try:
        yield ok("Mail", f"{where} {_greet(server)}")
    except smtplib.SMTPAuthenticationError:
        yield fail("Mail", f"{where} refuses user or password", "Mend CHOM_SMTP_URL.")
    except (OSError, smtplib.SMTPException) as error:
        yield fail(
            "Mail",
            f"{where} does not take mail ({type(error).__name__})",
            "Start the server or mend CHOM_SMTP_URL. Mails wait in the outbox and are sent later.",
        )


def _greet(server: Server) -> str:
    context = ssl.create_default_context()
    client: smtplib.SMTP
    if server.tls:
        client = smtplib.SMTP_SSL(server.host, server.port, timeout=10, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=10)
    with client:
        client.ehlo()
        safe = server.tls
        if not safe and server.starttls != "no" and client.has_extn("starttls"):
            client.starttls(context=context)
            client.ehlo()
            safe = True
        if server.user:
            if not safe:
                raise ssl.SSLError("no STARTTLS, and a password must not go in the clear")
            client.login(server.user, server.password)
        client.noop()
        return (
            "takes mail"
            + (", encrypted" if safe else ", unencrypted")
            + (", logged in" if server.user else "")
        )
