"""Runs an application as an ordinary HTTP/1.1 server behind the guard. It says when it is ready, and stops cleanly on SIGTERM and SIGINT."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn

from driftwatch_servers.guard import Guard, GuardedProtocol


class _Server(uvicorn.Server):
    """Calls `on_ready` once requests are accepted. `app.state.body_limits` may set smaller limits by path. `proxies`: addresses or networks
    that are believed when they say for whom they ask (X-Forwarded-For, X-Forwarded-Proto); nobody else is."""

    def __init__(self, app: Any, on_ready: Any, proxies: Sequence[str] = ()) -> None:
        limits = getattr(getattr(app, "state", None), "body_limits", None)
        config = uvicorn.Config(
            Guard(app, limits),
            http=GuardedProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
        )
        super().__init__(config)
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def serve(app: Any, host: str, port: int, proxies: Sequence[str] = ()) -> None:
    """Serves until SIGTERM or SIGINT. Port 0 takes a free port. Prints `listening on http://host:port` when it is ready.

    `proxies`: the addresses or networks of trusted proxies.

    Raises OSError if the port is taken.
    """
    listener = _listen(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    # uvicorn raises the signal again after its shutdown; with these handlers the process then ends with code 0.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _Server(app, lambda: print(f"listening on {url}", flush=True), proxies).run(sockets=[listener])


@contextmanager
def running(app: Any, port: int = 0, proxies: Sequence[str] = ()) -> Iterator[str]:
    """Serves the application in a thread of this process, on a port of 127.0.0.1, by default a free one. Gives its base URL. For tests."""
    listener = _listen("127.0.0.1", port)
    ready = threading.Event()
    server = _Server(app, ready.set, proxies)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        if not ready.wait(20):
            raise RuntimeError("the server did not start within 20 s")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
