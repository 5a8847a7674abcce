"""A host to reach by SSH that lives in the test: real protocol, recorded commands, answers you choose."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import asyncssh

Answer = tuple[int, str]


@dataclass
class SSHHost:
    """`commands` are the exact strings that arrived; `answer` decides exit status and output."""

    port: int = 0
    client_key: str = ""
    host_key: str = ""
    commands: list[str] = field(default_factory=list)
    answer: Callable[[str], Answer] = lambda command: (0, "")


@contextmanager
def ssh_host() -> Iterator[SSHHost]:
    """Run one on loopback while the block runs."""
    host = SSHHost()
    server_key = asyncssh.generate_private_key("ssh-ed25519")
    user_key = asyncssh.generate_private_key("ssh-ed25519")
    host.client_key = user_key.export_private_key().decode()
    host.host_key = server_key.export_public_key().decode()
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def serve(process: asyncssh.SSHServerProcess[str]) -> None:
        host.commands.append(process.command or "")
        status, output = host.answer(process.command or "")
        process.stdout.write(output)
        process.exit(status)

    async def start() -> None:
        keys = asyncssh.import_authorized_keys(user_key.export_public_key().decode())
        listener = await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[server_key], authorized_client_keys=keys, process_factory=serve
        )
        host.port = listener.get_port()
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the SSH host did not start")
    try:
        yield host
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
